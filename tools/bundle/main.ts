// `node tools/bundle/main.ts`: bundles all services, and prints the path of each program.

import { bundleServices } from "./bundle.ts";

for (const program of await bundleServices()) console.log(program);
