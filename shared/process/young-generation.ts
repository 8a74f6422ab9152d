// YoungGeneration: the size of V8's young generation in a service, small at rest and large under
// load.
//
// Does not own: its bound (--max-semi-space-size, decision 060).
//
//   young-generation.1. The garbage of the start is collected once, when the modules are loaded and
//        before the service connects to anything. It takes about 30 ms and drops compiled code. A
//        room node serves before it is ready, and persistence archives: users would wait for the
//        collection and for the code.
//   young-generation.2. A room node and persistence, when they are ready, let the first growth give
//        a semi-space all that its bound permits. Growth while they start would be memory that they
//        keep without load. A gateway does not: its memory before the first connection counts.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * While modules load, V8 lets the young generation grow to 32 MiB, and an idle process keeps it: V8
 * looks at it again when the process allocates, which an idle process hardly does. A collection of
 * the kind that V8 makes when memory is short shrinks it to 1 MiB.
 */
export function collectStartGarbage(): void {
  // The function exists in contexts that are made while the flag is set.
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as NodeJS.GCFunction;
  setFlagsFromString("--no-expose-gc");
  collect({ type: "major", execution: "sync", flavor: "last-resort" });
}

/**
 * By default V8 doubles a semi-space when as many bytes have survived as it holds. Few objects of a
 * message survive, so a busy service stays at 1 or 2 MiB for minutes, and collects four times as
 * often as with 16.
 */
export function growInOneStep(): void {
  setFlagsFromString("--semi-space-growth-factor=16");
}
