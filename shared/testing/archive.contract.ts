// Archive contract: the behaviour of every ArchiveStore: in memory, simulated, and on a real
// PostgreSQL. The simulation can trust the memory store only because of this suite.

import { expect } from "chai";
import { SNAPSHOT_AHEAD_IDS_MAX, SNAPSHOT_FLOORS_MAX } from "../ports/archive.ts";
import { SNAPSHOT_IDS_MAX, SNAPSHOT_TAIL_EVENTS } from "../ports/archive.ts";
import type { ArchiveEvent, ArchiveStore, Read } from "../ports/archive.ts";
import type { NameStore } from "../ports/names.ts";
import type { RoomListStore } from "../ports/room-lists.ts";
import { encodeEvent } from "../protocol/events.ts";
import type { RoomEvent } from "../protocol/events.ts";
import { messageTime } from "../protocol/ids.ts";
import type { MessageId, Millis, RoomId, Seq, UserId } from "../protocol/ids.ts";
import { ID_SLACK_MS, RANGE_BYTES_MAX, RANGE_EVENTS_MAX } from "../protocol/limits.ts";

export interface ArchiveUnderTest extends AsyncDisposable {
  readonly store: ArchiveStore & RoomListStore & NameStore;
  /** A second client of the same data, as another process would have it. */
  readonly other: ArchiveStore & RoomListStore;
  /** From now on the store refuses events from this sender. */
  refuse(sender: UserId): Promise<void>;
  quarantine(): Promise<readonly { room?: string; seq?: number; line: string; reason: string }[]>;
}

const T0 = 1_795_500_000_000;
const HOUR = 3_600_000;
export const general = "general" as RoomId;
export const dev = "dev" as RoomId;
const ada = "ada" as UserId;
const mallory = "mallory" as UserId;

