// Placement: which node should own which partition, for any beats and silence.

import { expect } from "chai";
import * as fc from "fast-check";
import type { ProcessId } from "#shared/protocol/ids.ts";
import { NODE_TIMEOUT_MS } from "#shared/protocol/beat.ts";
import type { Beat } from "#shared/protocol/beat.ts";
import { WEIGHT_MAX } from "#shared/protocol/load.ts";
import { FREEZE_MS, HANDOVER_MS, Placement, RETURN_MS } from "../core/placement.ts";

const PARTITIONS = 16;
const ALL = [...Array(PARTITIONS).keys()];
const IDS = ["room-a", "room-b", "room-c", "room-d"] as ProcessId[];
const [A, B, C, D] = IDS as [ProcessId, ProcessId, ProcessId, ProcessId];

const beat = (id: ProcessId, owns: Beat["owns"] = {}, state: Beat["state"] = "live"): Beat => ({
  v: 1,
  id,
  state,
  version: "t",
  owns,
});
const all = (epoch: number): { [p: string]: number } =>
  Object.fromEntries(ALL.map((p) => [p, epoch]));
const wanted = (view: Placement, now: number): number[] => view.decide(new Set(), now).claim;
const share = (view: Placement, id: ProcessId): number[] =>
  ALL.filter((p) => view.ownerOf(p) === id);

/** A view that receives beats of `peers` every 500 ms and ticks every 100 ms. */
class View {
  readonly placement: Placement;
  now = 0;

  constructor(self: ProcessId) {
    this.placement = new Placement(self, PARTITIONS);
  }

  pass(ms: number, peers: readonly ProcessId[]): void {
    for (const end = this.now + ms; this.now < end; this.now += 100) {
      if (this.now % 500 === 0) for (const id of peers) this.placement.onBeat(beat(id), this.now);
      this.placement.onTick(this.now);
    }
  }
}

