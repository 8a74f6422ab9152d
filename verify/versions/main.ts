// `make record-messages VERSION=<commit, tag or folder>`: records the messages of a version, so
// that a test of every later version decodes them.

import { checkOut } from "./checkout.ts";
import { record } from "./recorded.ts";

const say = (line: string): void => console.log(line);
const [, , version = ""] = process.argv;
try {
  if (version === "") throw new Error("expected a version: make record-messages VERSION=v1.2.3");
  say(`written: ${await record(await checkOut(version, say))}`);
} catch (error: unknown) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
