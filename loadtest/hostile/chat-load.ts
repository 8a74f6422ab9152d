// ChatLoad: users that send messages at a steady rate, and the latencies of these messages.
//
// Owns: their sockets and latencies. The rate is an open loop: a message is due at its planned
// time, regardless of earlier answers, and its latency counts from that time.

import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import { Histogram } from "../bench/histogram.ts";
import { newId } from "../bench/probe.ts";

export interface ChatLoadOptions {
  readonly url: string;
  readonly tokenOf: (user: string) => string;
  readonly rooms: readonly string[];
  readonly users: number;
  /** Messages a second of all users together. */
  readonly rate: number;
}

export interface Times {
  readonly p50: number;
  readonly p99: number;
  readonly acked: number;
  /** Refusals by name, lost connections and messages without an answer. */
  readonly trouble: ReadonlyMap<string, number>;
}

/** Deadline of the last answers. */
const LAST_MS = 15_000;
const PING_MS = 20_000;

interface User {
  readonly socket: WebSocket;
  readonly room: string;
  readonly due: Map<string, number>;
}

export class ChatLoad {
  readonly #users: User[] = [];
  readonly #trouble = new Map<string, number>();
  #times = new Histogram();

  static async open(options: ChatLoadOptions): Promise<ChatLoad> {
    const chat = new ChatLoad();
    for (let n = 0; n < options.users; n++) {
      const room = options.rooms[n % options.rooms.length] ?? "";
      chat.#users.push(await chat.#connect(options, `user-${n}`, room));
    }
    return chat;
  }

  /** Sends for `seconds`; resolves when all messages are answered. */
  async run(seconds: number, rate: number): Promise<Times> {
    this.#times = new Histogram();
    this.#trouble.clear();
    const began = performance.now();
    for (let n = 0; n < seconds * rate; n++) {
      const due = began + (n * 1_000) / rate;
      const early = due - performance.now();
      if (early > 1) await sleep(early);
      this.#send(n, due);
    }
    const until = performance.now() + LAST_MS;
    while (performance.now() < until && this.#users.some(({ due }) => due.size > 0))
      await sleep(50);
    for (const { due } of this.#users) {
      for (const _ of due) this.#note("no answer");
      due.clear();
    }
    const { count } = this.#times;
    const [p50, p99] = [this.#times.percentile(0.5), this.#times.percentile(0.99)];
    return { p50, p99, acked: count, trouble: new Map(this.#trouble) };
  }

  close(): void {
    for (const { socket } of this.#users) socket.terminate();
  }

  #send(n: number, due: number): void {
    const user = this.#users[n % this.#users.length];
    if (user === undefined) return;
    const id = newId();
    user.due.set(id, due);
    user.socket.send(JSON.stringify({ t: "send", room: user.room, id, body: { text: "hello" } }));
  }

  async #connect({ url, tokenOf }: ChatLoadOptions, name: string, room: string): Promise<User> {
    const socket = new WebSocket(url, "parley.v1", { perMessageDeflate: false });
    const user: User = { socket, room, due: new Map() };
    socket.on("error", () => this.#note("socket failed"));
    socket.on("close", (code) => this.#note(`closed ${code}`));
    await once(socket, "open");
    const alive = setInterval(() => socket.send('{"t":"ping","ref":0}'), PING_MS);
    socket.once("close", () => clearInterval(alive));
    const isIn = new Promise<void>((resolve) => {
      socket.on("message", (data: Buffer) => {
        for (const line of data.toString().split("\n")) {
          const frame = JSON.parse(line) as { t: string; id?: string; name?: string };
          if (frame.t === "caught-up") resolve();
          if (frame.t === "ack") this.#acked(user, frame.id ?? "");
          if (frame.t === "error") {
            this.#note(frame.name ?? "error");
            user.due.delete(frame.id ?? "");
          }
        }
      });
    });
    const hello = { t: "hello", token: tokenOf(name) };
    const join = { t: "join", ref: 1, room, tail: 0 };
    socket.send(`${JSON.stringify(hello)}\n${JSON.stringify(join)}`);
    await isIn;
    return user;
  }

  #acked(user: User, id: string): void {
    const due = user.due.get(id);
    if (due === undefined) return;
    user.due.delete(id);
    this.#times.add(performance.now() - due);
  }

  #note(what: string): void {
    this.#trouble.set(what, (this.#trouble.get(what) ?? 0) + 1);
  }
}
