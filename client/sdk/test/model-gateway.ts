// ModelGateway: the simplest server of the protocol, for tests of the SDK. It numbers messages,
// recognizes repeated ids and delivers to every member. Tests set its faults.

import type { ErrorName } from "#shared/protocol/errors.ts";
import { errorFrame, ERRORS } from "#shared/protocol/errors.ts";
import type { JsonObject } from "#shared/kit/json.ts";
import { encodeEvent } from "#shared/protocol/events.ts";
import type { RoomEvent } from "#shared/protocol/events.ts";

interface ModelRoom {
  born: string;
  events: RoomEvent[];
}

interface Refusal {
  readonly name: ErrorName;
  readonly afterMs?: number;
}

/** `write` sends a line to the client; `end` closes the connection with a code. */
export interface Peer {
  write(line: string): void;
  end(code: number): void;
}

export class ModelGateway {
  readonly rooms = new Map<string, ModelRoom>();
  readonly sessions = new Set<ModelSession>();
  /** Called before a frame is handled; a returned refusal is the answer instead. */
  refuse: (frame: JsonObject) => Refusal | undefined = () => undefined;
  /** Called before an event is delivered to a session; false loses it. */
  delivers: (event: RoomEvent) => boolean = () => true;
  /** Called for each token; false refuses it. */
  accepts: (token: string) => boolean = () => true;
  pingMs = 25_000;
  #losses = 0;
  now: () => number = () => 1_795_500_000_000;

  room(name: string): ModelRoom {
    let room = this.rooms.get(name);
    if (room === undefined) this.rooms.set(name, (room = { born: "", events: [] }));
    return room;
  }

  /** Appends unless the id is known; returns its sequence number. */
  append(name: string, from: string, id: string, body: object, replyTo?: number): number {
    const room = this.room(name);
    const known = room.events.find((event) => event.id === id && event.from === from);
    if (known !== undefined) return known.seq;
    const seq = room.events.length + 1;
    if (seq === 1) room.born = id;
    const event = { t: "msg", room: name, seq, id, from, at: this.now(), body, replyTo };
    room.events.push(event as unknown as RoomEvent);
    for (const session of this.sessions) session.deliver(event as unknown as RoomEvent);
    return seq;
  }

  /** Loses the events above `kept` and ends all connections, as a lost log does (R2, R3). */
  lose(name: string, kept = 0): void {
    const events = this.room(name).events.slice(0, kept);
    this.rooms.set(name, { born: kept === 0 ? "" : `recreated ${++this.#losses}`, events });
    for (const session of this.sessions) session.end(1012);
  }

  /** The number of members. */
  count(name: string): number {
    return [...this.sessions].filter((session) => session.joined.has(name)).length;
  }
}

export class ModelSession {
  readonly #gateway: ModelGateway;
  readonly #peer: Peer;
  readonly joined = new Set<string>();
  readonly received: JsonObject[] = [];
  readonly #postponed = new Map<string, string>();
  user: string | undefined;

  constructor(gateway: ModelGateway, peer: Peer) {
    this.#gateway = gateway;
    this.#peer = peer;
    gateway.sessions.add(this);
  }

  /** The connection ended. */
  disconnect(): void {
    this.#gateway.sessions.delete(this);
  }

  end(code: number): void {
    this.joined.clear();
    this.#peer.end(code);
  }

  write(frame: object): void {
    this.#peer.write(JSON.stringify(frame));
  }

  deliver(event: RoomEvent): void {
    if (!this.joined.has(event.room) || !this.#gateway.delivers(event)) return;
    this.#peer.write(encodeEvent(event));
  }

  receive(text: string): void {
    for (const line of text.split("\n")) this.#take(JSON.parse(line) as JsonObject);
  }

  #take(frame: JsonObject): void {
    this.received.push(frame);
    const refusal = frame["t"] === "hello" ? undefined : this.#refusalOf(frame);
    if (refusal !== undefined) {
      const { id, ref, room } = frame as { id?: string; ref?: number; room?: string };
      this.write(errorFrame(refusal.name, { id, ref, room, afterMs: refusal.afterMs }));
      return;
    }
    if (frame["t"] === "hello") this.#hello(frame);
    else if (frame["t"] === "join") this.#join(frame);
    else if (frame["t"] === "leave") this.joined.delete(String(frame["room"]));
    else if (frame["t"] === "send") this.#send(frame);
    else if (frame["t"] === "history") this.#history(frame);
    else if (frame["t"] === "refresh") {
      this.write({ t: "refreshed", ref: frame["ref"], until: this.#gateway.now() + 3_600_000 });
    } else if (frame["t"] === "ping") {
      this.write({ t: "pong", ref: frame["ref"], at: this.#gateway.now() });
    }
  }

  /**
   * After a temporary refusal, later sends of the room are refused until the first comes again
   * (O4).
   */
  #refusalOf(frame: JsonObject): Refusal | undefined {
    const { t, room, id } = frame as { t: string; room: string; id: string };
    if (t !== "send") return this.#gateway.refuse(frame);
    const first = this.#postponed.get(room);
    if (first !== undefined && first !== id) return { name: "busy" };
    const refusal = this.#gateway.refuse(frame);
    if (refusal === undefined || !ERRORS[refusal.name].retry) this.#postponed.delete(room);
    else this.#postponed.set(room, id);
    return refusal;
  }

  #hello(frame: JsonObject): void {
    const token = String(frame["token"]);
    if (!this.#gateway.accepts(token)) {
      this.#peer.end(4500);
      return;
    }
    this.user = token.split(".")[0] ?? "";
    const { pingMs } = this.#gateway;
    const limits = { frameBytes: 65_536, bodyBytes: 16_384, unansweredSends: 64, rooms: 256 };
    const at = this.#gateway.now();
    this.write({ t: "welcome", session: "s1", user: this.user, at, pingMs, limits });
  }

  #join(frame: JsonObject): void {
    const name = String(frame["room"]);
    const { born, events } = this.#gateway.room(name);
    const { ref, after, tail = 50 } = frame as { ref: number; after?: number; tail?: number };
    const head = events.length;
    const from = Math.min(after ?? Math.max(head - tail, 0), head) + 1;
    this.joined.add(name);
    const here = this.#gateway.count(name);
    this.write({ t: "joined", ref, room: name, born, head, from, role: "member", here });
    for (const event of events.slice(from - 1)) this.deliver(event);
    this.write({ t: "caught-up", room: name, seq: head });
  }

  #send(frame: JsonObject): void {
    const { room, id, body, replyTo } = frame as {
      room: string;
      id: string;
      body: object;
      replyTo?: number;
    };
    if (!this.joined.has(room)) {
      this.write(errorFrame("not_joined", { id, room }));
      return;
    }
    const seq = this.#gateway.append(room, this.user ?? "", id, body, replyTo);
    this.write({ t: "ack", id, room, seq, at: this.#gateway.now() });
  }

  #history(frame: JsonObject): void {
    const { ref, room, before, after, limit } = frame as {
      ref: number;
      room: string;
      before?: number;
      after?: number;
      limit: number;
    };
    const { events } = this.#gateway.room(room);
    const all = events.filter(({ seq }) => seq < (before ?? Infinity) && seq > (after ?? 0));
    const page = after === undefined ? all.slice(-limit) : all.slice(0, limit);
    this.write({ t: "page", ref, room, events: page, more: page.length < all.length });
  }
}
