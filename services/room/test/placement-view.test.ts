// Placement view: which beats change it, and its wait times to the millisecond.

import { expect } from "chai";
import { LIVE_PROCESSES_MAX } from "#shared/kit/live-processes.ts";
import type { ProcessId } from "#shared/protocol/ids.ts";
import { BEAT_MS, NODE_TIMEOUT_MS } from "#shared/protocol/beat.ts";
import type { Beat } from "#shared/protocol/beat.ts";
import { TICK_LATE_MS, FREEZE_MS, HANDOVER_MS, Placement, RETURN_MS } from "../core/placement.ts";

const PARTITIONS = 16;
const ALL = [...Array(PARTITIONS).keys()];
const [A, B, C, D, E] = ["a", "b", "c", "d", "e"].map((id) => `room-${id}`) as [
  ProcessId,
  ProcessId,
  ProcessId,
  ProcessId,
  ProcessId,
];
const beat = (id: ProcessId, owns: Beat["owns"] = {}, state: Beat["state"] = "live"): Beat => ({
  v: 1,
  id,
  state,
  version: "t",
  owns,
});
const peerOf = (n: number): ProcessId => `room-p${n}` as ProcessId;

describe("Placement: beats", () => {
  it("P11: a beat changes the view when its sender is new, or reports other partitions than before", () => {
    const view = new Placement(A, PARTITIONS);
    const onBeat = (owns: Beat["owns"], state: Beat["state"] = "live"): unknown =>
      view.onBeat(beat(B, owns, state), 0);
    const same = { changed: false, isNew: false };
    const other = { changed: true, isNew: false };
    expect(view.onBeat(beat(A, { 1: 1 }), 0), "a beat of this node").to.deep.equal(same);
    expect(view.holderOf(1)).to.equal(undefined);
    expect(onBeat({})).to.deep.equal({ changed: true, isNew: true });
    expect(onBeat({})).to.deep.equal(same);
    expect(onBeat({ 1: 7 })).to.deep.equal(other);
    expect(onBeat({ 1: 7 })).to.deep.equal(same);
    expect(onBeat({ 1: 8 }), "another epoch").to.deep.equal(other);
    expect(onBeat({ 2: 8 }), "another partition").to.deep.equal(other);
    expect(onBeat({ 2: 8, 3: 9 }), "one partition more").to.deep.equal(other);
    expect(onBeat({ 2: 8, 3: 10 }), "one of two epochs").to.deep.equal(other);
    expect(onBeat({ 3: 10 }), "one partition less").to.deep.equal(other);
    expect(onBeat({})).to.deep.equal(other);
    expect(onBeat({}, "joining"), "a joining node may not know this node").to.include({
      isNew: true,
    });
    expect(onBeat({}, "leaving")).to.include({ isNew: false });
    expect(view.onBeat(beat(C), 0)).to.deep.equal({ changed: true, isNew: true });
    expect(view.onBeat(beat(C, {}, "leaving"), 0)).to.deep.equal(other);
  });

  it("P11: spreads the partitions over the nodes, by the number of each partition", () => {
    const view = new Placement(A, PARTITIONS);
    for (const peer of [B, C]) view.onBeat(beat(peer), 0);
    const counts = [A, B, C].map((id) => ALL.filter((p) => view.ownerOf(p) === id).length);
    expect(counts.every((count) => count > 0)).to.equal(true);
    view.claimsNothing = true;
    expect(ALL.filter((p) => view.ownerOf(p) === A)).to.deep.equal([]);
    expect(new Placement(A, PARTITIONS).ownerOf(0)).to.equal(A);
  });

  it("placement.2: the holder is the peer with the newest epoch, and the first of two peers with the same epoch", () => {
    const view = new Placement(A, PARTITIONS);
    view.onBeat(beat(B, { 1: 1 }), 0);
    expect(view.holderOf(1)).to.equal(B);
    view.onBeat(beat(C, { 1: 1 }), 0);
    expect(view.holderOf(1), "the same epoch").to.equal(B);
    view.onBeat(beat(C, { 1: 2 }), 0);
    expect(view.holderOf(1)).to.equal(C);
    view.onBeat(beat(D, { 1: 1 }), 0);
    expect(view.holderOf(1)).to.equal(C);
  });

  it("P6: a tenure that a peer still reports is not released", () => {
    const view = new Placement(A, PARTITIONS);
    for (let n = 0; n < 3; n++) view.onBeat(beat(B, { 5: 7 }), n);
    expect(view.isOver(5, { node: B, epoch: 7 })).to.equal(false);
    view.onBeat(beat(B), 9);
    expect(view.isOver(5, { node: B, epoch: 7 })).to.equal(true);
    expect(view.isOver(5, { node: B, epoch: 8 })).to.equal(false);
  });

  it("placement.2: knows the partitions of LIVE_PROCESSES_MAX peers, and not those of one more", () => {
    const view = new Placement(A, PARTITIONS);
    for (let n = 0; n < LIVE_PROCESSES_MAX; n++)
      view.onBeat(beat(peerOf(n), { 2: 1 }, "leaving"), 0);
    expect(view.onBeat(beat(B, { 1: 9 }, "leaving"), 0).changed).to.equal(false);
    expect(view.holderOf(1)).to.equal(undefined);
    expect(view.onBeat(beat(peerOf(3), { 1: 9 }, "leaving"), 0).changed).to.equal(true);
    expect(view.holderOf(1)).to.equal(peerOf(3));
    view.onBeat(beat(peerOf(4), {}, "leaving"), 0);
    expect(view.onBeat(beat(B, { 1: 10 }, "leaving"), 0).changed).to.equal(true);
    expect(view.holderOf(1)).to.equal(B);
  });
});

