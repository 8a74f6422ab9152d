// Overload user: one client of the overload drill, who writes whatever is due and sends again what was refused.
//
// Owns: its connection, what it holds without an outcome. Does not own: when something is due.
//
//   overload-user.1. A message that is due is written at once, also while earlier ones are refused: a client without an
//        outbox of its own. Only when `heldMax` have no outcome it is not made: such a user has seen that
//        nothing goes on.
//   overload-user.2. What was refused is sent again, with its id, when its refusal asked for it.
//   overload-user.3. Nothing reconnects: a lost connection is a surprise.

import { WebSocket } from "ws";
import { systemClock, systemRandom } from "#shared/adapters/clock-system.ts";
import { parseObject } from "#shared/kit/json.ts";
import type { JsonObject } from "#shared/kit/json.ts";
import { uuidv7 } from "#shared/kit/uuid.ts";
import type { MessageId, RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import type { ClientRecord } from "../checker/record.ts";
import { sumOf } from "../checker/sum.ts";

/** What a refusal of an overloaded server may say. */
const MAY_PASS: ReadonlySet<string> = new Set(["busy", "rate_limited", "unavailable"]);
/** Where a refusal says nothing; the protocol promises that it does. */
const AGAIN_MS = 1_000;
const SUBPROTOCOL = "parley.v1";

export interface Held {
  readonly user: OverloadUser;
  readonly id: MessageId;
  readonly dueAt: number;
  readonly text: string;
  readonly sum: number;
}

export interface UserOptions {
  readonly url: string;
  readonly user: UserId;
  readonly room: RoomId;
  readonly token: string;
  readonly localAddress: string;
  readonly heldMax: number;
  readonly now: () => number;
  readonly record: (record: ClientRecord) => void;
  readonly onAck: (held: Held) => void;
  /** It is to be sent again after so long; `surprise` for what no client should ever get. */
  readonly onRefused: (held: Held, name: string, afterMs: number) => void;
  readonly onSurprise: (what: string) => void;
}

export class OverloadUser {
  readonly #options: UserOptions;
  readonly #socket: WebSocket;
  readonly #held = new Map<string, Held>();
  #isIn = false;
  #isClosed = false;
  #seen: Seq = 0;

  constructor(options: UserOptions) {
    this.#options = options;
    const { url, localAddress, token } = options;
    const socket = new WebSocket(url, SUBPROTOCOL, { localAddress, perMessageDeflate: false });
    this.#socket = socket;
    socket.on("open", () => socket.send(JSON.stringify({ t: "hello", token })));
    socket.on("message", (data: Buffer) => {
      for (const line of data.toString().split("\n")) this.#onFrame(parseObject(line) ?? {});
    });
    socket.on("error", (error) => options.onSurprise(error.message));
    socket.on("close", (code) => {
      if (!this.#isClosed) options.onSurprise(`closed with ${code}`); // overload-user.3
    });
  }

  get isIn(): boolean {
    return this.#isIn;
  }

  get room(): RoomId {
    return this.#options.room;
  }

  get seen(): Seq {
    return this.#seen;
  }

  get held(): number {
    return this.#held.size;
  }

  /** Makes and writes a message; undefined when too many have no outcome (overload-user.1). */
  say(dueAt: number): Held | undefined {
    if (this.#held.size >= this.#options.heldMax) return undefined;
    const id = uuidv7(systemClock.now(), systemRandom);
    const body = { text: `${this.#options.user} at ${Math.round(dueAt)}` };
    const text = JSON.stringify({ t: "send", room: this.#options.room, id, body });
    const held = { user: this, id, dueAt, text, sum: sumOf(body) };
    this.#held.set(id, held);
    this.write(held);
    return held;
  }

  write({ id, text, sum }: Held): void {
    const { user: client, room, record, now } = this.#options;
    record({ t: now(), client, conn: 1, room, op: "send", phase: "invoke", id, sum });
    this.#socket.send(text);
  }

  close(): void {
    this.#isClosed = true;
    this.#socket.close();
  }

  #onFrame(frame: JsonObject): void {
    const { user: client, room, record, now, onSurprise } = this.#options;
    const origin = { t: now(), client, conn: 1, room };
    switch (frame["t"]) {
      case "welcome":
        record({ t: now(), client, conn: 1, op: "open", phase: "ok", via: "gateway-1" });
        record({ ...origin, op: "join", phase: "invoke", after: 0 });
        this.#socket.send(JSON.stringify({ t: "join", ref: 1, room, after: 0 }));
        return;
      case "joined": {
        const [from, head] = [Number(frame["from"]), Number(frame["head"])];
        record({ ...origin, op: "join", phase: "ok", from, head });
        this.#isIn = true;
        return;
      }
      case "caught-up":
        record({ ...origin, op: "caught", seq: Number(frame["seq"]) });
        return;
      case "msg":
        this.#seen = Number(frame["seq"]);
        record({ ...origin, op: "see", seq: this.#seen, id: frame["id"] as MessageId });
        return;
      case "ack":
        return this.#onAck(frame["id"] as MessageId, Number(frame["seq"]));
      case "error":
        return this.#onError(frame);
      case "presence":
      case "typing":
        return;
      default:
        onSurprise(JSON.stringify(frame));
    }
  }

  #onAck(id: MessageId, seq: Seq): void {
    const { user: client, room, record, now, onAck } = this.#options;
    record({ t: now(), client, conn: 1, room, op: "send", phase: "ok", id, seq });
    const held = this.#held.get(id);
    if (held === undefined) return;
    this.#held.delete(id);
    onAck(held);
  }

  #onError(frame: JsonObject): void {
    const { user: client, room, record, now, onRefused, onSurprise } = this.#options;
    const [id, err] = [String(frame["id"]) as MessageId, String(frame["name"])];
    const held = this.#held.get(id);
    if (held === undefined || !MAY_PASS.has(err)) return onSurprise(JSON.stringify(frame));
    const phase = err === "unavailable" ? "info" : "fail";
    record({ t: now(), client, conn: 1, room, op: "send", phase, id, err });
    onRefused(held, err, Number(frame["afterMs"] ?? AGAIN_MS)); // overload-user.2
  }
}
