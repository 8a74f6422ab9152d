// Writer: a client that sends as fast as it is answered, through any fault, and records all of it.
//
// Speaks the wire itself instead of using our SDK: what it sees is what a stranger's client would.
//
//   saturating-writer.1. Every send is invoked until it is acknowledged, always with the same id.
//   saturating-writer.2. On a new connection what nobody knows about is sent again before anything new, in order.
//   saturating-writer.3. What a connection had in flight when it was lost is recorded as unknown (`info`), never as
//        failed.

import { WebSocket } from "ws";
import { systemClock, systemRandom } from "#shared/adapters/clock-system.ts";
import { parseObject } from "#shared/kit/json.ts";
import type { JsonObject } from "#shared/kit/json.ts";
import { uuidv7 } from "#shared/kit/uuid.ts";
import type { MessageId, RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import { LOST } from "../checker/record.ts";
import type { ClientRecord } from "../checker/record.ts";
import { sumOf } from "../checker/sum.ts";

const RECONNECT_MS = 100;
const SUBPROTOCOL = "parley.v1";

export interface WriterOptions {
  /** `ws://…/v1/ws`, asked anew for each connection. */
  readonly url: () => string;
  readonly user: UserId;
  readonly token: string;
  readonly room: RoomId;
  /** Sends without an answer at any time. */
  readonly inFlightMax: number;
  readonly record: (record: ClientRecord) => void;
}

export class Writer {
  readonly #options: WriterOptions;
  /** id → body of what is not acknowledged yet, in the order of the first send. */
  readonly #open: Map<MessageId, { text: string }> = new Map();
  readonly #inFlight: Set<MessageId> = new Set();
  readonly #acked: MessageId[] = [];
  readonly #bodies: Map<MessageId, { text: string }> = new Map();
  /** Answers that no writer should ever get; empty in a good run. */
  readonly surprises: string[] = [];
  #socket: WebSocket | undefined;
  #conn = 0;
  #joined = false;
  #joining = false;
  #seen: Seq = 0;
  #count = 0;
  #mayBegin = true;
  #closed = false;

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  get room(): RoomId {
    return this.#options.room;
  }

  get acked(): number {
    return this.#acked.length;
  }

  /** Everything that was ever sent is acknowledged. */
  get isDrained(): boolean {
    return this.#open.size === 0;
  }

  /** The last number of the room that it was shown. */
  get seen(): Seq {
    return this.#seen;
  }

  connect(): void {
    if (this.#closed) return;
    const socket = new WebSocket(this.#options.url(), SUBPROTOCOL);
    this.#socket = socket;
    this.#conn++;
    this.#joined = false;
    socket.on("open", () =>
      socket.send(JSON.stringify({ t: "hello", token: this.#options.token })),
    );
    socket.on("message", (data: Buffer) => this.#onText(data.toString()));
    socket.on("error", () => undefined); // "close" follows, and says all that is to be known.
    socket.on("close", () => this.#onLost());
  }

  /** Nothing new any more; what is open goes on until it is acknowledged. */
  finish(): void {
    this.#mayBegin = false;
  }

  /** Sends again what was acknowledged long ago: the answers must be the old ones (I6). */
  repeat(count: number): void {
    const step = Math.max(1, Math.floor(this.#acked.length / count));
    for (let i = 0; i < this.#acked.length; i += step) {
      const id = this.#acked[i];
      const body = id === undefined ? undefined : this.#bodies.get(id);
      if (id !== undefined && body !== undefined) this.#open.set(id, body);
    }
    this.#pump();
  }

  close(): void {
    this.#closed = true;
    this.#socket?.close();
  }

  #onText(text: string): void {
    for (const line of text.split("\n")) {
      const frame = parseObject(line);
      if (frame !== undefined) this.#onFrame(frame);
    }
  }

  #onFrame(frame: JsonObject): void {
    const { room } = this.#options;
    switch (frame["t"]) {
      case "welcome":
        this.#record({ op: "join", phase: "invoke", after: this.#seen });
        this.#joining = true;
        this.#write({ t: "join", ref: 1, room, after: this.#seen });
        break;
      case "joined":
        this.#record({
          op: "join",
          phase: "ok",
          from: Number(frame["from"]),
          head: Number(frame["head"]),
        });
        this.#joined = true;
        this.#joining = false;
        this.#pump();
        break;
      case "caught-up":
        this.#record({ op: "caught", seq: Number(frame["seq"]) });
        break;
      case "msg":
        this.#seen = Number(frame["seq"]);
        this.#record({ op: "see", seq: this.#seen, id: frame["id"] as MessageId });
        break;
      case "ack":
        this.#onAck(frame["id"] as MessageId, Number(frame["seq"]));
        break;
      case "error":
        this.#onError(frame);
        break;
      default: // Presence, reconnect: nothing that a writer has to answer.
    }
  }

  #onAck(id: MessageId, seq: Seq): void {
    this.#record({ op: "send", phase: "ok", id, seq });
    this.#inFlight.delete(id);
    if (this.#open.delete(id)) this.#acked.push(id);
    this.#pump();
  }

  #onError(frame: JsonObject): void {
    const id = frame["id"] as MessageId | undefined;
    const err = String(frame["name"]);
    if (id === undefined || frame["retry"] !== true) {
      this.surprises.push(JSON.stringify(frame));
      return;
    }
    // `busy` and `rate_limited` promise that nothing was stored; `unavailable` promises nothing.
    const phase = err === "busy" || err === "rate_limited" ? "fail" : "info";
    this.#record({ op: "send", phase, id, err });
    this.#inFlight.delete(id);
    setTimeout(() => this.#pump(), Number(frame["afterMs"] ?? RECONNECT_MS));
  }

  #onLost(): void {
    for (const id of this.#inFlight) {
      this.#record({ op: "send", phase: "info", id, err: LOST }); // saturating-writer.3
    }
    if (this.#joining) this.#record({ op: "join", phase: "info", err: LOST });
    this.#joining = false;
    const { user: client, record } = this.#options;
    const phase = this.#closed ? "ok" : "info";
    record({ t: performance.now(), client, conn: this.#conn, op: "close", phase });
    this.#inFlight.clear();
    this.#joined = false;
    if (!this.#closed) setTimeout(() => this.connect(), RECONNECT_MS);
  }

  /** saturating-writer.1, saturating-writer.2: open ones first, in their order, then new ones. */
  #pump(): void {
    if (!this.#joined) return;
    const { inFlightMax } = this.#options;
    for (const [id, body] of this.#open) {
      if (this.#inFlight.size >= inFlightMax) return;
      if (!this.#inFlight.has(id)) this.#send(id, body);
    }
    while (this.#mayBegin && this.#inFlight.size < inFlightMax) {
      const id = uuidv7(systemClock.now(), systemRandom);
      const body = { text: `${this.#options.user} ${++this.#count}` };
      this.#open.set(id, body);
      this.#bodies.set(id, body);
      this.#send(id, body);
    }
  }

  #send(id: MessageId, body: { text: string }): void {
    this.#inFlight.add(id);
    this.#record({ op: "send", phase: "invoke", id, sum: sumOf(body) });
    this.#write({ t: "send", room: this.#options.room, id, body });
  }

  #write(frame: object): void {
    // A socket that is closing loses it, and "close" then makes it unknown: no harm, it comes again.
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  #record(what: OwnPart): void {
    const { user: client, room, record } = this.#options;
    record({ t: performance.now(), client, conn: this.#conn, room, ...what });
  }
}

type OwnPart =
  | { op: "send"; phase: "invoke"; id: MessageId; sum: number }
  | { op: "send"; phase: "ok"; id: MessageId; seq: Seq }
  | { op: "send"; phase: "fail" | "info"; id: MessageId; err: string }
  | { op: "join"; phase: "invoke"; after: Seq }
  | { op: "join"; phase: "ok"; from: Seq; head: Seq }
  | { op: "join"; phase: "info"; err: string }
  | { op: "caught"; seq: Seq }
  | { op: "see"; seq: Seq; id: MessageId };