describe("Placement: wait times", () => {
  it("placement.2: claims a partition that a peer holds HANDOVER_MS after it became this node's", () => {
    const view = new Placement(A, 1);
    view.onBeat(beat(B, { 0: 7 }, "leaving"), 0);
    const claims = (now: number): number[] => view.decide(new Set(), now).claim;
    expect(claims(1_000)).to.deep.equal([]);
    expect(claims(1_000 + HANDOVER_MS - 1)).to.deep.equal([]);
    expect(claims(1_000 + HANDOVER_MS)).to.deep.equal([0]);
  });

  it("placement.2: the wait begins again after the partition was free, or belonged to another node", () => {
    const view = new Placement(A, 1);
    const claims = (now: number): number[] => view.decide(new Set(), now).claim;
    view.onBeat(beat(B, { 0: 7 }, "leaving"), 0);
    claims(0);
    view.onBeat(beat(B, {}, "leaving"), 1);
    expect(claims(1)).to.deep.equal([0]);
    view.onBeat(beat(B, { 0: 8 }, "leaving"), 2);
    expect(claims(HANDOVER_MS)).to.deep.equal([]);
    view.claimsNothing = true;
    claims(HANDOVER_MS + 1);
    view.claimsNothing = false;
    expect(claims(2 * HANDOVER_MS)).to.deep.equal([]);
    expect(claims(3 * HANDOVER_MS)).to.deep.equal([0]);
  });

  it("placement.3: drains held partitions that belong to another node, and does not claim held ones again", () => {
    const view = new Placement(A, PARTITIONS);
    expect(view.decide(new Set(ALL), 0)).to.deep.equal({ claim: [], drain: [] });
    expect(view.decide(new Set([3]), 0).claim).to.deep.equal(ALL.filter((p) => p !== 3));
    const before = view.revision;
    view.claimsNothing = false; // As before.
    expect(view.revision).to.equal(before);
    view.claimsNothing = true;
    expect(view.revision).to.be.above(before);
    expect(view.decide(new Set([3]), 0)).to.deep.equal({ claim: [], drain: [3] });
  });

  it("P19: a returning peer counts as a holder at once, and as live RETURN_MS after its first beat", () => {
    const view = new Placement(A, PARTITIONS);
    view.onBeat(beat(B), 0);
    view.remove(B);
    expect(view.onBeat(beat(B, { 1: 5 }), 1_000)).to.deep.equal({ changed: true, isNew: false });
    expect(view.holderOf(1)).to.equal(B);
    expect(view.onBeat(beat(B, { 1: 5 }), 1_500)).to.deep.equal({ changed: false, isNew: false });
    expect(view.isOver(1, { node: B, epoch: 5 })).to.equal(true);
    view.onBeat(beat(B, { 1: 5 }), 1_000 + RETURN_MS - 1);
    expect(view.isOver(1, { node: B, epoch: 5 })).to.equal(true);
    expect(view.onBeat(beat(B, { 1: 5 }), 1_000 + RETURN_MS)).to.deep.equal({
      changed: true,
      isNew: true,
    });
    expect(view.isOver(1, { node: B, epoch: 5 })).to.equal(false);
  });

  it("P19: remembers the LIVE_PROCESSES_MAX peers that were gone most recently", () => {
    const view = new Placement(A, PARTITIONS);
    for (let n = 0; n <= LIVE_PROCESSES_MAX; n++) view.remove(peerOf(n));
    const isTrusted = (peer: ProcessId): boolean => view.onBeat(beat(peer), 0).isNew;
    expect([0, 1, LIVE_PROCESSES_MAX].map((n) => isTrusted(peerOf(n)))).to.deep.equal([
      true,
      false,
      false,
    ]);
    // A peer that is gone again is the most recent one.
    const again = new Placement(A, PARTITIONS);
    for (let n = 0; n < LIVE_PROCESSES_MAX; n++) again.remove(peerOf(n));
    again.remove(peerOf(0));
    again.remove(B);
    expect([0, 1, 2].map((n) => again.onBeat(beat(peerOf(n)), 0).isNew)).to.deep.equal([
      false,
      true,
      false,
    ]);
  });

  it("P20: a tick is late when it comes more than TICK_LATE_MS after the previous one", () => {
    const view = new Placement(A, PARTITIONS);
    expect(view.onTick(5 * TICK_LATE_MS), "the first tick").to.equal(false);
    expect(view.onTick(6 * TICK_LATE_MS)).to.equal(false);
    expect(view.onTick(7 * TICK_LATE_MS + 1)).to.equal(true);
    expect(view.onTick(7 * TICK_LATE_MS + 2)).to.equal(false);
  });
});

