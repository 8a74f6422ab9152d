// StartGarbage: gives back the memory that loading a service left behind.
//
// While modules load, V8 lets the young generation grow to 32 MiB, and an idle process keeps it:
// V8 looks at it again when the process allocates, which an idle process hardly does. A collection
// of the kind that V8 makes when memory is short shrinks it to 1 MiB, and it grows again with load.
//
//   start-garbage.1. It runs once, when the modules are loaded and before the service connects to
//        anything, and takes about 30 ms. It also drops compiled code. A room node serves before it
//        is ready, and persistence archives: users would wait for the collection and for the code.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

export function collectStartGarbage(): void {
  // The function exists in contexts that are made while the flag is set.
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as NodeJS.GCFunction;
  setFlagsFromString("--no-expose-gc");
  collect({ type: "major", execution: "sync", flavor: "last-resort" });
}
