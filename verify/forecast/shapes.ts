// Shapes: how programs hold memory over time, healthy ones and leaking ones.
//
// The rules of kit/trend.ts were chosen on the shapes for choosing. The table is made from the
// held-out ones, which were not looked at before.
//
//   shapes.1. A shape allocates real JavaScript objects: the heap that V8 reports is the heap that
//        V8 ends the process for.

export interface Program {
  /** Advances by `step` seconds, at `at` seconds. */
  tick(at: number, step: number): void;
  /** Bytes that a bounded store of the program accounts for. */
  accounted(): number;
}

export interface Shape {
  readonly isLeak: boolean;
  readonly isHeldOut: boolean;
  /** `uniform` is the randomness of the seed: parameters and noise come from it. */
  create(uniform: () => number, seconds: number): Program;
}

/** The size of an item with its slot in an array, measured with Node 24. */
const ITEM_BYTES = 1_024;
const MIB = 1_024 * 1_024;
const ITEMS_PER_MIB = MIB / ITEM_BYTES;

function createItem(): object {
  return { values: Array.from({ length: 120 }, (_, i) => i) };
}

/** Items that are held; `resize` adds or drops the oldest ones until there are `mib` of them. */
class Items {
  #items: object[] = [];

  get mib(): number {
    return this.#items.length / ITEMS_PER_MIB;
  }

  resize(mib: number): void {
    const count = Math.max(0, Math.round(mib * ITEMS_PER_MIB));
    if (count < this.#items.length) this.#items = this.#items.slice(this.#items.length - count);
    while (this.#items.length < count) this.#items.push(createItem());
  }
}

/** A program whose memory follows `level` (MiB, of seconds), with noise of requests in flight. */
function following(
  uniform: () => number,
  level: (at: number) => number,
  isAccounted = false,
): Program {
  const base = new Items();
  const inFlight = new Items();
  return {
    tick: (at) => {
      base.resize(level(at));
      if (uniform() < 0.05) inFlight.resize(1.5 * uniform());
    },
    accounted: () => (isAccounted ? base.mib * MIB : 0),
  };
}

function shape(
  isLeak: boolean,
  isHeldOut: boolean,
  create: (uniform: () => number, seconds: number) => Program,
): Shape {
  return { isLeak, isHeldOut, create };
}

const between = (uniform: () => number, low: number, high: number): number =>
  low + (high - low) * uniform();

export const SHAPES = {
  // For choosing.
  linear: shape(true, false, (uniform, seconds) => {
    const rate = 60 / between(uniform, 0.4 * seconds, 0.95 * seconds);
    return following(uniform, (at) => 8 + rate * at);
  }),
  requests: shape(true, false, (uniform, seconds) => {
    const rate = 60 / between(uniform, 0.4 * seconds, 0.95 * seconds);
    let held = 8;
    return following(uniform, () => {
      if (uniform() < 0.2) held += (rate * 0.02) / 0.2;
      return held;
    });
  }),
  steady: shape(false, false, (uniform) => {
    const level = between(uniform, 5, 25);
    return following(uniform, () => level);
  }),
  warmUp: shape(false, false, (uniform, seconds) => {
    const [level, tau] = [between(uniform, 8, 20), between(uniform, 0.05, 0.3) * seconds];
    return following(uniform, (at) => 5 + level * (1 - Math.exp(-at / tau)));
  }),
  boundedCache: shape(false, false, (uniform, seconds) => {
    const [level, rate] = [between(uniform, 8, 20), between(uniform, 1, 3) * (20 / seconds)];
    return following(uniform, (at) => Math.min(level, 2 + rate * at), true);
  }),
  // Held out.
  late: shape(true, true, (uniform, seconds) => {
    const start = between(uniform, 0.2, 0.5) * seconds;
    const rate = 60 / between(uniform, 0.25 * seconds, 0.45 * seconds);
    return following(uniform, (at) => 8 + rate * Math.max(0, at - start));
  }),
  accelerating: shape(true, true, (uniform, seconds) => {
    const end = between(uniform, 0.5, 0.95) * seconds;
    return following(uniform, (at) => 6 + 54 * (at / end) ** 1.6);
  }),
  bursts: shape(true, true, (uniform, seconds) => {
    const rate = 60 / between(uniform, 0.4 * seconds, 0.9 * seconds);
    let held = 8;
    return following(uniform, () => {
      if (uniform() < 0.02) held += (rate * 0.02) / 0.02;
      return held;
    });
  }),
  leakUnderWave: shape(true, true, (uniform, seconds) => {
    const rate = 50 / between(uniform, 0.5 * seconds, 0.9 * seconds);
    const period = between(uniform, 0.05, 0.15) * seconds;
    return following(
      uniform,
      (at) => 8 + rate * at + 3 * (1 + Math.sin((2 * Math.PI * at) / period)),
    );
  }),
  wave: shape(false, true, (uniform, seconds) => {
    const period = between(uniform, 0.1, 0.5) * seconds;
    return following(uniform, (at) => 14 + 8 * Math.sin((2 * Math.PI * at) / period));
  }),
  queue: shape(false, true, (uniform) => {
    let queued = 0;
    return following(uniform, () => {
      if (uniform() < 0.01) queued += between(uniform, 2, 10);
      queued *= 0.985;
      return Math.min(6 + queued, 28);
    });
  }),
  plateaus: shape(false, true, (uniform, seconds) => {
    let level = 6;
    let next = 0;
    return following(uniform, (at) => {
      if (at >= next) {
        level = between(uniform, 5, 22);
        next = at + between(uniform, 0.1, 0.3) * seconds;
      }
      return level;
    });
  }),
  accountedStore: shape(false, true, (uniform, seconds) => {
    const [level, tau] = [between(uniform, 10, 22), between(uniform, 0.2, 0.8) * seconds];
    return following(uniform, (at) => level * (1 - Math.exp(-at / tau)), true);
  }),
} as const satisfies Readonly<Record<string, Shape>>;

export type ShapeName = keyof typeof SHAPES;

export function isShape(name: string): name is ShapeName {
  return Object.hasOwn(SHAPES, name);
}