describe("Placement: a silent majority", () => {
  /** Ticks every 100 ms up to `ms`. The peers in `beats` beat every 500 ms. */
  function pass(view: Placement, from: number, ms: number, beats: readonly ProcessId[] = []): void {
    for (let now = from; now <= ms; now += 100) {
      if (now % 500 === 0) for (const id of beats) view.onBeat(beat(id), now);
      view.onTick(now);
    }
  }

  const frozenAt = (view: Placement): boolean[] =>
    [B, C].map((node) => !view.isOver(0, { node, epoch: 1 }));

  it("P18: frozen peers count as silent and live, until they beat again or FREEZE_MS have passed", () => {
    const view = new Placement(A, PARTITIONS);
    for (const peer of [B, C]) view.onBeat(beat(peer), 0);
    expect(view.silentFor(100, 50)).to.deep.equal([]);
    expect(view.silentFor(100, 101)).to.deep.equal([B, C]);
    pass(view, 100, NODE_TIMEOUT_MS);
    expect(view.isFrozen).to.equal(false);
    pass(view, NODE_TIMEOUT_MS + 100, NODE_TIMEOUT_MS + 100);
    expect([view.isFrozen, frozenAt(view)]).to.deep.equal([true, [true, true]]);
    const at = NODE_TIMEOUT_MS + 100;
    expect(view.silentFor(100, at)).to.deep.equal([B, C]);
    expect(view.onBeat(beat(C), at + 100)).to.deep.equal({ changed: true, isNew: true });
    expect(view.silentFor(100, at + 100)).to.deep.equal([B]);
    pass(view, at + 100, at + FREEZE_MS - 100, [C]);
    expect(frozenAt(view)).to.deep.equal([true, true]);
    pass(view, at + FREEZE_MS, at + FREEZE_MS, [C]);
    expect([view.isFrozen, frozenAt(view)]).to.deep.equal([false, [false, true]]);
  });

  it("P19: one silent peer of many is gone, and does not count at once when it returns", () => {
    const view = new Placement(A, PARTITIONS);
    view.onBeat(beat(B, { 1: 5 }), 0);
    pass(view, 0, NODE_TIMEOUT_MS + 500, [C, D, E]);
    expect([view.isFrozen, view.holderOf(1)]).to.deep.equal([false, undefined]);
    expect(view.onBeat(beat(B), NODE_TIMEOUT_MS + 600)).to.deep.equal({
      changed: false,
      isNew: false,
    });
  });

  it("P18: a peer that falls silent while others are frozen is frozen too", () => {
    const view = new Placement(A, PARTITIONS);
    pass(view, 0, 1_000, [B, C, D, E]);
    // B, C and D fall silent together: three of five. E falls silent later, alone.
    pass(view, 1_100, 3_000, [E]);
    pass(view, 3_100, 3_000 + NODE_TIMEOUT_MS + BEAT_MS);
    expect(view.isFrozen).to.equal(true);
    expect(view.isOver(0, { node: E, epoch: 1 })).to.equal(false);
  });
});
