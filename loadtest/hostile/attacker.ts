// Attacker: one user with a valid token and 20 connections that repeats all attacks of an audit at
// the same time. A separate process; main.ts starts it with a JSON file of parameters.
//
//   C1  rejoins a hundred rooms of one partition from the beginning, repeatedly
//   C2  joins one cold room after the other with many connections at once
//   C4  sends ids that are older than the dedupe memory, also to the rooms of the other users
//   C6  requests the tails of many rooms
//   C7  joins many rooms on sockets that it does not read
//   C12 sends ids that are 23 hours ahead
//   C16 sends pings of both kinds, refreshes, leaves of rooms without a join, and malformed frames
//   C17 continues to send after a close
//   A3  requests pages continuously, by socket and by HTTP, and does not read some of the answers

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
  /** Rooms of the other users. */
  readonly others: readonly string[];
}

/** Maximum bytes that wait in one of its sockets, to bound its own memory. */
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

/** Joins, then repeats the attacks until the process exits; reconnects after a close. */
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

/** C17: a binary frame, which closes the connection, and then a flood. */
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

/** A3 by HTTP: does not read every second answer. */
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

// A process without its parent has no task, and its sockets would keep it running.
process.once("disconnect", () => process.exit());
// It represents another machine, so it must not take CPU time from the measured processes.
setPriority(19);
const all = deep.map((room) => ({ room, after: 0 }));
const chat = others.map((room) => ({ room, tail: 0 }));
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
  // C2: all connections join the same cold room at about the same time.
  ...[1, 2, 3].map((step) =>
    session(
      [],
      repeat(() =>
        say({ t: "join", ref: 1, room: `cold-${Math.floor(colds++ / 3)}`, tail: 200 - step }),
      ),
    ),
  ),
  // C4, C12
  session(
    chat,
    repeat((n) => send(pick(others, n), 2 * HOUR_MS + n)),
  ),
  session(
    chat,
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
