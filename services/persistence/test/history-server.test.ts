// HistoryServer: a stop leaves no request without an answer. What it answers is tested in
// settled.test.ts and in the contract of the archive.

import { expect } from "chai";
import { MemoryBroker } from "#shared/adapters/bus-memory.ts";
import { systemClock } from "#shared/adapters/clock-system.ts";
import { MemoryArchive } from "#shared/adapters/archive-memory.ts";
import { openArchiveReader } from "#shared/adapters/archive-over-bus.ts";
import type { Clock } from "#shared/ports/clock.ts";
import type { ArchiveEvent } from "#shared/ports/archive.ts";
import type { Bus } from "#shared/ports/bus.ts";
import type { MessageId, RoomId, UserId } from "#shared/protocol/ids.ts";
import type { ReadPosition } from "#shared/protocol/room-list.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import { openNatsBench } from "#shared/testing/nats-bench.ts";
import { until, within } from "#shared/testing/wait.ts";
import { HistoryServer } from "../adapters/history-server.ts";
import type { HistoryServerPorts } from "../adapters/history-server.ts";

const ROOM = "general" as RoomId;
const ID = "01890a5d-ac96-7b7c-8f5b-0123456789ab" as MessageId;

/** A store whose look-ups wait until the test ends them. */
class SlowStore extends MemoryArchive {
  readonly begun: (() => void)[] = [];

  override async lookup(
    ...args: Parameters<MemoryArchive["lookup"]>
  ): ReturnType<MemoryArchive["lookup"]> {
    await new Promise<void>((resolve) => this.begun.push(resolve));
    return super.lookup(...args);
  }
}

async function serve(
  store: MemoryArchive,
  bus: Bus,
  clock: Pick<Clock, "after"> = systemClock,
): Promise<HistoryServer> {
  const server = new HistoryServer({ bus, store, pages: store, localWatermark, clock });
  server.start(1);
  await bus.flush();
  return server;
}

const localWatermark = (): undefined => undefined;

