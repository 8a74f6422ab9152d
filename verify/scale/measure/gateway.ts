// Gateway: what a gateway needs for each room that it follows, each line that it receives, and each
// beat of a room node. The real class on a bus without a server; sockets accept every write.

import { systemRandom } from "#shared/adapters/clock-system.ts";
import { encodeBeat } from "#shared/protocol/beat.ts";
import { decodeCommandBatch } from "#shared/protocol/command-batch.ts";
import type { CommandBatch } from "#shared/protocol/commands.ts";
import type { ResultWithLines } from "#shared/protocol/results.ts";
import type { ProcessId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { encodeOut } from "#shared/protocol/lines.ts";
import { encodeResults } from "#shared/protocol/results.ts";
import { readCommands, subjects } from "#shared/protocol/subjects.ts";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import { frameMaker } from "../../../services/gateway/adapters/websocket.ts";
import { Gateway } from "../../../services/gateway/runtime/gateway.ts";
import type { GatewayPorts } from "../../../services/gateway/runtime/gateway.ts";
import { cpuOf } from "./cpu-of.ts";
import { StubBus } from "./stub-bus.ts";

const ID = "gw-1" as ProcessId;
const PARTITIONS = 1_024;
const ROOMS_PER_USER = 100;
const LINES = 4_000;
const BEATS = 2_000;
const BORN = "0199aaaa-bbbb-7ccc-8ddd-eeeeffff0000";
const encoder = new TextEncoder();

export interface GatewayCosts {
  /** Bytes of heap for a room that one local user has joined, the membership included. */
  readonly roomBytes: number;
  /** Microseconds of CPU: a line arrives in a room with one local member, without the write. */
  readonly lineUs: number;
  /** A received beat of a room node with 20 partitions. */
  readonly beatUs: number;
}

/** Needs `--expose-gc`. */
export async function measureGateway(): Promise<GatewayCosts> {
  return { roomBytes: await roomBytes(), lineUs: await line(), beatUs: beat() };
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

interface Bench {
  readonly bus: StubBus;
  readonly clock: FakeClock;
  readonly gateway: Gateway;
}

function open(): Bench {
  const bus = new StubBus();
  const clock = new FakeClock();
  const gateway = new Gateway(
    { id: ID, partitions: PARTITIONS, version: "scale", limits: false },
    {
      bus: bus.port,
      archive: {} as GatewayPorts["archive"], // Rooms are empty: nothing is read.
      clock,
      random: systemRandom,
      auth: {
        verify: (token) =>
          Promise.resolve({
            kind: "ok",
            identity: { user: token as UserId, expiresAt: Infinity, admin: false },
          }),
      },
      frames: frameMaker,
      report: () => undefined,
    },
  );
  gateway.start();
  bus.onPublish = (subject, data) => {
    if (!subject.startsWith("cmd.") || typeof data !== "string") return;
    const batch = decodeCommandBatch(data);
    if (batch !== undefined) clock.soon(() => answer(bus, readCommands(subject).p, batch));
  };
  return { bus, clock, gateway };
}

/** The owner of an empty room admits every join. */
function answer(bus: StubBus, p: number, batch: CommandBatch): void {
  const results: ResultWithLines[] = batch.commands.map((command) => ({
    result:
      command.op === "join"
        ? { c: command.c, ok: "joined", head: 0, born: BORN, here: 1, users: [command.user] }
        : { c: command.c, error: "unavailable" },
  }));
  for (const message of encodeResults(p, 1, results)) {
    bus.deliver(subjects.results(ID), encoder.encode(message));
  }
}

/** A user who joins `rooms` rooms, the first of which has the number `from`. */
async function join({ gateway, clock }: Bench, user: string, from: number, rooms: number) {
  const socket = silentSocket();
  const handlers = gateway.accept(socket);
  socket.ping = () => handlers.onActivity();
  handlers.onText(JSON.stringify({ t: "hello", token: user }));
  await settle(clock);
  for (let i = 0; i < rooms; i++) {
    const room = `room-${from + i}`;
    handlers.onText(JSON.stringify({ t: "join", ref: i + 1, room, tail: 0 }));
  }
  await settle(clock);
}

async function settle(clock: FakeClock): Promise<void> {
  for (let i = 0; i < 20; i++) {
    clock.advance(20);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function roomBytes(): Promise<number> {
  const bench = open();
  const add = async (users: number, from: number): Promise<void> => {
    for (let user = 0; user < users; user++) {
      await join(bench, `user-${from + user}`, (from + user) * ROOMS_PER_USER, ROOMS_PER_USER);
    }
  };
  await add(20, 0);
  const rooms = bench.gateway.gauges.rooms;
  const before = heapBytes();
  await add(200, 20);
  const joined = bench.gateway.gauges.rooms - rooms;
  if (joined !== 200 * ROOMS_PER_USER) throw new Error(`${joined} rooms were joined`);
  return (heapBytes() - before) / joined;
}

async function line(): Promise<number> {
  const bench = open();
  const rooms = 200;
  await join(bench, "ada", 0, rooms);
  let seq = 0;
  const text = JSON.stringify({
    t: "msg",
    room: "room-000",
    seq: 1,
    body: { text: "x".repeat(80) },
  });
  return cpuOf(LINES, () => {
    for (let round = 0; round < LINES / rooms; round++) {
      seq++;
      for (let room = 0; room < rooms; room++) {
        const out = encoder.encode(encodeOut(seq, [text]));
        bench.bus.deliver(subjects.out(`room-${room}` as RoomId), out);
      }
      bench.clock.advance(60); // Every room flushes before its next line.
    }
  });
}

function beat(): number {
  const { bus } = open();
  const nodes = 50;
  const beats = Array.from({ length: nodes }, (_, n) => {
    const owns: { [p: string]: number } = {};
    for (let p = n; p < nodes * 20; p += nodes) owns[p] = 7;
    const of = { id: `room-${n}` as ProcessId, state: "live", version: "scale", owns } as const;
    return encoder.encode(encodeBeat(of));
  });
  return cpuOf(BEATS, () => {
    for (let i = 0; i < BEATS / nodes; i++) {
      for (const one of beats) bus.deliver(subjects.beat("room"), one);
    }
  });
}

/** A client that answers every ping. */
function silentSocket(): Writable<Parameters<Gateway["accept"]>[0]> {
  const nothing = (): void => undefined;
  return {
    address: "127.0.0.1",
    buffered: 0,
    writeText: nothing,
    writeFrame: nothing,
    pause: nothing,
    resume: nothing,
    hold: nothing,
    release: nothing,
    ping: nothing,
    close: nothing,
    terminate: nothing,
  };
}

function heapBytes(): number {
  if (globalThis.gc === undefined) throw new Error("start this program with --expose-gc");
  globalThis.gc();
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}
