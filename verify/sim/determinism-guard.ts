// Guard: while a world runs, nothing may ask the real clock, real chance or real timers.
//
// A single Date.now() in the product or in the harness would make a seed mean something else every
// day, and nobody would notice. So during a run these are replaced by functions that throw; the
// throw is a finding like any other, with a stack that names the culprit.

const REAL_DATE = Date;

interface Banned {
  readonly owner: object;
  readonly name: string;
}

const BANNED: readonly Banned[] = [
  { owner: globalThis, name: "setTimeout" },
  { owner: globalThis, name: "setInterval" },
  { owner: globalThis, name: "setImmediate" },
  { owner: Math, name: "random" },
  { owner: performance, name: "now" },
  { owner: crypto, name: "getRandomValues" },
  { owner: crypto, name: "randomUUID" },
];

/** Forbids real time and real chance inside of a world; the returned function allows them again. */
export function forbidReality(isInside: () => boolean): () => void {
  const before = BANNED.map(({ owner, name }) => Object.getOwnPropertyDescriptor(owner, name));
  for (const { owner, name } of BANNED) {
    const real = Reflect.get(owner, name) as (...args: unknown[]) => unknown;
    const value = (...args: unknown[]): unknown => {
      if (!isInside()) return Reflect.apply(real, owner, args);
      throw new Error(`a simulated world asked the real one: ${name}`);
    };
    Object.defineProperty(owner, name, { value, configurable: true, writable: true });
  }
  globalThis.Date = guardedDate(isInside);
  return () => {
    globalThis.Date = REAL_DATE;
    for (const [index, { owner, name }] of BANNED.entries()) {
      const descriptor = before[index];
      if (descriptor === undefined) Reflect.deleteProperty(owner, name);
      else Object.defineProperty(owner, name, descriptor);
    }
  };
}

/** Dates of a given time stay possible; what time it is now is nobody's business. */
function guardedDate(isInside: () => boolean): DateConstructor {
  const refuse = (): never => {
    throw new Error("a simulated world asked the real one: Date");
  };
  return new Proxy(REAL_DATE, {
    construct: (target, args: unknown[]) =>
      args.length === 0 && isInside() ? refuse() : (Reflect.construct(target, args) as Date),
    get: (target, name) =>
      name === "now" && isInside() ? refuse : (Reflect.get(target, name) as unknown),
  });
}