describe("Placement", () => {
  it("P11: two nodes that know each other share the partitions without overlap", () => {
    const views = [new Placement(A, PARTITIONS), new Placement(B, PARTITIONS)];
    views[0]!.onBeat(beat(B), 0);
    views[1]!.onBeat(beat(A), 0);
    const claims = views.flatMap((view) => wanted(view, 0));
    expect(claims.sort((x, y) => x - y)).to.deep.equal(ALL);
  });

  it("P10: a partition that a peer still reports waits for the hand-over", () => {
    const view = new Placement(A, PARTITIONS);
    view.onBeat(beat(B, all(7)), 0);
    expect(wanted(view, 0)).to.deep.equal([]);
    expect(view.onBeat(beat(B), 100)).to.include({ changed: true });
    expect(wanted(view, 100)).to.deep.equal(share(view, A));
  });

  it("P10: a leaving peer hands over too, and is not waited for when it crashes in the meantime", () => {
    const view = new Placement(A, PARTITIONS);
    view.onBeat(beat(B, all(7)), 0);
    view.onBeat(beat(B, { 3: 7 }, "leaving"), 100);
    expect(share(view, A)).to.deep.equal(ALL);
    expect(wanted(view, 100)).to.deep.equal(ALL.filter((p) => p !== 3));
    for (let now = 100; now <= 100 + NODE_TIMEOUT_MS; now += 100) view.onTick(now);
    expect(view.holderOf(3)).to.equal(B);
    view.onTick(200 + NODE_TIMEOUT_MS);
    expect(wanted(view, 200 + NODE_TIMEOUT_MS)).to.deep.equal(ALL);
  });

  it("P10: no node hands over to a joining node, and a joining node claims nothing", () => {
    const view = new Placement(A, PARTITIONS);
    expect(view.onBeat(beat(B, {}, "joining"), 0)).to.deep.equal({ changed: false, isNew: true });
    expect(view.decide(new Set(ALL), 0).drain).to.deep.equal([]);
    expect(view.onBeat(beat(B), 400)).to.deep.equal({ changed: true, isNew: true });
    expect(view.decide(new Set(ALL), 400).drain).to.deep.equal(share(view, B));
    view.claimsNothing = true;
    expect(wanted(view, 400)).to.deep.equal([]);
  });

  it("P11: partitions of a silent peer go to the live nodes; those of a peer that keeps them go after HANDOVER_MS", () => {
    const view = new Placement(A, PARTITIONS);
    view.onBeat(beat(B, all(7)), 0);
    view.decide(new Set(), 0);
    view.onBeat(beat(B, all(7)), HANDOVER_MS);
    expect(wanted(view, HANDOVER_MS)).to.deep.equal(share(view, A));
    const late = HANDOVER_MS + NODE_TIMEOUT_MS + 1;
    view.onTick(late - 100);
    view.onTick(late);
    expect(wanted(view, late)).to.deep.equal(ALL);
  });

  it("P16: does not wait for a peer that is known to be dead", () => {
    const view = new Placement(A, PARTITIONS);
    view.onBeat(beat(B, all(7)), 0);
    view.onBeat(beat(C, {}), 0);
    expect(view.holderOf(5)).to.equal(B);
    view.remove(B);
    expect(view.holderOf(5)).to.equal(undefined);
    expect(wanted(view, 0)).to.deep.equal(share(view, A));
    expect([...share(view, A), ...share(view, C)]).to.have.length(PARTITIONS);
  });

  it("P6: a rival is over when it is gone, or when its beats first reported that tenure and then no longer", () => {
    const view = new Placement(A, PARTITIONS);
    const rival = { node: B, epoch: 7 };
    expect(view.isOver(5, rival)).to.equal(true); // The peer is unknown.
    view.onBeat(beat(B), 0); // It may be replaying.
    expect(view.isOver(5, rival)).to.equal(false);
    view.onBeat(beat(B, { 5: 6 }), 100);
    view.onBeat(beat(B), 200); // That was an older tenure.
    expect(view.isOver(5, rival)).to.equal(false);
    view.onBeat(beat(B, { 5: 7 }), 300);
    expect(view.isOver(5, rival)).to.equal(false);
    view.onBeat(beat(B, { 4: 9 }), 400);
    expect(view.isOver(5, rival)).to.equal(true);
    expect(view.isOver(4, { node: B, epoch: 9 })).to.equal(false);
    view.onBeat(beat(B), 500);
    expect(view.isOver(4, { node: B, epoch: 9 })).to.equal(true);
    expect(view.isOver(4, { node: C, epoch: 9 })).to.equal(true);
    view.onBeat(beat(C), 600);
    expect(view.isOver(4, { node: C, epoch: 9 })).to.equal(false);
  });

  it("P18: a majority that falls silent together still counts as live for FREEZE_MS", () => {
    const view = new View(A);
    view.pass(1_000, [B, C]);
    const before = share(view.placement, A);
    view.pass(NODE_TIMEOUT_MS + 500, []);
    expect(view.placement.isFrozen).to.equal(true);
    expect(wanted(view.placement, view.now)).to.deep.equal(before);
    view.pass(FREEZE_MS, []);
    expect(wanted(view.placement, view.now)).to.deep.equal(ALL);
  });

  it("P18: a frozen peer that beats is live, and one that is known to be dead is gone", () => {
    const view = new View(A);
    view.pass(1_000, [B, C]);
    view.pass(NODE_TIMEOUT_MS + 500, []);
    view.placement.onBeat(beat(B), view.now);
    view.placement.remove(C);
    expect(view.placement.isFrozen).to.equal(false);
    expect(view.placement.isOver(0, { node: B, epoch: 1 })).to.equal(false);
    expect(share(view.placement, C)).to.deep.equal([]);
  });

  it("P18: one silent node of two, or one of four, is no majority", () => {
    for (const peers of [[B], [B, C, D]]) {
      const view = new View(A);
      view.pass(1_000, peers);
      view.pass(NODE_TIMEOUT_MS + 500, peers.slice(1));
      expect(view.placement.isFrozen).to.equal(false);
      expect(share(view.placement, B)).to.deep.equal([]);
    }
  });

  it("P19: a peer that was gone counts as live only after RETURN_MS of beats", () => {
    const view = new Placement(A, PARTITIONS);
    view.onBeat(beat(B), 0);
    view.remove(B);
    view.onBeat(beat(B), 1_000);
    expect(share(view, A)).to.deep.equal(ALL);
    view.onBeat(beat(B), 1_000 + RETURN_MS - 1);
    expect(share(view, A)).to.deep.equal(ALL);
    expect(view.onBeat(beat(B), 1_000 + RETURN_MS).changed).to.equal(true);
    expect(share(view, B)).to.not.deep.equal([]);
  });

  it("P20: the silence of peers does not count while this node is paused", () => {
    const view = new Placement(A, PARTITIONS);
    const rival = { node: B, epoch: 1 };
    view.onBeat(beat(B), 0);
    view.onTick(100);
    expect(view.onTick(15_100)).to.equal(true);
    expect(view.isOver(0, rival)).to.equal(false);
    for (let now = 15_200; now <= 15_100 + NODE_TIMEOUT_MS; now += 100) view.onTick(now);
    expect(view.isOver(0, rival)).to.equal(false);
    view.onTick(15_200 + NODE_TIMEOUT_MS);
    expect(view.isOver(0, rival)).to.equal(true);
  });

  it("P26: a weight in a beat changes the shares at once; without a load of every node all weights are equal", () => {
    const view = new Placement(A, PARTITIONS);
    const load = { weight: 0, capacity: 1_000_000, busy: 0 };
    const loaded = (id: ProcessId, weight = 0): Beat => ({
      ...beat(id),
      load: { ...load, weight },
    });
    view.setLoad(load, 0);
    view.onBeat(loaded(B), 0);
    const equal = share(view, B);
    const before = view.revision;
    expect(view.onBeat(loaded(B), 1)).to.include({ changed: false });
    expect(view.revision).to.equal(before);
    expect(view.onBeat(loaded(B, -WEIGHT_MAX), 2)).to.include({ changed: true });
    expect(view.revision).to.be.above(before);
    const smaller = share(view, B);
    expect(smaller.length).to.be.below(equal.length);
    expect(equal).to.include.members(smaller);
    expect(view.loads?.get(B)).to.deep.equal({
      load: { ...load, weight: -WEIGHT_MAX },
      receivedAt: 2,
    });
    view.onBeat(beat(C), 3); // An older version.
    expect(view.loads).to.equal(undefined);
    const plain = new Placement(A, PARTITIONS);
    for (const id of [B, C]) plain.onBeat(beat(id), 0);
    expect(share(view, B)).to.deep.equal(share(plain, B));
    view.remove(C);
    expect(share(view, B)).to.deep.equal(smaller);
    view.onBeat({ ...loaded(B, -WEIGHT_MAX), state: "leaving" }, 4);
    expect([...(view.loads ?? []).keys()]).to.deep.equal([A]);
  });

  it("P26: a peer that is not live has no weight, and neither has one whose newest beat names none", () => {
    const view = new Placement(A, PARTITIONS);
    const load = { weight: WEIGHT_MAX, capacity: 1_000_000, busy: 0 };
    view.setLoad({ ...load, weight: 0 }, 0);
    const before = view.revision;
    for (const state of ["leaving", "joining"] as const) {
      view.onBeat({ ...beat(B, {}, state), load }, 0);
      expect(view.revision, state).to.equal(before);
    }
    view.onBeat({ ...beat(B), load }, 1);
    expect([...(view.loads ?? []).keys()]).to.have.members([A, B]);
    expect(view.onBeat(beat(B), 2)).to.include({ changed: true });
    expect(view.loads).to.equal(undefined);
  });

  it("P26: a peer that was declared dead has no weight to lose when it leaves", () => {
    const view = new Placement(A, PARTITIONS);
    const load = { weight: WEIGHT_MAX, capacity: 1_000_000, busy: 0 };
    view.onBeat({ ...beat(B), load }, 0);
    view.remove(B);
    view.onBeat({ ...beat(B), load }, 1);
    const before = view.revision;
    const left = view.onBeat({ ...beat(B, {}, "leaving"), load }, 1 + RETURN_MS);
    expect(left).to.deep.equal({ changed: false, isNew: false });
    expect(view.revision).to.equal(before);
  });

  it("P26: this node's own weight changes its share", () => {
    const view = new Placement(A, PARTITIONS);
    const load = { weight: 0, capacity: 1_000_000, busy: 0 };
    view.onBeat({ ...beat(B), load }, 0);
    view.setLoad(load, 0);
    const equal = share(view, A);
    view.setLoad({ ...load, weight: WEIGHT_MAX }, 0);
    expect(share(view, A).length).to.be.above(equal.length);
    expect(view.decide(new Set(), 0).claim).to.deep.equal(share(view, A));
  });

  it("P11: for any beats, silence and deaths each partition has one owner, the same in equal views", () => {
    const step = fc.record({
      peer: fc.constantFrom(B, C, D),
      act: fc.constantFrom("beat", "beat", "beat", "leave", "dead"),
      owns: fc.uniqueArray(fc.nat(PARTITIONS - 1), { maxLength: 4 }),
      ms: fc.nat(900),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const views = [new Placement(A, PARTITIONS), new Placement(A, PARTITIONS)];
        let now = 0;
        for (const { peer, act, owns, ms } of steps) {
          now += ms;
          for (const view of views) {
            const held = Object.fromEntries(owns.map((p) => [p, now]));
            if (act === "dead") view.remove(peer);
            else view.onBeat(beat(peer, held, act === "leave" ? "leaving" : "live"), now);
            view.onTick(now);
          }
          const [one, other] = views as [Placement, Placement];
          const owners = ALL.map((p) => one.ownerOf(p));
          expect(owners).to.deep.equal(ALL.map((p) => other.ownerOf(p)));
          const { claim, drain } = one.decide(new Set([0, 1, 2, 3]), now);
          other.decide(new Set([0, 1, 2, 3]), now);
          for (const p of claim) expect(owners[p]).to.equal(A);
          for (const p of drain) expect(owners[p]).to.not.equal(A);
          for (const owner of owners) expect(IDS).to.include(owner);
          if (act === "dead") expect(owners).to.not.include(peer);
        }
      }),
    );
  });

  it("P26, P29: a split raises the number of partitions: the upper halves get owners and moves", () => {
    const load = { weight: 0, capacity: 1_000_000, busy: 0 };
    const view = new Placement(A, PARTITIONS);
    view.setLoad(load, 0);
    view.onBeat({ ...beat(B), load }, 0);
    const before = view.revision;
    view.partitions = PARTITIONS;
    expect(view.revision, "no split").to.equal(before);
    expect(Math.max(...view.moves().map(({ p }) => p))).to.be.below(PARTITIONS);
    view.partitions = 8 * PARTITIONS;
    expect(view.revision).to.be.above(before);
    expect(Math.max(...view.moves().map(({ p }) => p))).to.be.at.least(PARTITIONS);
  });
});
