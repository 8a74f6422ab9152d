// Assert: a broken invariant ends the process. The cluster recovers from a crash, but not from
// wrong data.

export class BrokenInvariant extends Error {
  override readonly name = "BrokenInvariant";
}

/** For conditions that hold if this code is correct. Never for input from outside. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new BrokenInvariant(message);
}

/** The default case of an exhaustive switch. */
export function unreachable(value: never): never {
  throw new BrokenInvariant(`unreachable: ${JSON.stringify(value)}`);
}
