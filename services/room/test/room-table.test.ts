// Room table, driven alone: which commands wait, which rooms are loaded, and when a room is
// dropped.

import { expect } from "chai";
import type { Query, SendCommand, Write } from "#shared/protocol/commands.ts";
import type { ProcessId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { ReplayedRoom } from "../core/replayed-room.ts";
import { LOADS_MAX, LOADS_PER_REQUESTER_MAX } from "../core/room-loads.ts";
import { IDLE_MS, RoomMemory } from "../core/room-memory.ts";
import { RoomTable, UNLOADED_MS } from "../core/room-table.ts";
import { Room, WAITING_MAX } from "../core/room.ts";
import type { Arrival } from "../core/room.ts";
import { ADA, DEV, emptySnapshot, GENERAL, GW, linesOf, send, T0 } from "./partition-fixture.ts";

const EVE = "eve" as UserId;
const GW2 = "gw-2" as ProcessId;
const ROOM_BYTES = 1_280;
const ARRIVAL_BYTES = 768;
/** Rooms that one housekeeping examines. */
const SLICE = 512;
const roomId = (n: number): RoomId => `room-${n}` as RoomId;
const userOf = (n: number): UserId => `user-${n}` as UserId;

class RoomTableFixture {
  readonly memory = new RoomMemory(1 << 26);
  readonly table: RoomTable;
  now = T0;
  #c = 0;

  constructor(replayed: readonly ReplayedRoom[] = []) {
    this.table = new RoomTable(this.memory, new Map(replayed.map((room) => [room.id, room])));
  }

  open(id = GENERAL): Room {
    return this.table.open(id, this.now);
  }

  ready(id = GENERAL): Room {
    const room = this.open(id);
    room.load(emptySnapshot(id, 0));
    this.table.loaded(room);
    return room;
  }

  wait(room: Room, command: Query | Write, gateway = GW): boolean {
    return this.table.wait(room, { gateway, command, arrivedAt: this.now, ranMs: 0 });
  }

  head(room = GENERAL): Query {
    return { c: ++this.#c, op: "head", room };
  }

  starts(watermark = 0): RoomId[] {
    return this.table.startLoads(this.now, watermark);
  }

  get waiting(): number {
    return this.memory.account.usedBy("waiting");
  }
}

const costOf = (command: SendCommand): number =>
  ARRIVAL_BYTES + 2 * JSON.stringify(command.body).length;
const sendOf = (overrides: Partial<SendCommand> = {}): SendCommand =>
  send(overrides) as SendCommand;

describe("Room table: waiting", () => {
  it("P9: above WAITING_MAX, only leaves wait, and sends behind other sends of their sender, which are then refused", () => {
    const fixture = new RoomTableFixture();
    const room = fixture.open();
    const mine = sendOf();
    fixture.wait(room, mine);
    for (let n = 1; n < WAITING_MAX; n++) expect(fixture.wait(room, fixture.head())).to.equal(true);
    expect(room.waiting).to.have.length(WAITING_MAX);
    expect(fixture.wait(room, fixture.head())).to.equal(false);
    expect(fixture.wait(room, { c: 1, op: "join", room: GENERAL, user: ADA })).to.equal(false);
    expect(fixture.wait(room, sendOf({ from: EVE }))).to.equal(false);
    expect(room.waiting).to.have.length(WAITING_MAX);
    const leave = { c: 2, op: "leave", room: GENERAL, user: EVE } as const;
    expect(fixture.wait(room, leave)).to.equal(true);
    const behind = sendOf();
    expect(fixture.wait(room, behind)).to.equal(true);
    expect(room.waiting.slice(WAITING_MAX)).to.deep.equal([
      { gateway: GW, command: leave, arrivedAt: T0, ranMs: 0 },
      { gateway: GW, command: { ...behind, body: {} }, arrivedAt: T0, ranMs: 0, isRefused: true },
    ]);
  });

  it("P9: above WAITING_MAX, a send over HTTP does not wait behind other commands without an order", () => {
    const fixture = new RoomTableFixture();
    const room = fixture.open();
    const sends = Array.from({ length: WAITING_MAX + 1 }, () => sendOf({ unordered: true }));
    const waits = sends.map((command) => fixture.wait(room, command));
    expect(waits.lastIndexOf(true)).to.equal(WAITING_MAX - 1);
    expect(room.waiting).to.have.length(WAITING_MAX);
  });

  it("P23: counts waiting commands, and gives their memory back when they are taken", () => {
    const fixture = new RoomTableFixture();
    const room = fixture.open();
    const mine = sendOf({ body: { text: "x".repeat(1_000) } });
    fixture.wait(room, mine);
    expect(fixture.waiting).to.equal(costOf(mine));
    fixture.wait(room, fixture.head());
    expect(fixture.waiting).to.equal(costOf(mine) + ARRIVAL_BYTES);
    expect(fixture.table.takeWaiting(room)?.command).to.deep.equal(mine);
    expect(fixture.waiting).to.equal(ARRIVAL_BYTES);
    fixture.table.takeWaiting(room);
    expect(fixture.table.takeWaiting(room)).to.equal(undefined);
    expect(fixture.waiting).to.equal(0);
  });

  it("P9: with full memory refuses commands that would wait, except leaves", () => {
    const fixture = new RoomTableFixture();
    const room = fixture.open();
    fixture.memory.account.bytesMax = 1;
    expect(fixture.wait(room, fixture.head())).to.equal(false);
    expect(fixture.wait(room, { c: 2, op: "leave", room: GENERAL, user: EVE })).to.equal(true);
  });

  it("P8: drops the commands of one gateway and keeps the order of the others", () => {
    const fixture = new RoomTableFixture();
    const [general, dev] = [fixture.open(), fixture.open(DEV)];
    const [a, b, d] = [fixture.head(), fixture.head(), fixture.head()];
    fixture.wait(general, a);
    fixture.wait(general, b, GW2);
    fixture.wait(general, d);
    fixture.wait(dev, fixture.head(DEV), GW2);
    fixture.table.dropWaitingOf(GW2);
    expect(general.waiting.map(({ command }) => command)).to.deep.equal([a, d]);
    expect(dev.waiting).to.deep.equal([]);
    expect(fixture.waiting).to.equal(2 * ARRIVAL_BYTES);
    expect(fixture.starts(), "the other room is not needed").to.deep.equal([GENERAL]);
    fixture.table.dropWaitingOf(GW);
    expect(fixture.waiting).to.equal(0);
  });

  it("P21: commands from before the limit expire, and a room without commands is not loaded", () => {
    const fixture = new RoomTableFixture();
    const [general, dev] = [fixture.open(), fixture.open(DEV)];
    const [a, b, d] = [fixture.head(), fixture.head(), fixture.head(DEV)];
    fixture.wait(general, a);
    fixture.wait(dev, d);
    fixture.now += 1;
    fixture.wait(general, b);
    const expire = (limit: number): Arrival["command"][] =>
      fixture.table.expireWaiting(limit).map(({ command }: Arrival) => command);
    expect(expire(T0)).to.deep.equal([]);
    expect(expire(T0 + 1)).to.deep.equal([a, d]);
    expect(fixture.waiting).to.equal(ARRIVAL_BYTES);
    expect(fixture.starts()).to.deep.equal([GENERAL]);
    expect(expire(T0 + 2)).to.deep.equal([b]);
    expect(expire(T0 + 2)).to.deep.equal([]);
  });
});

describe("Room table: loading", () => {
  it("room-table.2: loads a room while a command or a gateway waits for it, and each gateway counts", () => {
    const fixture = new RoomTableFixture();
    const room = fixture.open();
    expect(fixture.starts()).to.deep.equal([]);
    fixture.table.requestHead(room, GW);
    fixture.table.requestHead(room, GW2);
    fixture.table.requestHead(fixture.open(DEV), GW);
    fixture.table.dropGateway(GW);
    expect(fixture.starts(7)).to.deep.equal([GENERAL]);
    expect(room.phase).to.deep.equal({ kind: "loading", watermark: 7 });
    fixture.table.retryLater(room, fixture.now);
    expect(room.phase).to.deep.equal({ kind: "queued" });
    fixture.table.dropGateway(GW2);
    fixture.now += 60_000;
    fixture.table.housekeep(fixture.now, fixture.now);
    expect(fixture.starts()).to.deep.equal([]);
  });

  it("room-table.2: each gateway that waits for a head counts, the first one too", () => {
    const fixture = new RoomTableFixture();
    const room = fixture.open();
    fixture.table.requestHead(room, GW);
    fixture.table.requestHead(room, GW2);
    fixture.table.dropGateway(GW2);
    expect(fixture.starts()).to.deep.equal([GENERAL]);
    room.load(emptySnapshot(GENERAL, 0));
    fixture.table.loaded(room);
    fixture.table.housekeep(T0 + IDLE_MS, T0);
    expect(fixture.table.get(GENERAL), "no gateway waits").to.equal(undefined);
  });

  it("room-table.2: a load that has begun continues after its last requester is gone", () => {
    const fixture = new RoomTableFixture();
    const room = fixture.open();
    fixture.wait(room, fixture.head());
    fixture.starts();
    fixture.table.dropGateway(GW);
    expect(room.phase.kind).to.equal("loading");
    fixture.wait(room, fixture.head());
    expect(fixture.starts(), "not loaded twice").to.deep.equal([]);
    fixture.table.dropGateway(GW);
    fixture.table.retryLater(room, fixture.now);
    fixture.now += 10_000;
    fixture.table.housekeep(fixture.now, fixture.now);
    expect(fixture.starts()).to.deep.equal([]);
  });

  it("room-loads.2: users request rooms with sends, joins and leaves, and gateways with all other commands", () => {
    for (const [command, count] of [
      [(room: RoomId): Query | Write => ({ c: 1, op: "head", room }), LOADS_PER_REQUESTER_MAX],
      [(room: RoomId): Query | Write => sendOf({ room }), LOADS_PER_REQUESTER_MAX],
      [
        (room: RoomId): Query | Write => ({ c: 1, op: "join", room, user: ADA }),
        LOADS_PER_REQUESTER_MAX,
      ],
      [(room: RoomId, n: number): Query | Write => sendOf({ room, from: userOf(n) }), LOADS_MAX],
      [
        (room: RoomId, n: number): Query | Write => ({ c: 1, op: "join", room, user: userOf(n) }),
        LOADS_MAX,
      ],
      [
        (room: RoomId, n: number): Query | Write => ({ c: 1, op: "leave", room, user: userOf(n) }),
        LOADS_MAX,
      ],
    ] as const) {
      const fixture = new RoomTableFixture();
      for (let n = 0; n < 2 * LOADS_MAX; n++) {
        fixture.wait(fixture.open(roomId(n)), command(roomId(n), n));
      }
      expect(fixture.starts()).to.have.length(count);
    }
  });

  it("O10: returns the heads of replayed rooms, and of loaded rooms with lines that were used since", () => {
    const memory = new RoomMemory(1 << 24);
    const found = new ReplayedRoom(DEV, 7, memory);
    found.add(7, linesOf(DEV, 7, 2).lines, 1);
    const fixture = new RoomTableFixture([found]);
    const room = fixture.open();
    const heads = (since: number): unknown[] => [...fixture.table.headsSince(since)];
    expect([...fixture.table.replayedHeads()]).to.deep.equal([[DEV, 8]]);
    expect(heads(T0)).to.deep.equal([[DEV, 8]]);
    room.load({ ...emptySnapshot(GENERAL, 0), head: 3 });
    expect(heads(T0)).to.deep.equal([
      [DEV, 8],
      [GENERAL, 3],
    ]);
    expect(heads(T0 + 1)).to.deep.equal([[DEV, 8]]);
    fixture.ready("empty" as RoomId);
    expect(heads(T0)).to.have.length(2);
  });
});

describe("Room table: dropping rooms", () => {
  it("P12: drops a loaded room after IDLE_MS, and a room that could not be loaded after UNLOADED_MS", () => {
    for (const [ms, isReady] of [
      [IDLE_MS, true],
      [UNLOADED_MS, false],
    ] as const) {
      const fixture = new RoomTableFixture();
      if (isReady) fixture.ready();
      else fixture.open();
      expect([fixture.memory.rooms, fixture.memory.account.usedBy("rooms")]).to.deep.equal([
        1,
        ROOM_BYTES,
      ]);
      fixture.table.housekeep(T0 + ms - 1, T0);
      expect(fixture.table.get(GENERAL)).to.not.equal(undefined);
      fixture.table.housekeep(T0 + ms - 1, T0); // Ends the pass over the table.
      fixture.table.housekeep(T0 + ms, T0);
      expect(fixture.table.get(GENERAL)).to.equal(undefined);
      expect([fixture.memory.rooms, fixture.memory.account.used]).to.deep.equal([0, 0]);
    }
  });

  it("P12: a dropped room gives back its lines and its ids", () => {
    const fixture = new RoomTableFixture();
    const room = fixture.open();
    const { lines } = linesOf(GENERAL, 1, 3);
    const ids = [[sendOf().id, ADA, 3, T0]] as const;
    room.load({ ...emptySnapshot(GENERAL, 0), head: 3, tail: lines, ids });
    fixture.table.loaded(room);
    expect(fixture.memory.account.used).to.be.above(ROOM_BYTES + 100);
    fixture.table.housekeep(T0 + IDLE_MS, T0);
    expect(fixture.memory.account.used).to.equal(0);
  });

  it("P12: keeps rooms with a waiting command, with a waiting gateway, being loaded, or with unsettled events", () => {
    const fixture = new RoomTableFixture();
    const [waits, needed, loading, busy] = [1, 2, 3, 4].map((n) => fixture.open(roomId(n))) as [
      Room,
      Room,
      Room,
      Room,
    ];
    fixture.wait(waits, fixture.head());
    fixture.table.requestHead(needed, GW);
    loading.phase = { kind: "loading", watermark: 0 };
    busy.load(emptySnapshot(roomId(4), 0));
    busy.decide(sendOf(), T0);
    for (let n = 0; n < 4; n++) fixture.table.housekeep(T0 + 2 * IDLE_MS, T0);
    expect(fixture.memory.rooms).to.equal(4);
    fixture.table.takeWaiting(waits);
    fixture.table.dropGateway(GW);
    for (let n = 0; n < 4; n++) fixture.table.housekeep(T0 + 2 * IDLE_MS, T0);
    expect([1, 2, 3, 4].map((n) => fixture.table.get(roomId(n)) === undefined)).to.deep.equal([
      true,
      true,
      false,
      false,
    ]);
  });

  it("P12: one housekeeping examines 512 rooms, and the next one continues", () => {
    const fixture = new RoomTableFixture();
    for (let n = 0; n < SLICE + 88; n++) fixture.open(roomId(n));
    fixture.table.housekeep(T0 + UNLOADED_MS, T0);
    expect(fixture.memory.rooms).to.equal(88);
    fixture.table.housekeep(T0 + UNLOADED_MS, T0);
    expect(fixture.memory.rooms).to.equal(0);
  });

  it("P12: drops an archived replayed room IDLE_MS after the first housekeeping, unless it is open", () => {
    const memory = new RoomMemory(1 << 24);
    const rooms = [1, 2, 3].map((n) => {
      const found = new ReplayedRoom(roomId(n), 1, memory);
      found.add(1, linesOf(roomId(n), 1, 2).lines, n);
      found.onArchived(n === 3 ? 1 : 2);
      return found;
    });
    const fixture = new RoomTableFixture(rooms);
    fixture.open(roomId(2));
    const left = (): RoomId[] => [...fixture.table.replayedHeads()].map(([id]) => id);
    fixture.table.housekeep(T0, T0);
    fixture.table.housekeep(T0 + IDLE_MS - 1, T0);
    expect(left()).to.have.length(3);
    const before = memory.account.used;
    fixture.table.housekeep(T0 + IDLE_MS, T0);
    expect(left()).to.deep.equal([roomId(2), roomId(3)]);
    expect(memory.account.used).to.be.below(before);
    rooms[2]!.onArchived(2);
    for (let n = 0; n < 3; n++) fixture.table.housekeep(T0 + IDLE_MS, T0);
    expect(left(), "the other one is open").to.not.include(roomId(3));
  });

  it("P12: one housekeeping examines 512 replayed rooms", () => {
    const memory = new RoomMemory(1 << 24);
    const rooms = Array.from({ length: SLICE + 88 }, (_, n) => {
      const found = new ReplayedRoom(roomId(n), 1, memory);
      found.add(1, linesOf(roomId(n), 1, 1).lines, 1);
      found.onArchived(1);
      return found;
    });
    const fixture = new RoomTableFixture(rooms);
    fixture.table.housekeep(T0, T0);
    fixture.table.housekeep(T0 + IDLE_MS, T0);
    expect([...fixture.table.replayedHeads()]).to.have.length(88);
    fixture.table.housekeep(T0 + IDLE_MS, T0);
    expect(memory.account.used).to.equal(0);
  });

  it("P23: a loaded room takes its replayed part over, and `clear` gives all memory back", () => {
    const memory = new RoomMemory(1 << 24);
    const [one, other] = [GENERAL, DEV].map((id) => {
      const found = new ReplayedRoom(id, 1, memory);
      found.add(1, linesOf(id, 1, 2).lines, 1);
      return found;
    }) as [ReplayedRoom, ReplayedRoom];
    const table = new RoomTable(memory, new Map([one, other].map((room) => [room.id, room])));
    expect(table.replayedOf(GENERAL)).to.equal(one);
    const room = table.open(GENERAL, T0);
    room.load(emptySnapshot(GENERAL, 0), one);
    table.loaded(room);
    expect(table.replayedOf(GENERAL)).to.equal(undefined);
    expect([...table.replayedHeads()]).to.deep.equal([[DEV, 2]]);
    table.wait(room, { gateway: GW, command: sendOf(), arrivedAt: T0, ranMs: 0 });
    table.clear();
    expect([memory.account.used, memory.rooms]).to.deep.equal([0, 0]);
    expect([table.get(GENERAL), [...table.replayedHeads()].length]).to.deep.equal([undefined, 0]);
  });
});
