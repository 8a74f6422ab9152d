// Assert: a broken invariant ends the process; the cluster recovers, wrong data does not.

export class BrokenInvariant extends Error {
  override readonly name = "BrokenInvariant";
}

/** For what must hold if this code is right. Never for input from outside. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new BrokenInvariant(message);
}

/** The end of an exhaustive switch. */
export function unreachable(value: never): never {
  throw new BrokenInvariant(`unreachable: ${JSON.stringify(value)}`);
}
