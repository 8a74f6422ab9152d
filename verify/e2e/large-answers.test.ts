// Large answers: gateways and a room node on a real NATS server, where the answers of one step of
// an owner do not fit into one NATS message.

import { expect } from "chai";
import { MemoryArchive } from "#shared/adapters/archive-memory.ts";
import { systemClock, systemRandom } from "#shared/adapters/clock-system.ts";
import { MemoryLog } from "#shared/adapters/log-memory.ts";
import { uuidv7 } from "#shared/kit/uuid.ts";
import type { Bus } from "#shared/ports/bus.ts";
import type { ArchiveReader } from "#shared/ports/archive.ts";
import type { RoomListReader } from "#shared/ports/room-lists.ts";
import type { NameReader } from "#shared/ports/names.ts";
import type { SearchReader } from "#shared/ports/search.ts";
import { partitionOf } from "#shared/protocol/ids.ts";
import type { ProcessId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { openNatsBench } from "#shared/testing/nats-bench.ts";
import { until } from "#shared/testing/wait.ts";
import {
  READS_PER_PARTITION_MAX,
  TURNS_PER_SOCKET_MAX,
} from "../../services/gateway/core/bounds.ts";
import { frameMaker } from "../../services/gateway/adapters/websocket.ts";
import { Gateway } from "../../services/gateway/runtime/gateway.ts";
import type { ClientSocket } from "../../services/gateway/runtime/client-socket.ts";
import { RoomNode } from "../../services/room/runtime/room-node.ts";
import { RoomStats } from "../../services/room/runtime/room-stats.ts";

const PARTITIONS = 2;
/** As many as may read one partition at once: all their first reads are one step of the owner. */
const USERS = READS_PER_PARTITION_MAX / TURNS_PER_SOCKET_MAX;
const ROOMS_PER_USER = 13;
const MESSAGES = 5;
/**
 * A large margin: without the split of results, each answer waits for a timeout of 10 s or forever.
 */
const WITHIN_MS = 60_000;

/** The name of a room in partition `p`. */
function roomIn(p: number, n: number): RoomId {
  for (let i = 0; ; i++) {
    const room = `r${n}-${i}` as RoomId;
    if (partitionOf(room, PARTITIONS) === p) return room;
  }
}

interface Client {
  readonly frames: { readonly t: string; readonly [key: string]: unknown }[];
  send(...frames: object[]): void;
}

function connect(gateway: Gateway, user: string): Client {
  const frames: Client["frames"] = [];
  const take = (text: string): void => {
    for (const line of text.split("\n")) frames.push(JSON.parse(line) as Client["frames"][number]);
  };
  const socket: ClientSocket = {
    address: "127.0.0.1",
    buffered: 0,
    writeText: take,
    // A WebSocket frame of the server: two, four or ten bytes, then the text.
    writeFrame: (frame) => take(textOf(frame)),
    hold: () => undefined,
    release: () => undefined,
    ping: () => undefined,
    close: () => undefined,
    terminate: () => undefined,
    pause: () => undefined,
    resume: () => undefined,
  };
  const handlers = gateway.accept(socket);
  const send = (...sent: object[]): void =>
    handlers.onText(sent.map((frame) => JSON.stringify(frame)).join("\n"));
  send({ t: "hello", token: user });
  return { frames, send };
}

function textOf(frame: Uint8Array): string {
  const length = frame[1] ?? 0;
  const header = length === 127 ? 10 : length === 126 ? 4 : 2;
  return new TextDecoder().decode(frame.subarray(header));
}

async function openCluster() {
  const bench = await openNatsBench();
  const store = new MemoryArchive();
  const waiting: (() => void)[] = [];
  const snapshots = { areHeld: false };
  const archive: ArchiveReader & RoomListReader & SearchReader & NameReader = {
    rooms: (_, query) => store.rooms(query),
    findRooms: (_, query) => store.findRooms(query),
    search: (_, query) => store.search(query),
    names: (_, users) => store.names(users),
    putName: (_, said) => store.putName(said),
    putReads: (_, reads) => store.putReads(reads),
    watermark: (p, claim) => store.watermark(p, claim),
    range: (_, room, first, last) => store.range(room, first, last),
    messages: (_, room, query) => store.messages(room, query),
    lookup: (p, room, sender, id) => store.lookup(p, room, sender, id),
    async snapshot(p, room, since) {
      if (snapshots.areHeld) await new Promise<void>((resume) => waiting.push(resume));
      return store.snapshot(p, room, since);
    },
  };
  const faults: unknown[] = [];
  const stats = new RoomStats();
  const roomBus = await bench.connect();
  const reads = holdReads(roomBus);
  const node = new RoomNode(
    { id: "room-1" as ProcessId, partitions: PARTITIONS, version: "test", memoryMax: 2 ** 28 },
    {
      bus: roomBus,
      log: new MemoryLog(),
      archive,
      clock: systemClock,
      report: () => undefined,
      stats,
      fault: (error) => faults.push(error),
    },
  );
  node.start();
  await until(() => node.isSettled, { withinMs: WITHIN_MS, what: "the node to serve" });
  const gateways: Gateway[] = [];
  const open = async (id: string): Promise<Gateway> => {
    const bus = await bench.connect();
    const gateway = new Gateway(
      { id: id as ProcessId, partitions: PARTITIONS, version: "test", limits: false },
      {
        bus,
        archive,
        clock: systemClock,
        random: systemRandom,
        auth: {
          verify: (token) => {
            const user = token as UserId;
            return Promise.resolve({
              kind: "ok",
              identity: { user, expiresAt: Infinity, admin: false },
            });
          },
        },
        frames: frameMaker,
        report: () => undefined,
      },
    );
    gateway.start();
    gateways.push(gateway);
    await bus.flush();
    return gateway;
  };
  return {
    open,
    faults,
    stats,
    roomBus,
    reads,
    holdSnapshots: () => void (snapshots.areHeld = true),
    releaseSnapshots(): void {
      snapshots.areHeld = false;
      for (const resume of waiting.splice(0)) resume();
    },
    async [Symbol.asyncDispose]() {
      node.close();
      await Promise.all(gateways.map((gateway) => gateway.drain()));
      await bench[Symbol.asyncDispose]();
    },
  };
}

interface HeldReads {
  /** From now on the answers to reads of ranges of partition `p` wait, for every gateway. */
  hold(p: number): void;
  /** The number of ranges in the held answers. */
  readonly held: number;
  release(): void;
}

/** Takes over the publishes of an owner's bus, to hold its answers. */
function holdReads(bus: Pick<Bus, "publish">): HeldReads {
  const publish = bus.publish.bind(bus);
  let partition: number | undefined;
  const held: { readonly ranges: number; readonly send: () => void }[] = [];
  bus.publish = (subject, data, reply) => {
    const header = partition === undefined ? "" : String(data).split("\n", 1)[0]!;
    const isRange =
      header.startsWith(`{"v":1,"p":${partition},`) && header.includes('"ok":"range"');
    if (!isRange) return publish(subject, data, reply);
    held.push({
      ranges: header.split('"ok":"range"').length - 1,
      send: () => publish(subject, data, reply),
    });
    return "sent";
  };
  return {
    hold: (p) => void (partition = p),
    get held() {
      return held.reduce((sum, { ranges }) => sum + ranges, 0);
    },
    release(): void {
      partition = undefined;
      for (const { send } of held.splice(0)) send();
    },
  };
}

describe("Answers larger than a message", function () {
  this.timeout(120_000);

  it("ports/bus.7: users who resume 104 rooms of one partition from 0 get every event and delay no other user", async () => {
    await using cluster = await openCluster();
    const [writing, reading] = [await cluster.open("gw-1"), await cluster.open("gw-2")];
    const rooms = Array.from({ length: USERS * ROOMS_PER_USER }, (_, n) => roomIn(0, n));
    const other = roomIn(1, 0);
    const body = { text: "x".repeat(15_500) };
    const user = "ada" as UserId;
    for (const room of [other, ...rooms]) {
      const sends = Array.from({ length: MESSAGES }, () =>
        writing.roomApi.write({
          user,
          frame: { t: "send", room, id: uuidv7(systemClock.now(), systemRandom), body },
        }),
      );
      for (const { kind } of await Promise.all(sends)) expect(kind).to.equal("sent");
    }
    const clients = Array.from({ length: USERS }, (_, n) => connect(reading, `bob-${n}`));
    const isWelcomed = (): boolean => clients.every(({ frames }) => frames.length > 0);
    await until(isWelcomed, { withinMs: WITHIN_MS, what: "the welcomes" });
    cluster.reads.hold(0);
    for (const [n, client] of clients.entries()) {
      const own = rooms.slice(n * ROOMS_PER_USER, (n + 1) * ROOMS_PER_USER);
      client.send(...own.map((room, ref) => ({ t: "join", ref, room, after: 0 })));
    }
    const isHeld = (): boolean => cluster.reads.held >= READS_PER_PARTITION_MAX;
    await until(isHeld, { withinMs: WITHIN_MS, what: "as many reads as possible to wait" });
    // While none of these reads is answered, another user reads a room of the other partition.
    const page = await reading.roomApi.page({
      user: "eve" as UserId,
      room: other,
      limit: MESSAGES,
    });
    expect(page).to.have.property("events").with.length(MESSAGES);
    const count = (): number =>
      clients.flatMap(({ frames }) => frames).filter(({ t }) => t === "msg").length;
    expect(count()).to.equal(0);
    cluster.reads.release();
    const isAll = (): boolean => count() === rooms.length * MESSAGES;
    await until(isAll, { withinMs: WITHIN_MS, what: "every message of every room" });
    expect(cluster.roomBus.counts.tooLarge).to.equal(0);
    expect(cluster.faults).to.deep.equal([]);
  });

  it("ports/bus.7: 190 users with the longest names join one cold room at once, and every join succeeds", async () => {
    await using cluster = await openCluster();
    const gateway = await cluster.open("gw-1");
    const room = roomIn(0, 0);
    const name = (n: number): string => `${n}`.padEnd(66, "ñ").slice(0, 62) + n;
    const clients = Array.from({ length: 190 }, (_, n) => connect(gateway, name(n)));
    const welcomed = (): boolean => clients.every(({ frames }) => frames.length > 0);
    await until(welcomed, { withinMs: WITHIN_MS, what: "every welcome" });
    cluster.holdSnapshots();
    for (const client of clients) client.send({ t: "join", ref: 1, room });
    const haveArrived = (): boolean => cluster.stats.commands >= clients.length;
    await until(haveArrived, { withinMs: WITHIN_MS, what: "every join to wait at the owner" });
    cluster.releaseSnapshots();
    const isJoined = ({ frames }: Client): boolean => frames.some(({ t }) => t === "joined");
    await until(() => clients.every(isJoined), {
      withinMs: WITHIN_MS,
      what: "every join to succeed",
    });
    const refused = clients.flatMap(({ frames }) => frames).filter(({ t }) => t === "error");
    expect(refused).to.deep.equal([]);
    // A4: each client gets all names, whichever answer carried them.
    const lists = clients.map(({ frames }) => frames.find(({ t, all }) => t === "presence" && all));
    expect(lists.map((list) => (list?.["join"] as unknown[] | undefined)?.length)).to.deep.equal(
      clients.map(() => 190),
    );
    expect(cluster.roomBus.counts.tooLarge).to.equal(0);
  });
});
