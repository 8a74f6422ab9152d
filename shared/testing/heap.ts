// Heap: garbage collections on demand, and the memory that remains, for tests that bound it.
//
// A process of tests needs no flag for it: the function exists in contexts that are made while the
// flag is set.

import { runInNewContext } from "node:vm";
import { setFlagsFromString } from "node:v8";

setFlagsFromString("--expose-gc");
/** Collects the whole heap of this process. */
export const collect = runInNewContext("gc") as () => void;
setFlagsFromString("--no-expose-gc");

/** The used heap after a collection, in bytes. */
export function heapBytes(): number {
  collect();
  return process.memoryUsage().heapUsed;
}
