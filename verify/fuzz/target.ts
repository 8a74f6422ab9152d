// Target: one decoder with good messages, and the caller's first use of an accepted message.
//
//   fuzz/target.1. `take` returns whether the decoder accepted the message. A throw is a finding,
//        also in the caller's first use: an accepted message must be safe to use.

export interface Target {
  readonly name: string;
  readonly seeds: readonly string[];
  readonly take: (text: string) => boolean;
}

/** A target whose decoder returns undefined for a refused message. */
export function of<T>(
  name: string,
  seeds: readonly string[],
  decode: (text: string) => T | undefined,
  use: (value: T) => void = () => undefined,
): Target {
  const take = (text: string): boolean => {
    const value = decode(text);
    if (value === undefined) return false;
    use(value);
    return true;
  };
  return { name, seeds, take };
}

export function use(..._values: readonly unknown[]): void {
  // The use is to read the values.
}
