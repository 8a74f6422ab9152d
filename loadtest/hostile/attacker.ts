// Attacker: one user with a valid token and 20 connections who does everything at once that an audit found to
// hurt others. A process of its own, started by main.ts with what it needs in its arguments' JSON file.
//
//   C1  rejoins a hundred rooms of one partition from the beginning, again and again
//   C2  joins one cold room after the other with many connections at once
//   commands.4  sends ids that are older than any memory, into the others' rooms, too
//   C6  asks for the tails of many rooms
//   C7  joins many rooms on sockets that it does not read
//   C12 sends ids that are 23 hours ahead
//   C16 sends pings of both kinds, refreshes, leaves of rooms it is not in, and frames that are broken
//   C17 goes on sending after it was closed
//   A3  pages without end, by socket and by HTTP, and does not read some of the answers

import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { setPriority } from "node:os";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import { systemRandom } from "#shared/adapters/clock-system.ts";
import { uuidv7 } from "#shared/kit/uuid.ts";

export interface AttackerOptions {
  readonly url: string;
  readonly http: string;
  readonly token: string;
  /** Rooms with a backlog, many of them of one partition. */
  readonly deep: readonly string[];
  /** Where the others chat. */
  readonly others: readonly string[];
}

/** Bytes that one of its sockets may have waiting; a hostile client saves its own memory. */
const WAITING_MAX = 256 * 1024;
const BURST = 500;
const PAUSE_MS = 10;
const HOUR_MS = 3_600_000;

const options = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as AttackerOptions;
const { url, http, token, deep, others } = options;
let colds = 0;

type Act = (socket: WebSocket, n: number) => string | undefined;

const say = (frame: object): string => JSON.stringify(frame);
const pick = (list: readonly string[], n: number): string => list[n % list.length] ?? "";
const send = (room: string, ageMs: number): string =>
  say({ t: "send", room, id: uuidv7(Date.now() - ageMs, systemRandom), body: { text: "x" } });

/** Joins first, then one act after the other for as long as it lives; comes back when it is closed. */
async function session(joins: readonly object[], act: Act, isReading = true): Promise<void> {
  for (;;) {
    const socket = new WebSocket(url, "parley.v1", { perMessageDeflate: false });
    socket.on("error", () => undefined);
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    socket.once("open", () => {
      socket.send(say({ t: "hello", token }));
    });
    await Promise.race([new Promise((resolve) => socket.once("message", resolve)), closed]);
    for (const join of joins) socket.send(say({ t: "join", ref: 1, ...join }), () => undefined);
    if (!isReading) socket.pause();
    for (let n = 0; socket.readyState === WebSocket.OPEN; n++) {
      if (socket.bufferedAmount > WAITING_MAX) {
        await sleep(PAUSE_MS);
        continue;
      }
      const text = act(socket, n);
      if (text !== undefined) socket.send(text, () => undefined);
      if (text === undefined || n % BURST === 0) await sleep(PAUSE_MS);
    }
    await Promise.race([closed, sleep(5_000)]);
    socket.terminate();
    await sleep(200);
  }
}

/** C17: closed for a binary frame, and then a flood. */
async function afterClose(): Promise<void> {
  const masked = (opcode: number, payload: string): Buffer =>
    Buffer.concat([
      Buffer.of(0x80 | opcode),
      length(payload.length),
      Buffer.alloc(4),
      Buffer.from(payload),
    ]);
  const ping = masked(1, '{"t":"ping","ref":1}');
  const pings = Buffer.concat(Array.from({ length: 2_000 }, () => ping));
  const { hostname, port } = new URL(url);
  for (;;) {
    const socket = connect(Number(port), hostname);
    socket.on("error", () => undefined).resume();
    socket.write(
      `GET /v1/ws HTTP/1.1\r\nHost: ${hostname}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: parley.v1\r\n" +
        `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}\r\n\r\n`,
    );
    await sleep(100);
    socket.write(masked(1, say({ t: "hello", token })));
    await sleep(200);
    socket.write(masked(2, "{}"));
    while (!socket.destroyed) {
      if (socket.writableLength < WAITING_MAX) socket.write(pings);
      await sleep(1);
    }
    await sleep(200);
  }
}

function length(bytes: number): Buffer {
  return bytes < 126 ? Buffer.of(0x80 | bytes) : Buffer.of(0x80 | 126, bytes >> 8, bytes & 0xff);
}

/** A3 by HTTP: every second request is not read. */
async function pages(n: number): Promise<void> {
  for (let at = n; ; at++) {
    const path = `${http}/v1/rooms/${pick(deep, at)}/messages?limit=200`;
    const answer = await fetch(path, { headers: { authorization: `Bearer ${token}` } }).catch(
      () => undefined,
    );
    if (at % 2 === 0) await answer?.text().catch(() => undefined);
    await sleep(PAUSE_MS);
  }
}

process.once("disconnect", () => process.exit());
setPriority(19); // It stands for a machine of its own, and must not take the processor from the measured one.
const all = deep.map((room) => ({ room, after: 0 }));
const talk = others.map((room) => ({ room, tail: 0 }));
const repeat =
  (text: (n: number) => string): Act =>
  (_socket, n) =>
    text(n);

const acts: readonly Promise<void>[] = [
  // C1, C6
  session(
    [],
    repeat((n) => say({ t: "join", ref: n, room: pick(deep, n), after: 0 })),
  ),
  session(
    [],
    repeat((n) => say({ t: "join", ref: n, room: pick(deep, n), tail: 200 })),
  ),
  // C2: all of them the same cold room at the same time, more or less.
  ...[1, 2, 3].map((step) =>
    session(
      [],
      repeat(() =>
        say({ t: "join", ref: 1, room: `cold-${Math.floor(colds++ / 3)}`, tail: 200 - step }),
      ),
    ),
  ),
  // commands.4, C12
  session(
    talk,
    repeat((n) => send(pick(others, n), 2 * HOUR_MS + n)),
  ),
  session(
    talk,
    repeat((n) => send(pick(others, n), -23 * HOUR_MS)),
  ),
  // C7
  ...[1, 2, 3, 4].map(() => session(all, () => undefined, false)),
  // C16
  session(
    [],
    repeat((n) => say({ t: "ping", ref: n })),
  ),
  session(
    [],
    repeat((n) => say({ t: "refresh", ref: n, token })),
  ),
  session(
    [],
    repeat((n) => say({ t: "refresh", ref: n, token: `${token.slice(0, -4)}AAAA` })),
  ),
  session(
    [],
    repeat((n) => say({ t: "leave", ref: n, room: "never-joined" })),
  ),
  session(
    [],
    repeat(() => "{broken"),
  ),
  session([], (socket) => {
    socket.ping("x", undefined, () => undefined);
    return '{"t":"ping","ref":1}\n'.repeat(2_000);
  }),
  // A3
  ...[1, 2].map((half) =>
    session(
      [],
      repeat((n) => say({ t: "history", ref: n, room: pick(deep, 2 * n + half), limit: 200 })),
      half === 1,
    ),
  ),
  ...[1, 2, 3, 4].map((n) => pages(n * 7)),
  // C17
  afterClose(),
];
await Promise.all(acts);
