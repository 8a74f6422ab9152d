// Room table alone: who waits, what is loaded for whom, and when a room goes.

import { expect } from "chai";
import type { Command, SendCommand } from "#shared/protocol/commands.ts";
import type { ProcessId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { ReplayedRoom } from "../core/replayed-room.ts";
import { LOADS_MAX, LOADS_PER_ASKER_MAX } from "../core/room-loads.ts";
import { IDLE_MS, RoomMemory } from "../core/room-memory.ts";
import { RoomTable, UNLOADED_MS } from "../core/room-table.ts";
import { Room, WAITING_MAX } from "../core/room.ts";
import type { Arrival } from "../core/room.ts";
import { ADA, DEV, emptySnapshot, GENERAL, GW, linesOf, send, T0 } from "./partition-fixture.ts";

const EVE = "eve" as UserId;
const GW2 = "gw-2" as ProcessId;
const ROOM_BYTES = 1_280;
const ARRIVAL_BYTES = 768;
/** Rooms per housekeeping. */
const SLICE = 512;
const roomId = (n: number): RoomId => `room-${n}` as RoomId;
const userOf = (n: number): UserId => `user-${n}` as UserId;

class Story {
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

  wait(room: Room, command: Command, gateway = GW): boolean {
    return this.table.wait(room, { gateway, command, cameAt: this.now });
  }

  head(room = GENERAL): Command {
    return { c: ++this.#c, op: "head", room };
  }

  starts(mark = 0): RoomId[] {
    return this.table.startLoads(this.now, mark);
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
  it("P9: WAITING_MAX commands wait, then leaves alone, and sends behind their sender's to be refused", () => {
    const story = new Story();
    const room = story.open();
    const mine = sendOf();
    story.wait(room, mine);
    for (let n = 1; n < WAITING_MAX; n++) expect(story.wait(room, story.head())).to.equal(true);
    expect(room.waiting).to.have.length(WAITING_MAX);
    expect(story.wait(room, story.head())).to.equal(false);
    expect(story.wait(room, { c: 1, op: "join", room: GENERAL, user: ADA })).to.equal(false);
    expect(story.wait(room, sendOf({ from: EVE }))).to.equal(false);
    expect(room.waiting).to.have.length(WAITING_MAX);
    const leave = { c: 2, op: "leave", room: GENERAL, user: EVE } as const;
    expect(story.wait(room, leave)).to.equal(true);
    const behind = sendOf();
    expect(story.wait(room, behind)).to.equal(true);
    expect(room.waiting.slice(WAITING_MAX)).to.deep.equal([
      { gateway: GW, command: leave, cameAt: T0 },
      { gateway: GW, command: { ...behind, body: {} }, cameAt: T0, isRefused: true },
    ]);
  });

  it("P23: what waits is counted, and given back when it is taken", () => {
    const story = new Story();
    const room = story.open();
    const mine = sendOf({ body: { text: "x".repeat(1_000) } });
    story.wait(room, mine);
    expect(story.waiting).to.equal(costOf(mine));
    story.wait(room, story.head());
    expect(story.waiting).to.equal(costOf(mine) + ARRIVAL_BYTES);
    expect(story.table.takeWaiting(room)?.command).to.deep.equal(mine);
    expect(story.waiting).to.equal(ARRIVAL_BYTES);
    story.table.takeWaiting(room);
    expect(story.table.takeWaiting(room)).to.equal(undefined);
    expect(story.waiting).to.equal(0);
  });

  it("P9: a full memory refuses what would wait, but not a leave", () => {
    const story = new Story();
    const room = story.open();
    story.memory.account.bytesMax = 1;
    expect(story.wait(room, story.head())).to.equal(false);
    expect(story.wait(room, { c: 2, op: "leave", room: GENERAL, user: EVE })).to.equal(true);
  });

  it("P8: the commands of one gateway are dropped, and the others keep their order", () => {
    const story = new Story();
    const [general, dev] = [story.open(), story.open(DEV)];
    const [a, b, d] = [story.head(), story.head(), story.head()];
    story.wait(general, a);
    story.wait(general, b, GW2);
    story.wait(general, d);
    story.wait(dev, story.head(DEV), GW2);
    story.table.dropWaitingOf(GW2);
    expect(general.waiting.map(({ command }) => command)).to.deep.equal([a, d]);
    expect(dev.waiting).to.deep.equal([]);
    expect(story.waiting).to.equal(2 * ARRIVAL_BYTES);
    expect(story.starts(), "nobody wants the other one").to.deep.equal([GENERAL]);
    story.table.dropWaitingOf(GW);
    expect(story.waiting).to.equal(0);
  });

  it("P21: what came before the limit expires, and the room is not loaded when nothing is left", () => {
    const story = new Story();
    const [general, dev] = [story.open(), story.open(DEV)];
    const [a, b, d] = [story.head(), story.head(), story.head(DEV)];
    story.wait(general, a);
    story.wait(dev, d);
    story.now += 1;
    story.wait(general, b);
    const expire = (limit: number): Command[] =>
      story.table.expireWaiting(limit).map(({ command }: Arrival) => command);
    expect(expire(T0)).to.deep.equal([]);
    expect(expire(T0 + 1)).to.deep.equal([a, d]);
    expect(story.waiting).to.equal(ARRIVAL_BYTES);
    expect(story.starts()).to.deep.equal([GENERAL]);
    expect(expire(T0 + 2)).to.deep.equal([b]);
    expect(expire(T0 + 2)).to.deep.equal([]);
  });
});

describe("Room table: loading", () => {
  it("room-table.2: a room is loaded while a command waits or a gateway is owed its head; each gateway counts", () => {
    const story = new Story();
    const room = story.open();
    expect(story.starts()).to.deep.equal([]);
    story.table.oweHead(room, GW);
    story.table.oweHead(room, GW2);
    story.table.oweHead(story.open(DEV), GW);
    story.table.dropGateway(GW);
    expect(story.starts(7)).to.deep.equal([GENERAL]);
    expect(room.phase).to.deep.equal({ kind: "loading", mark: 7 });
    story.table.retryLater(room, story.now);
    expect(room.phase).to.deep.equal({ kind: "queued" });
    story.table.dropGateway(GW2);
    story.now += 60_000;
    story.table.housekeep(story.now, story.now);
    expect(story.starts()).to.deep.equal([]);
  });

  it("room-table.2: each gateway that is owed a head counts, also the first one", () => {
    const story = new Story();
    const room = story.open();
    story.table.oweHead(room, GW);
    story.table.oweHead(room, GW2);
    story.table.dropGateway(GW2);
    expect(story.starts()).to.deep.equal([GENERAL]);
    room.load(emptySnapshot(GENERAL, 0));
    story.table.loaded(room);
    story.table.housekeep(T0 + IDLE_MS, T0);
    expect(story.table.get(GENERAL), "it is owed no more").to.equal(undefined);
  });

  it("room-table.2: a room that is being loaded when the last one who wants it goes is left to its answer", () => {
    const story = new Story();
    const room = story.open();
    story.wait(room, story.head());
    story.starts();
    story.table.dropGateway(GW);
    expect(room.phase.kind).to.equal("loading");
    story.wait(room, story.head());
    expect(story.starts(), "not a second time").to.deep.equal([]);
    story.table.dropGateway(GW);
    story.table.retryLater(room, story.now);
    story.now += 10_000;
    story.table.housekeep(story.now, story.now);
    expect(story.starts()).to.deep.equal([]);
  });

  it("room-loads.2: users ask for themselves with sends, joins and leaves, and gateways with all else", () => {
    for (const [command, count] of [
      [(room: RoomId): Command => ({ c: 1, op: "head", room }), LOADS_PER_ASKER_MAX],
      [(room: RoomId): Command => sendOf({ room }), LOADS_PER_ASKER_MAX],
      [(room: RoomId): Command => ({ c: 1, op: "join", room, user: ADA }), LOADS_PER_ASKER_MAX],
      [(room: RoomId, n: number): Command => sendOf({ room, from: userOf(n) }), LOADS_MAX],
      [
        (room: RoomId, n: number): Command => ({ c: 1, op: "join", room, user: userOf(n) }),
        LOADS_MAX,
      ],
      [
        (room: RoomId, n: number): Command => ({ c: 1, op: "leave", room, user: userOf(n) }),
        LOADS_MAX,
      ],
    ] as const) {
      const story = new Story();
      for (let n = 0; n < 2 * LOADS_MAX; n++) {
        story.wait(story.open(roomId(n)), command(roomId(n), n));
      }
      expect(story.starts()).to.have.length(count);
    }
  });

  it("O10: heads are those of replayed rooms, and of loaded rooms with lines that were used since", () => {
    const memory = new RoomMemory(1 << 24);
    const found = new ReplayedRoom(DEV, 7, memory);
    found.add(7, linesOf(DEV, 7, 2).lines, 1);
    const story = new Story([found]);
    const room = story.open();
    const heads = (since: number): unknown[] => [...story.table.headsSince(since)];
    expect([...story.table.replayedHeads()]).to.deep.equal([[DEV, 8]]);
    expect(heads(T0)).to.deep.equal([[DEV, 8]]);
    room.load({ ...emptySnapshot(GENERAL, 0), head: 3 });
    expect(heads(T0)).to.deep.equal([
      [DEV, 8],
      [GENERAL, 3],
    ]);
    expect(heads(T0 + 1)).to.deep.equal([[DEV, 8]]);
    story.ready("empty" as RoomId);
    expect(heads(T0)).to.have.length(2);
  });
});

describe("Room table: what goes", () => {
  it("P12: a loaded room goes after IDLE_MS, one that could not be loaded after UNLOADED_MS", () => {
    for (const [ms, isReady] of [
      [IDLE_MS, true],
      [UNLOADED_MS, false],
    ] as const) {
      const story = new Story();
      if (isReady) story.ready();
      else story.open();
      expect([story.memory.rooms, story.memory.account.usedBy("rooms")]).to.deep.equal([
        1,
        ROOM_BYTES,
      ]);
      story.table.housekeep(T0 + ms - 1, T0);
      expect(story.table.get(GENERAL)).to.not.equal(undefined);
      story.table.housekeep(T0 + ms - 1, T0); // The end of the turn.
      story.table.housekeep(T0 + ms, T0);
      expect(story.table.get(GENERAL)).to.equal(undefined);
      expect([story.memory.rooms, story.memory.account.used]).to.deep.equal([0, 0]);
    }
  });

  it("P12: a room that goes gives back its lines and its ids", () => {
    const story = new Story();
    const room = story.open();
    const { lines } = linesOf(GENERAL, 1, 3);
    const ids = [[sendOf().id, ADA, 3, T0]] as const;
    room.load({ ...emptySnapshot(GENERAL, 0), head: 3, tail: lines, ids });
    story.table.loaded(room);
    expect(story.memory.account.used).to.be.above(ROOM_BYTES + 100);
    story.table.housekeep(T0 + IDLE_MS, T0);
    expect(story.memory.account.used).to.equal(0);
  });

  it("P12: a room with a command that waits, one that is owed and one that is not settled stay", () => {
    const story = new Story();
    const [waits, owed, loading, busy] = [1, 2, 3, 4].map((n) => story.open(roomId(n))) as [
      Room,
      Room,
      Room,
      Room,
    ];
    story.wait(waits, story.head());
    story.table.oweHead(owed, GW);
    loading.phase = { kind: "loading", mark: 0 };
    busy.load(emptySnapshot(roomId(4), 0));
    busy.decide(sendOf(), T0);
    for (let n = 0; n < 4; n++) story.table.housekeep(T0 + 2 * IDLE_MS, T0);
    expect(story.memory.rooms).to.equal(4);
    story.table.takeWaiting(waits);
    story.table.dropGateway(GW);
    for (let n = 0; n < 4; n++) story.table.housekeep(T0 + 2 * IDLE_MS, T0);
    expect([1, 2, 3, 4].map((n) => story.table.get(roomId(n)) === undefined)).to.deep.equal([
      true,
      true,
      false,
      false,
    ]);
  });

  it("P12: one housekeeping looks at 512 rooms, and the next one goes on", () => {
    const story = new Story();
    for (let n = 0; n < SLICE + 88; n++) story.open(roomId(n));
    story.table.housekeep(T0 + UNLOADED_MS, T0);
    expect(story.memory.rooms).to.equal(88);
    story.table.housekeep(T0 + UNLOADED_MS, T0);
    expect(story.memory.rooms).to.equal(0);
  });

  it("P12: a replayed room goes IDLE_MS after the first housekeeping, if it is archived and not open", () => {
    const memory = new RoomMemory(1 << 24);
    const rooms = [1, 2, 3].map((n) => {
      const found = new ReplayedRoom(roomId(n), 1, memory);
      found.add(1, linesOf(roomId(n), 1, 2).lines, n);
      found.onArchived(n === 3 ? 1 : 2);
      return found;
    });
    const story = new Story(rooms);
    story.open(roomId(2));
    const left = (): RoomId[] => [...story.table.replayedHeads()].map(([id]) => id);
    story.table.housekeep(T0, T0);
    story.table.housekeep(T0 + IDLE_MS - 1, T0);
    expect(left()).to.have.length(3);
    const before = memory.account.used;
    story.table.housekeep(T0 + IDLE_MS, T0);
    expect(left()).to.deep.equal([roomId(2), roomId(3)]);
    expect(memory.account.used).to.be.below(before);
    rooms[2]!.onArchived(2);
    for (let n = 0; n < 3; n++) story.table.housekeep(T0 + IDLE_MS, T0);
    expect(left(), "the other one is open").to.not.include(roomId(3));
  });

  it("P12: of replayed rooms it looks at 512 at a time as well", () => {
    const memory = new RoomMemory(1 << 24);
    const rooms = Array.from({ length: SLICE + 88 }, (_, n) => {
      const found = new ReplayedRoom(roomId(n), 1, memory);
      found.add(1, linesOf(roomId(n), 1, 1).lines, 1);
      found.onArchived(1);
      return found;
    });
    const story = new Story(rooms);
    story.table.housekeep(T0, T0);
    story.table.housekeep(T0 + IDLE_MS, T0);
    expect([...story.table.replayedHeads()]).to.have.length(88);
    story.table.housekeep(T0 + IDLE_MS, T0);
    expect(memory.account.used).to.equal(0);
  });

  it("P23: a loaded room takes its replayed part with it, and the end of all gives all back", () => {
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
    table.wait(room, { gateway: GW, command: sendOf(), cameAt: T0 });
    table.clear();
    expect([memory.account.used, memory.rooms]).to.deep.equal([0, 0]);
    expect([table.get(GENERAL), [...table.replayedHeads()].length]).to.deep.equal([undefined, 0]);
  });
});
