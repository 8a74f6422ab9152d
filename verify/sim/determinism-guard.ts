// Determinism guard: forbids the real clock, real randomness and real timers while a simulation
// runs.
//
// One Date.now() in the product or in the simulator would make a run depend on more than its seed,
// without a visible failure. During a run these functions throw. The exception becomes a finding
// whose stack names the caller.

const REAL_DATE = Date;

interface Forbidden {
  readonly owner: object;
  readonly name: string;
}

const FORBIDDEN: readonly Forbidden[] = [
  { owner: globalThis, name: "setTimeout" },
  { owner: globalThis, name: "setInterval" },
  { owner: globalThis, name: "setImmediate" },
  { owner: Math, name: "random" },
  { owner: performance, name: "now" },
  { owner: crypto, name: "getRandomValues" },
  { owner: crypto, name: "randomUUID" },
];

/** Real time and randomness throw while `isInside` is true. The returned function ends this. */
export function forbidNondeterminism(isInside: () => boolean): () => void {
  const before = FORBIDDEN.map(({ owner, name }) => Object.getOwnPropertyDescriptor(owner, name));
  for (const { owner, name } of FORBIDDEN) {
    const real = Reflect.get(owner, name) as (...args: unknown[]) => unknown;
    const value = (...args: unknown[]): unknown => {
      if (!isInside()) return Reflect.apply(real, owner, args);
      throw new Error(`a simulation called ${name}: it must use the port Clock or Random`);
    };
    Object.defineProperty(owner, name, { value, configurable: true, writable: true });
  }
  globalThis.Date = guardedDate(isInside);
  return () => {
    globalThis.Date = REAL_DATE;
    for (const [index, { owner, name }] of FORBIDDEN.entries()) {
      const descriptor = before[index];
      if (descriptor === undefined) Reflect.deleteProperty(owner, name);
      else Object.defineProperty(owner, name, descriptor);
    }
  };
}

/** Allows dates of a given time, and forbids the current time. */
function guardedDate(isInside: () => boolean): DateConstructor {
  const refuse = (): never => {
    throw new Error("a simulation read the current date: it must use the port Clock");
  };
  return new Proxy(REAL_DATE, {
    construct: (target, args: unknown[]) =>
      args.length === 0 && isInside() ? refuse() : (Reflect.construct(target, args) as Date),
    get: (target, name) =>
      name === "now" && isInside() ? refuse : (Reflect.get(target, name) as unknown),
  });
}