describe("HistoryServer", () => {
  it("D13: a stop waits for the requests that it works on and answers them", async () => {
    await using bench = await openNatsBench();
    const store = new SlowStore();
    const server = await serve(store, await bench.connect());
    const reader = openArchiveReader(await bench.connect(), systemClock);
    const asked = [1, 2].map((n) => reader.lookup(0, ROOM, `user-${n}` as UserId, ID));
    await until(() => store.begun.length === 2, { withinMs: 5_000, what: "both look-ups" });
    let isStopped = false;
    const stopped = server.stop().then(() => (isStopped = true));
    store.begun[0]!();
    expect((await asked[0]!).kind).to.equal("ok");
    expect(isStopped).to.equal(false);
    store.begun[1]!();
    await stopped;
    expect((await asked[1]!).kind).to.equal("ok");
  });

  it("history-server.4: a stop does not wait longer for a store that hangs", async () => {
    const broker = new MemoryBroker();
    const [clock, store] = [new FakeClock(), new SlowStore()];
    const server = await serve(store, broker.connect(), clock);
    void openArchiveReader(broker.connect(), systemClock).lookup(0, ROOM, "ada" as UserId, ID);
    await until(() => store.begun.length === 1, { withinMs: 5_000, what: "the look-up" });
    const stopped = server.stop();
    await until(() => clock.armed === 1, { withinMs: 5_000, what: "the wait" });
    clock.advance(3_000);
    await within(stopped, { withinMs: 5_000, what: "the end of the stop" });
    store.begun[0]!();
  });

  it("history-server.4: a split that is announced during a stop begins no subscription again", async () => {
    const broker = new MemoryBroker();
    const bus = broker.connect();
    const server = await serve(new MemoryArchive(), bus);
    await server.stop();
    server.start(2);
    await bus.flush();
    for (const p of [0, 1]) {
      const reply = await broker.connect().request(subjects.history(p), "{}", {
        timeoutMs: 100,
      });
      expect(reply.kind, `partition ${p}`).to.equal("no-responders");
    }
  });

  it("U4, U7: room lists, searches and positions are answered over the bus, for any partition", async () => {
    const broker = new MemoryBroker();
    const store = new MemoryArchive();
    const server = await serve(store, broker.connect());
    const ada = "ada" as UserId;
    const line = (t: string, seq: number, more: object): ArchiveEvent => {
      const head = { t, room: ROOM, seq, id: ID, from: ada, at: 5 };
      const keys = { room: ROOM, seq, kind: t, id: ID, sender: ada, at: 5 };
      return { ...keys, line: JSON.stringify({ ...head, ...more }) };
    };
    const events = [
      line("room", 1, { kind: "open", title: "Tea" }),
      line("member", 2, { user: "ada", role: "owner" }),
    ];
    await store.write({ p: 0, from: 0, to: 1, epoch: 1, events });
    const reader = openArchiveReader(broker.connect(), systemClock);
    const reads = [
      [ROOM, ada, 2],
      [ROOM, "ben", 3],
    ] as unknown as ReadPosition[];
    const later = reads.slice(1);
    expect(await reader.putReads(0, reads)).to.deep.equal({ kind: "ok", value: later });
    const counts = { read: 2, unread: 0, mentions: 0 };
    const listed = { room: ROOM, kind: "open", title: "Tea", role: "owner", head: 2, at: 5 };
    expect(await reader.rooms(0, { user: ada, limit: 5 })).to.deep.equal({
      kind: "ok",
      value: { rooms: [{ ...listed, ...counts }] },
    });
    const found = { room: ROOM, title: "Tea", role: "owner", head: 2, at: 5 };
    expect(await reader.findRooms(0, { user: ada, text: "tea", limit: 5 })).to.deep.equal({
      kind: "ok",
      value: { rooms: [found] },
    });
    await server.stop();
    expect((await reader.rooms(0, { user: ada, limit: 5 })).kind).to.equal("unavailable");
  });

  it("WU1, WU2: a request names the event that its reader needs, and a snapshot announces that a room wakes", async () => {
    const broker = new MemoryBroker();
    const store = new MemoryArchive();
    const [asked, woken]: [unknown[], RoomId[]] = [[], []];
    const newest: HistoryServerPorts["newest"] = {
      messages: (room, query) => {
        asked.push(query);
        return store.messages(room, query);
      },
      onWake: (room) => void woken.push(room),
    };
    const ports = { bus: broker.connect(), store, pages: store, newest, localWatermark };
    const server = new HistoryServer({ ...ports, clock: systemClock });
    server.start(1);
    const reader = openArchiveReader(broker.connect(), systemClock);
    await reader.messages(0, ROOM, { limit: 5, atLeast: 7 });
    await reader.messages(0, ROOM, { limit: 5, atLeast: -1 });
    expect(asked).to.have.length(1);
    expect(asked[0]).to.deep.include({ limit: 5, atLeast: 7 });
    expect(woken).to.deep.equal([]);
    await reader.snapshot(0, ROOM, 0);
    expect(woken).to.deep.equal([ROOM]);
    await server.stop();
  });

  it("T12, history-server.5: answers only for the partitions that its region serves", async () => {
    const broker = new MemoryBroker();
    const served = new Set([0]);
    const store = new MemoryArchive();
    const serves = (p: number): boolean => served.has(p);
    const ports = { bus: broker.connect(), store, pages: store, localWatermark };
    const server = new HistoryServer({ ...ports, clock: systemClock, serves });
    server.start(2);
    const reader = openArchiveReader(broker.connect(), systemClock);
    const kinds = async (): Promise<string[]> =>
      Promise.all([0, 1].map(async (p) => (await reader.range(p, ROOM, 1, 1)).kind));
    expect(await kinds()).to.deep.equal(["ok", "unavailable"]);
    served.delete(0);
    served.add(1);
    server.onRightsChanged();
    expect(await kinds()).to.deep.equal(["unavailable", "ok"]);
    await server.stop();
  });

  it("D13: requests that are on their way while a server stops get an answer", async () => {
    await using bench = await openNatsBench();
    const client = await bench.connect();
    const reader = openArchiveReader(client, systemClock);
    await serve(new MemoryArchive(), await bench.connect());
    const reads: ReturnType<typeof reader.lookup>[] = [];
    const lookUp = (n: number): void =>
      void reads.push(reader.lookup(0, ROOM, `user-${n}` as UserId, ID));
    for (let round = 0; round < 10; round++) {
      const bus = await bench.connect();
      const server = await serve(new MemoryArchive(), bus);
      for (let n = 0; n < 50; n++) lookUp(n);
      await client.flush(); // NATS has given them to the servers.
      const stopped = server.stop().then(() => bus.close());
      for (let n = 50; n < 100; n++) lookUp(n);
      await stopped;
    }
    const kinds = (await Promise.all(reads)).map(({ kind }) => kind);
    expect(kinds).to.deep.equal(kinds.map(() => "ok"));
  });
});
