// Balance: which move is next, and when the node performs it.

import { expect } from "chai";
import type { ProcessId } from "#shared/protocol/ids.ts";
import type { NodeLoad } from "#shared/protocol/load.ts";
import { Balance, FRESH_MS, HOLD_MS, hotPartitions } from "../core/balance.ts";
import type { MemberLoad } from "../core/balance.ts";
import type { Move } from "../core/shares.ts";

const [A, B, C] = ["room-a", "room-b", "room-c"] as [ProcessId, ProcessId, ProcessId];
const INTERVAL_MS = 60_000;

/** Figures in thousandths of a core. */
function load(
  busy: number,
  costs: Record<string, number> = {},
  more: Partial<NodeLoad> = {},
): NodeLoad {
  return { weight: 0, capacity: 1_000, busy, costs, ...more };
}

const out = (p: number, more: Partial<Move> = {}): Move => ({
  node: A,
  weight: -1,
  p,
  from: A,
  to: B,
  ...more,
});

/** Calls `decide` each second of [from, to] and returns the times of the moves in s. */
function run(
  balance: Balance,
  options: {
    readonly loads: Partial<Record<ProcessId, NodeLoad>> | undefined;
    readonly moves: readonly Move[];
    readonly from?: number;
    readonly to: number;
    readonly ageMs?: number;
  },
): number[] {
  const times: number[] = [];
  for (let s = options.from ?? 1; s <= options.to; s++) {
    const now = s * 1_000;
    const receivedAt = now - (options.ageMs ?? 0);
    const entries = Object.entries(options.loads ?? {}) as [ProcessId, NodeLoad][];
    const loads = new Map<ProcessId, MemberLoad>(
      entries.map(([id, each]) => [id, { load: each, receivedAt }]),
    );
    const view = {
      loads: options.loads === undefined ? undefined : loads,
      moves: () => options.moves,
    };
    if (balance.decide(view, now) !== undefined) times.push(s);
  }
  return times;
}

const AGREED = { next: A };

