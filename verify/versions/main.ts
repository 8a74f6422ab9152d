// Versions: checks the oldest supported version out, as the test of two versions needs it.
//
//   node verify/versions/main.ts

import { checkOut, OLDEST } from "./checkout.ts";

const { folder } = await checkOut(OLDEST, (line) => console.log(line));
console.log(folder);