/** The id of event `n` with time `time`; the same arguments give the same id. */
export function idOf(n: number, time: Millis = T0 + n): MessageId {
  const hex = time.toString(16).padStart(12, "0");
  const tail = n.toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-${tail}` as MessageId;
}

export interface Wanted {
  readonly from?: UserId;
  readonly id?: MessageId;
  readonly text?: string;
}

export function event(room: RoomId, seq: Seq, wanted: Wanted = {}): ArchiveEvent {
  const { from: sender = ada, id = idOf(seq), text = `hello ${seq}` } = wanted;
  const at = T0 + seq;
  const line = encodeEvent({ t: "msg", room, seq, id, from: sender, at, body: { text } });
  return { room, seq, kind: "msg", id, sender, at, line };
}

export function events(room: RoomId, first: Seq, last: Seq, wanted: Wanted = {}): ArchiveEvent[] {
  return Array.from({ length: last - first + 1 }, (_, i) => event(room, first + i, wanted));
}

/** The event as a batch of the archive has it. */
export function archived(event: RoomEvent): ArchiveEvent {
  const { t: kind, room, seq, id, from: sender, at } = event;
  return { room, seq, kind, id, sender, at, line: encodeEvent(event) };
}

export function valueOf<T>(read: Read<T>): T {
  if (read.kind !== "ok") throw new Error(`the archive is ${read.kind}: ${read.reason}`);
  return read.value;
}

export function linesOf(list: readonly ArchiveEvent[]): string[] {
  return list.map((item) => item.line);
}

export function archiveContract(name: string, open: () => Promise<ArchiveUnderTest>): void {
  describe(`Archive contract: ${name}`, () => {
    describeWrites(open);
    describeRefusals(open);
    describeRanges(open);
    describeSnapshots(open);
    describeLookups(open);
  });
}

function describeWrites(open: () => Promise<ArchiveUnderTest>): void {
  it("D1: a write moves the watermark and its epoch, and stores the events", async () => {
    await using archive = await open();
    const { store } = archive;
    expect(valueOf(await store.watermark(3))).to.deep.equal({ seq: 0, epoch: 0 });
    const list = events(general, 1, 3);
    const batch = { p: 3, from: 0, to: 2, epoch: 1, events: list };
    expect(await store.write(batch)).to.deep.equal({ kind: "ok", quarantined: 0 });
    expect(valueOf(await store.watermark(3))).to.deep.equal({ seq: 2, epoch: 1 });
    const range = valueOf(await store.range(general, 1, 10));
    expect(range).to.deep.equal({ first: 1, head: 3, lines: linesOf(list) });
  });

  it("archive.1: stores nothing of a batch that does not continue the watermark", async () => {
    await using archive = await open();
    const { store } = archive;
    await store.write({ p: 3, from: 0, to: 5, epoch: 1, events: events(general, 1, 1) });
    for (const from of [0, 4, 6]) {
      const batch = { p: 3, from, to: 9, epoch: 9, events: events(general, 2, 2) };
      expect(await store.write(batch)).to.deep.equal({ kind: "moved" });
    }
    expect(valueOf(await store.watermark(3))).to.deep.equal({ seq: 5, epoch: 1 });
    expect(valueOf(await store.range(general, 1, 9)).lines).to.have.length(1);
  });

  it("archive.1: a batch without events also moves the watermark", async () => {
    await using archive = await open();
    const { store } = archive;
    const batch = { p: 0, from: 0, to: 1, epoch: 1, events: [] };
    expect((await store.write(batch)).kind).to.equal("ok");
    expect(valueOf(await store.watermark(0))).to.deep.equal({ seq: 1, epoch: 1 });
    expect(valueOf(await store.watermark(1))).to.deep.equal({ seq: 0, epoch: 0 });
  });

  it("archive.5: a released watermark is settled, until a claim behind it asked for the watermark", async () => {
    await using archive = await open();
    const { store, other } = archive;
    const isSettled = async (): Promise<boolean> =>
      valueOf(await other.watermark(3)).isSettled === true;
    expect(await isSettled()).to.equal(false); // Nothing is known of a log that was never archived.
    await store.write({ p: 3, from: 0, to: 4, epoch: 1, events: [], isReleased: true });
    expect(await isSettled()).to.equal(true);
    // A claim of the old tenure.
    expect(valueOf(await store.watermark(3, 1))).to.deep.include({ seq: 4 });
    await store.watermark(3, 0);
    expect(await isSettled()).to.equal(true);
    expect(valueOf(await store.watermark(3, 5)).isSettled).to.not.equal(true);
    expect(await isSettled()).to.equal(false);
    await store.write({ p: 3, from: 4, to: 6, epoch: 5, events: [] });
    expect(await isSettled()).to.equal(false);
    await store.write({ p: 3, from: 6, to: 7, epoch: 5, events: [], isReleased: true });
    expect(await isSettled()).to.equal(true);
    await store.watermark(3, "unknown");
    expect(await isSettled()).to.equal(false);
  });

  it("archive.5: remembers a claim that asked before anything was archived", async () => {
    await using archive = await open();
    const { store, other } = archive;
    expect(valueOf(await store.watermark(3, 2))).to.deep.equal({ seq: 0, epoch: 0 });
    // The previous tenure's release is archived only now, and another tenure has begun.
    await store.write({ p: 3, from: 0, to: 1, epoch: 0, events: [], isReleased: true });
    expect(valueOf(await other.watermark(3)).isSettled).to.not.equal(true);
  });

  it("archive.6: a split stores its number and begins the upper half, whatever asked for it before", async () => {
    await using archive = await open();
    const { store, other } = archive;
    expect(valueOf(await store.watermark(5, 0))).to.deep.equal({ seq: 0, epoch: 0 });
    const line = { p: 1, epoch: 0, events: events(general, 1, 3), isReleased: true } as const;
    const batch = { ...line, from: 0, to: 3, splits: [4, 8] };
    expect((await store.write(batch)).kind).to.equal("ok");
    expect((await other.write(batch)).kind).to.equal("moved");
    expect(valueOf(await other.watermark(1))).to.deep.include({ seq: 3, of: 8 });
    const begun = { seq: 1, epoch: 0, isSettled: true };
    expect(valueOf(await other.watermark(3))).to.deep.equal(begun);
    expect(valueOf(await other.watermark(5))).to.deep.equal(begun);
    expect(valueOf(await store.watermark(5, 2))).to.deep.equal({ seq: 1, epoch: 0 });
    // The upper half has entries when the split is archived again.
    await store.write({ p: 5, from: 1, to: 9, epoch: 2, events: [] });
    await store.write({ p: 1, from: 3, to: 4, epoch: 0, events: [], splits: [8] });
    expect(valueOf(await other.watermark(5))).to.deep.equal({ seq: 9, epoch: 2 });
    await store.write({ p: 1, from: 4, to: 5, epoch: 0, events: [] });
    expect(valueOf(await other.watermark(1))).to.deep.include({ seq: 5, of: 8 });
  });

  it('D2: of two runners that write the same batch at once, one stores it and the other gets "moved"', async () => {
    await using archive = await open();
    const batch = { p: 3, from: 0, to: 2, epoch: 1, events: events(general, 1, 50) };
    const [first, second] = await Promise.all([
      archive.store.write(batch),
      archive.other.write(batch),
    ]);
    expect([first.kind, second.kind].sort()).to.deep.equal(["moved", "ok"]);
    const range = valueOf(await archive.other.range(general, 1, 60));
    expect(range.lines).to.deep.equal(linesOf(batch.events));
  });

  it("D3: writing the same events in another batch changes nothing", async () => {
    await using archive = await open();
    const { store } = archive;
    const list = events(general, 1, 4);
    await store.write({ p: 3, from: 0, to: 2, epoch: 1, events: list });
    const before = valueOf(await store.snapshot(3, general, 0));
    const again = [...list, ...events(general, 5, 6)];
    const outcome = await store.write({ p: 3, from: 2, to: 7, epoch: 1, events: again });
    expect(outcome).to.deep.equal({ kind: "ok", quarantined: 0 });
    const after = valueOf(await store.snapshot(3, general, 0));
    expect(after.tail.slice(0, 4)).to.deep.equal(before.tail);
    expect(after.ids.map(([, , seq]) => seq)).to.deep.equal([1, 2, 3, 4, 5, 6]);
    expect(await archive.quarantine()).to.deep.equal([]);
  });
}

function describeRefusals(open: () => Promise<ArchiveUnderTest>): void {
  it("D4: puts a refused event into quarantine with the reason, and stores the rest", async () => {
    await using archive = await open();
    await archive.refuse(mallory);
    const list = events(general, 1, 100);
    list[36] = event(general, 37, { from: mallory });
    const outcome = await archive.store.write({ p: 3, from: 0, to: 8, epoch: 1, events: list });
    expect(outcome).to.deep.equal({ kind: "ok", quarantined: 1 });
    expect(valueOf(await archive.store.watermark(3)).seq).to.equal(8);
    const [row, ...more] = await archive.quarantine();
    expect(more).to.deep.equal([]);
    expect(row).to.include({ room: "general", seq: 37, line: list[36].line });
    expect(row?.reason).to.be.a("string").and.not.equal("");
  });

  it("archive.4: a quarantined number stays taken: head, range, tail and look-up include it", async () => {
    await using archive = await open();
    const { store } = archive;
    await archive.refuse(mallory);
    const bad = event(general, 3, { from: mallory });
    const list = [...events(general, 1, 2), bad];
    await store.write({ p: 3, from: 0, to: 2, epoch: 1, events: list });
    const snapshot = valueOf(await store.snapshot(3, general, 0));
    expect(snapshot.head).to.equal(3);
    expect(snapshot.tail).to.deep.equal(linesOf(list));
    expect(snapshot.ids).to.deep.include([bad.id, mallory, 3, bad.at]);
    expect(valueOf(await store.range(general, 3, 9))).to.deep.equal({
      first: 3,
      head: 3,
      lines: [bad.line],
    });
    const { found } = valueOf(await store.lookup(3, general, mallory, bad.id));
    expect(found).to.deep.equal({ seq: 3, at: bad.at });
  });

  it("archive.4: quarantines text that cannot be stored; it is neither altered nor fatal", async () => {
    await using archive = await open();
    const hostile = ["nul\u0000", "lone \ud800"].map((from, i) =>
      event(general, 2 + i, { from: from as UserId }),
    );
    const list = [event(general, 1), ...hostile, event(general, 4)];
    const outcome = await archive.store.write({ p: 3, from: 0, to: 2, epoch: 1, events: list });
    expect(outcome).to.deep.equal({ kind: "ok", quarantined: 2 });
    expect(valueOf(await archive.store.range(general, 1, 1)).lines).to.have.length(1);
    expect(valueOf(await archive.store.range(general, 4, 4)).lines).to.have.length(1);
  });

  it("O3: refuses another event at a taken number, and an id at another number, with a reason", async () => {
    await using archive = await open();
    const { store } = archive;
    const list = events(general, 1, 3);
    await store.write({ p: 3, from: 0, to: 2, epoch: 1, events: list });
    const impostor = event(general, 2, { id: idOf(99), text: "not what was shown" });
    const twice = event(general, 4, { id: idOf(1) });
    const batch = { p: 3, from: 2, to: 3, epoch: 1, events: [impostor, twice] };
    expect(await store.write(batch)).to.deep.equal({ kind: "ok", quarantined: 2 });
    expect(valueOf(await store.range(general, 1, 3)).lines).to.deep.equal(linesOf(list));
    const kept = await archive.quarantine();
    expect(kept.map((row) => row.line).sort()).to.deep.equal(linesOf([impostor, twice]).sort());
  });

  it("archive.4: keeps undecodable text whole, and its numbers stay taken", async () => {
    await using archive = await open();
    const { store } = archive;
    const unread = [
      { entry: 2, text: '{"v":9}\nfoo\u0000', reason: "version 9 is not known" },
      { entry: 2, place: { room: dev, seq: 7 }, text: event(dev, 7).line, reason: "version 9" },
    ];
    const batch = { p: 3, from: 0, to: 2, epoch: 1, events: events(general, 1, 1), unread };
    expect(await store.write(batch)).to.deep.equal({ kind: "ok", quarantined: 2 });
    expect(valueOf(await store.snapshot(3, dev, 0))).to.include({ head: 7, born: "" });
    expect(valueOf(await store.range(dev, 7, 7)).lines).to.deep.equal([event(dev, 7).line]);
    expect((await archive.quarantine()).map((row) => row.reason)).to.deep.equal([
      "version 9 is not known",
      "version 9",
    ]);
  });
}

function describeRanges(open: () => Promise<ArchiveUnderTest>): void {
  it("O12: a range is ascending, without gaps, and ends at the head", async () => {
    await using archive = await open();
    const { store } = archive;
    const list = events(general, 1, 20);
    await store.write({ p: 3, from: 0, to: 2, epoch: 1, events: list });
    const middle = valueOf(await store.range(general, 5, 8));
    expect(middle).to.deep.equal({ first: 5, head: 20, lines: linesOf(list.slice(4, 8)) });
    const beyond = valueOf(await store.range(general, 19, 40));
    expect(beyond.lines).to.deep.equal(linesOf(list.slice(18)));
    expect(valueOf(await store.range(general, 21, 40)).lines).to.deep.equal([]);
    expect(valueOf(await store.range(dev, 1, 9))).to.deep.equal({ first: 1, head: 0, lines: [] });
  });

  it("O12: a range is bounded in events and in bytes, counted from its beginning", async () => {
    await using archive = await open();
    const { store } = archive;
    const many = events(general, 1, RANGE_EVENTS_MAX + 5, { text: "x" });
    await store.write({ p: 3, from: 0, to: 2, epoch: 1, events: many });
    const counted = valueOf(await store.range(general, 2, 5_000));
    expect(counted.lines).to.deep.equal(linesOf(many.slice(1, RANGE_EVENTS_MAX + 1)));
    const large = events(dev, 1, 40, { text: "y".repeat(15_000) });
    await store.write({ p: 3, from: 2, to: 3, epoch: 1, events: large });
    const { lines } = valueOf(await store.range(dev, 1, 40));
    expect(lines).to.deep.equal(linesOf(large.slice(0, lines.length)));
    expect(lines.join("").length).to.be.within(RANGE_BYTES_MAX - 16_000, RANGE_BYTES_MAX);
  });

  it("F7: returns the written bytes unchanged", async () => {
    await using archive = await open();
    const text = 'quotes " and \\ and {braces}, NULL, \t, é, 漢字, 👍🏽, \u2028, \ufeff';
    const odd = event(general, 1, { from: 'o"\\{},NULL 👍' as UserId, text });
    await archive.store.write({ p: 3, from: 0, to: 2, epoch: 1, events: [odd] });
    expect(valueOf(await archive.store.range(general, 1, 1)).lines).to.deep.equal([odd.line]);
    const { ids } = valueOf(await archive.store.snapshot(3, general, 0));
    expect(ids).to.deep.equal([[odd.id, odd.sender, 1, odd.at]]);
  });
}

function describeSnapshots(open: () => Promise<ArchiveUnderTest>): void {
  it("P25: a snapshot carries the watermark at which it was read", async () => {
    await using archive = await open();
    const { store } = archive;
    const none = { room: general, head: 0, born: "", floor: 0, ids: [], tail: [], lastAt: 0 };
    expect(valueOf(await store.snapshot(3, general, T0))).to.deep.equal({ ...none, watermark: 0 });
    await store.write({ p: 3, from: 0, to: 4, epoch: 1, events: events(dev, 1, 2) });
    expect(valueOf(await store.snapshot(3, general, T0))).to.deep.equal({ ...none, watermark: 4 });
    const seen = valueOf(await store.snapshot(3, dev, T0));
    expect(seen).to.include({ watermark: 4, head: 2, born: idOf(1), lastAt: T0 + 2 });
  });

  it("P12: a snapshot ends at the head, with the newest lines and the ids since a time", async () => {
    await using archive = await open();
    const { store } = archive;
    const list = events(general, 1, SNAPSHOT_TAIL_EVENTS + 30);
    await store.write({ p: 3, from: 0, to: 2, epoch: 1, events: list.slice(0, 40) });
    await store.write({ p: 3, from: 2, to: 3, epoch: 1, events: list.slice(40) });
    const snapshot = valueOf(await store.snapshot(3, general, T0 + 70));
    expect(snapshot.head).to.equal(list.length);
    expect(snapshot.born).to.equal(idOf(1));
    expect(snapshot.tail).to.deep.equal(linesOf(list.slice(-SNAPSHOT_TAIL_EVENTS)));
    expect(snapshot.floor).to.equal(T0 + 70);
    expect(snapshot.ids.map(([, , seq]) => seq)).to.deep.equal([
      70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80,
    ]);
  });

  it("P13: when not all ids fit, the floor is a time from which on all ids are present", async () => {
    await using archive = await open();
    const { store } = archive;
    // Three ids in each millisecond, so that a cut by number would fall within one.
    const list = Array.from({ length: SNAPSHOT_IDS_MAX + 2 }, (_, i) =>
      event(general, i + 1, { id: idOf(i, T0 + Math.floor(i / 3)) }),
    );
    await store.write({ p: 3, from: 0, to: 2, epoch: 1, events: list });
    const { ids, floor } = valueOf(await store.snapshot(3, general, T0));
    expect(ids.length).to.be.within(SNAPSHOT_IDS_MAX - 3, SNAPSHOT_IDS_MAX);
    expect(ids.map(([id]) => id)).to.deep.equal(
      list.map((item) => item.id).filter((id) => messageTime(id) >= floor),
    );
    expect(floor).to.equal(T0 + 1);
  });

  it("P24: a snapshot holds ids from the future, and they do not displace present ids", async () => {
    await using archive = await open();
    const { store } = archive;
    const day = T0 + 23 * HOUR;
    const list = events(general, 1, 5);
    list[1] = event(general, 2, { from: mallory, id: idOf(2, day) });
    await store.write({ p: 3, from: 0, to: 2, epoch: 1, events: list });
    const { ids, floor, floors } = valueOf(await store.snapshot(3, general, T0));
    expect(ids.map(([, , seq]) => seq)).to.have.members([1, 2, 3, 4, 5]);
    expect(floor).to.equal(T0);
    expect(floors).to.equal(undefined);
  });

  it("P24: more ids from the future than fit raise the floors of their senders only", async () => {
    await using archive = await open();
    const { store } = archive;
    const day = T0 + 23 * HOUR;
    const list = Array.from({ length: SNAPSHOT_AHEAD_IDS_MAX + 1 }, (_, i) =>
      event(general, i + 1, { from: mallory, id: idOf(i, day + i) }),
    );
    list.push(...events(general, list.length + 1, list.length + 3));
    await store.write({ p: 3, from: 0, to: 2, epoch: 1, events: list });
    const { ids, floor, floors } = valueOf(await store.snapshot(3, general, T0));
    expect(floor).to.equal(T0);
    expect(floors).to.deep.equal([[mallory, day + SNAPSHOT_AHEAD_IDS_MAX + 1]]);
    expect(ids.map(([, sender]) => sender)).to.deep.equal([ada, ada, ada]);
  });

  it("P24: when more senders than fit are ahead, the floor of the rest applies to all", async () => {
    await using archive = await open();
    const { store } = archive;
    const day = T0 + 23 * HOUR;
    const count = SNAPSHOT_FLOORS_MAX + 2;
    const list = Array.from({ length: count }, (_, i) =>
      event(general, i + 1, { from: `user-${i}` as UserId, id: idOf(i, day + i) }),
    );
    await store.write({ p: 3, from: 0, to: 2, epoch: 1, events: list });
    const { floor, floors = [] } = valueOf(await store.snapshot(3, general, T0));
    expect(floors).to.have.length(SNAPSHOT_FLOORS_MAX);
    expect(floors[0]).to.deep.equal([`user-${count - 1}`, day + count]);
    expect(floor).to.equal(day + 2);
  });

  it("P13: in a room without messages since the requested time, the floor is behind its last message", async () => {
    await using archive = await open();
    const { store } = archive;
    await store.write({ p: 3, from: 0, to: 2, epoch: 1, events: events(general, 1, 5) });
    const { ids, floor } = valueOf(await store.snapshot(3, general, T0 + HOUR));
    expect(ids).to.deep.equal([]);
    expect(floor).to.equal(T0 + 5 + ID_SLACK_MS + 1);
  });
}

function describeLookups(open: () => Promise<ArchiveUnderTest>): void {
  it("O5: a look-up finds the number of an id of the same sender in the same room, and no other", async () => {
    await using archive = await open();
    const { store } = archive;
    const bob = "bob" as UserId;
    const shared = idOf(7);
    const batchEvents = [
      event(general, 1, { id: shared }),
      event(general, 2, { id: shared, from: bob }),
      event(dev, 1, { id: shared }),
    ];
    await store.write({ p: 3, from: 0, to: 6, epoch: 1, events: batchEvents });
    const found = async (room: RoomId, sender: UserId, id: MessageId): Promise<unknown> => {
      const read = valueOf(await store.lookup(3, room, sender, id));
      expect(read.watermark).to.equal(6);
      return read.found;
    };
    expect(await found(general, ada, shared)).to.deep.equal({ seq: 1, at: T0 + 1 });
    expect(await found(general, bob, shared)).to.deep.equal({ seq: 2, at: T0 + 2 });
    expect(await found(dev, ada, shared)).to.deep.equal({ seq: 1, at: T0 + 1 });
    expect(await found(dev, bob, shared)).to.equal(undefined);
    expect(await found(general, ada, idOf(8))).to.equal(undefined);
  });
}