describe("Balance", () => {
  it("balance.2: a move is useful when it takes load from a node that is clearly busier, and not too much", () => {
    const cases: [string, NodeLoad, NodeLoad, boolean][] = [
      ["busy and idle", load(600, { 1: 100 }), load(100), true],
      ["a fifth above", load(600, { 1: 40 }), load(500), true],
      ["less than a fifth above", load(590, { 1: 40 }), load(500), false],
      ["equal", load(600, { 1: 100 }), load(600), false],
      ["the taker is busier", load(300, { 1: 100 }), load(600), false],
      [
        "the taker has half the capacity",
        load(600, { 1: 40 }),
        load(300, {}, { capacity: 500 }),
        false,
      ],
      ["the giver has half the capacity", load(400, { 1: 50 }, { capacity: 500 }), load(400), true],
      ["it would only exchange the two", load(600, { 1: 550 }), load(50), false],
      ["it passes the middle a little", load(600, { 1: 100 }), load(440), true],
      // In eighths of a core, which are exact: the giver's load falls by half of the cost.
      ["it just gains enough", load(500, { 1: 250 }), load(125), true],
      ["it passes the middle", load(600, { 1: 100 }), load(460), false],
      ["both are almost idle", load(190, { 1: 50 }), load(0), false],
      ["without work, before a useful one", load(600, { 2: 100 }), load(100), true],
      ["without work, and no useful one behind it", load(600, { 2: 590 }), load(100), false],
      ["no work", load(0), load(0), false],
      ["exactly the least utilisation", load(200, { 1: 50 }), load(0), true],
      ["a small full node", load(500, { 1: 50 }, { capacity: 500 }), load(250), true],
      ["too large, beside a useful one", load(600, { 1: 550, 2: 100 }), load(50), false],
      ["useful, beside one that is too large", load(600, { 1: 100, 2: 550 }), load(50), true],
    ];
    for (const [what, giver, taker, isUseful] of cases) {
      const balance = new Balance(A, INTERVAL_MS, 0);
      const loads = { [A]: giver, [B]: { ...taker, ...AGREED } };
      const times = run(balance, { loads, moves: [out(1)], to: 61 });
      expect(times, what).to.deep.equal(isUseful ? [60] : []);
    }
  });

  it("balance.2: two nodes that are about as busy, or almost idle, exchange nothing because of a third", () => {
    const next = (busyA: number, busyB: number, busyC: number): string | undefined => {
      const loads = { [A]: load(busyA, { 1: 40 }), [B]: load(busyB), [C]: load(busyC) };
      const balance = new Balance(C, INTERVAL_MS, 0);
      run(balance, { loads, moves: [out(1)], to: 60 });
      return balance.next;
    };
    expect(next(190, 0, 900), "almost idle beside a busy one").to.equal(undefined);
    expect(next(590, 500, 0), "less than a fifth above, beside an idle one").to.equal(undefined);
    expect(next(600, 500, 0)).to.equal(A);
  });

  it("balance.1: only nodes with a load take part in a move, and one without costs gives nothing", () => {
    const next = (giver: NodeLoad, move: Move): string | undefined => {
      const balance = new Balance(C, INTERVAL_MS, 0);
      run(balance, { loads: { [A]: giver, [B]: load(100) }, moves: [out(1), move], to: 60 });
      return balance.next;
    };
    const giver = load(600, { 1: 20 });
    const larger = { node: B, weight: 1, p: 2 };
    expect(next(giver, { ...out(2), ...larger, from: C })).to.equal(A);
    expect(next(giver, { ...out(2), ...larger, to: C })).to.equal(A);
    const { costs: _costs, ...without } = giver;
    expect(next(without, out(2))).to.equal(undefined);
  });

  it("balance.3: a move is announced HOLD_MS before it may happen, and not earlier", () => {
    const balance = new Balance(A, INTERVAL_MS, 0);
    const loads = { [A]: load(600, { 1: 20 }), [B]: load(100) };
    const quietS = (INTERVAL_MS - HOLD_MS) / 1_000;
    run(balance, { loads, moves: [out(1)], to: quietS - 1 });
    expect(balance.next).to.equal(undefined);
    run(balance, { loads, moves: [out(1)], from: quietS, to: quietS });
    expect(balance.next).to.equal(A);
    balance.onOwnersChanged(100_000);
    run(balance, { loads, moves: [out(1)], from: 101, to: 100 + quietS - 1 });
    expect(balance.next).to.equal(undefined);
  });

  it("balance.3: waits for the interval after a move, and after any other change of owners", () => {
    const balance = new Balance(A, INTERVAL_MS, 0);
    const loads = { [A]: load(600, { 1: 20 }), [B]: load(100, {}, AGREED) };
    expect(run(balance, { loads, moves: [out(1)], to: 200 })).to.deep.equal([60, 120, 180]);
    balance.onOwnersChanged(201_000);
    expect(run(balance, { loads, moves: [out(1)], from: 202, to: 262 })).to.deep.equal([261]);
    balance.intervalMs = 0;
    expect(run(balance, { loads, moves: [out(1)], from: 263, to: 500 })).to.deep.equal([]);
    expect(balance.moves).to.equal(4);
  });

  it("balance.3: performs only its own move, when it has been the next one for HOLD_MS", () => {
    const loads = { [A]: load(600, { 1: 20 }), [B]: load(100, {}, AGREED) };
    const other = new Balance(B, INTERVAL_MS, 0);
    expect(run(other, { loads, moves: [out(1)], to: 120 })).to.deep.equal([]);
    expect(other.next).to.equal(A);
    const late = new Balance(A, INTERVAL_MS, 0);
    run(late, { loads: { ...loads, [A]: load(100) }, moves: [out(1)], to: 70 });
    expect(late.next).to.equal(undefined);
    const times = run(late, { loads, moves: [out(1)], from: 71, to: 80 });
    expect(times).to.deep.equal([71 + HOLD_MS / 1_000]);
  });

  it("balance.3: needs the fresh agreement of every live node, and the load of each", () => {
    const giver = load(600, { 1: 20 });
    const agrees = load(100, {}, AGREED);
    const decides = (loads: Parameters<typeof run>[1]["loads"], ageMs = 0): boolean =>
      run(new Balance(A, INTERVAL_MS, 0), { loads, moves: [out(1)], to: 70, ageMs }).length > 0;
    expect(decides({ [A]: giver, [B]: agrees, [C]: agrees })).to.equal(true);
    expect(decides({ [A]: giver, [B]: agrees, [C]: agrees }, FRESH_MS)).to.equal(true);
    expect(decides({ [A]: giver, [B]: agrees, [C]: agrees }, FRESH_MS + 1)).to.equal(false);
    expect(decides({ [A]: giver, [B]: agrees, [C]: load(100) })).to.equal(false);
    expect(decides({ [A]: giver, [B]: agrees, [C]: load(100, {}, { next: C }) })).to.equal(false);
    expect(decides(undefined)).to.equal(false);
  });

  it("balance.1: of several moves the one with the clearly largest gain is next, then the lowest partition, then the weight next to 1", () => {
    const loads = { [A]: load(800, { 1: 20, 2: 200, 3: 190 }), [B]: load(100, {}), [C]: load(100) };
    const next = (moves: readonly Move[]): string | undefined => {
      const balance = new Balance(C, INTERVAL_MS, 0);
      run(balance, { loads, moves, to: 60 });
      return balance.next;
    };
    expect(next([out(1), out(2, { node: B, weight: 1 })]), "the larger gain").to.equal(B);
    expect(next([out(3), out(2, { node: B, weight: 1 })]), "about the same gain").to.equal(B);
    expect(next([out(2, { node: B, weight: 1 }), out(1)]), "in any order").to.equal(B);
    expect(next([out(2, { node: B, weight: 1 }), out(3)]), "in any order").to.equal(B);
    expect(next([out(9), out(2, { node: B, weight: 1 })]), "no work comes last").to.equal(B);
    expect(next([out(2, { weight: -9 }), out(2, { node: B, weight: 8 })])).to.equal(B);
    expect(next([out(2, { weight: -8 }), out(2, { node: B, weight: 9 })])).to.equal(A);
    expect(next([out(2, { node: B, weight: 8 }), out(2, { weight: -8 })]), "equal").to.equal(A);
    expect(next([out(2, { weight: -8 }), out(2, { node: B, weight: 8 })]), "equal").to.equal(A);
  });

  it("balance.1: a gain is what a move takes from the difference of two nodes, less what it adds to the taker", () => {
    const next = (costs: Record<string, number>, busyC: number): string | undefined => {
      const loads = { [A]: load(800, costs), [B]: load(100), [C]: load(busyC) };
      const balance = new Balance(C, INTERVAL_MS, 0);
      const toB = out(2, { node: B, weight: 1 });
      run(balance, { loads, moves: [out(1, { to: C }), toB], to: 60 });
      return balance.next;
    };
    // More work to a node that is less idle: the smaller gain, of the lower partition.
    expect(next({ 1: 160, 2: 115 }, 400)).to.equal(B);
    // Almost twice the work between equal nodes passes the middle: about the same gain.
    expect(next({ 1: 250, 2: 460 }, 100)).to.equal(A);
  });

  it("P27, balance.4: a partition is hot when it alone takes half of its owner, and more than the mean", () => {
    const hot = (own: NodeLoad, ...others: NodeLoad[]): number[] =>
      hotPartitions(A, new Map([own, ...others].map((each, i) => [[A, B, C][i]!, { load: each }])));
    expect(hot(load(700, { 1: 600, 2: 100 }), load(100))).to.deep.equal([1]);
    expect(hot(load(600, { 1: 490, 2: 100 }), load(100)), "below a half").to.deep.equal([]);
    expect(hot(load(600, { 1: 500, 2: 100 }), load(100)), "exactly a half").to.deep.equal([1]);
    expect(hot(load(900, { 1: 600, 2: 300 }), load(900)), "all nodes are busier").to.deep.equal([]);
    expect(hot(load(300, { 7: 260 }, { capacity: 500 }), load(100))).to.deep.equal([7]);
    expect(hot(load(0), load(0))).to.deep.equal([]);
    expect(hotPartitions(A, new Map())).to.deep.equal([]);
  });
});
