// Good run: the records and dumps of a small cluster that keeps every invariant, made from a seed.
//
// It contains all that the checker judges: reconnects with resume, retries after refusals and lost
// connections, presence, leaves, pages, a change of owner with a void commit, faults with recovery.

import { below, seededRandom } from "#shared/kit/random.ts";
import type { Random } from "#shared/ports/clock.ts";
import { encodeEntry } from "#shared/protocol/entry.ts";
import { encodeEvent } from "#shared/protocol/events.ts";
import type { MessageId, ProcessId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { LOST } from "../record.ts";
import type { HistoryRecord } from "../record.ts";
import type { LoggedEntry } from "../tenures.ts";
import { sumOf } from "../sum.ts";

export interface RecordedRun {
  readonly records: HistoryRecord[];
  readonly archive: string[];
  readonly log: LoggedEntry[];
  readonly pages: string[];
}

export const ROOMS = ["red", "blue"] as RoomId[];
const CLIENTS = ["ada", "bob", "cyd", "dot"] as UserId[];
const NODES = ["room-a", "room-b"] as ProcessId[];

interface Place {
  next: number;
  isIn: boolean;
}

class Cluster {
  readonly run: RecordedRun = { records: [], archive: [], log: [], pages: [] };
  readonly #random: Random;
  readonly #rooms = new Map(ROOMS.map((room) => [room, [] as { id: MessageId; line: string }[]]));
  readonly #conns = new Map(CLIENTS.map((client) => [client, 0]));
  readonly #places = new Map<string, Place>();
  #t = 1_000;
  #ids = 0;
  #epoch = 0;
  #node = 0;
  #fault = 0;

  constructor(random: Random) {
    this.#random = random;
    this.claim(0);
    for (const client of CLIENTS) this.connect(client);
  }

  get tick(): number {
    return (this.#t += 1 + below(this.#random, 5));
  }

  claim(node: number): void {
    this.#node = node;
    this.#epoch = this.#log(encodeEntry({ kind: "claim", node: NODES[node]!, at: 1 }));
  }

  connect(client: UserId): void {
    const conn = (this.#conns.get(client) ?? 0) + 1;
    this.#conns.set(client, conn);
    const via = `gateway-${1 + (conn % 2)}`;
    this.#record({ ...this.#origin(client), op: "open", phase: "ok", via });
    for (const room of ROOMS) this.join(client, room);
  }

  join(client: UserId, room: RoomId): void {
    const place = this.#place(client, room);
    const stored = this.#rooms.get(room) ?? [];
    const origin = { ...this.#origin(client), room };
    const after = place.next - 1;
    this.#record({ ...origin, op: "join", phase: "invoke", after });
    const born = "born";
    const head = stored.length;
    this.#record({ ...origin, op: "join", phase: "ok", from: after + 1, head, born });
    const others = CLIENTS.filter((other) => this.#place(other, room).isIn && other !== client);
    place.isIn = true;
    const here = others.length + 1;
    this.#record({ ...origin, op: "here", join: [...others, client], here });
    for (const other of others) this.#sendPresence(other, room, { join: [client], here });
    this.show(client, room);
    this.#record({ ...origin, op: "caught", seq: stored.length });
  }

  show(client: UserId, room: RoomId): void {
    const place = this.#place(client, room);
    if (!place.isIn) return;
    for (const { id } of (this.#rooms.get(room) ?? []).slice(place.next - 1)) {
      const seq = place.next++;
      this.#record({ ...this.#origin(client), op: "see", room, seq, id });
    }
  }

  leave(client: UserId, room: RoomId): void {
    const place = this.#place(client, room);
    if (!place.isIn) return;
    this.#record({ ...this.#origin(client), op: "leave", phase: "invoke", room });
    this.#record({ ...this.#origin(client), op: "leave", phase: "ok", room });
    this.#gone(client, room);
  }

  /** The connection is lost before or after the append, and the client reconnects. */
  reconnect(client: UserId, room: RoomId): void {
    if (!this.#place(client, room).isIn) this.join(client, room);
    const id = this.#invoke(client, room);
    const isStored = below(this.#random, 2) === 0;
    if (isStored) this.#store(client, room, id);
    const origin = this.#origin(client);
    this.#record({ ...origin, op: "send", phase: "info", room, id, err: LOST });
    this.#record({ ...origin, op: "close", phase: "info" });
    for (const one of ROOMS) this.#gone(client, one);
    this.connect(client);
    this.#invoke(client, room, id);
    this.#finish(client, room, id, isStored);
  }

  send(client: UserId, room: RoomId): void {
    if (!this.#place(client, room).isIn) this.join(client, room);
    const id = this.#invoke(client, room);
    if (below(this.#random, 4) === 0) {
      this.#refuse(client, room, id);
      const next = this.#invoke(client, room);
      this.#refuse(client, room, next); // O4: the first refused send passes first.
      for (const again of [id, next]) {
        this.#invoke(client, room, again);
        this.#finish(client, room, again, false);
      }
      return;
    }
    this.#finish(client, room, id, false);
  }

  page(client: UserId, room: RoomId): void {
    const stored = this.#rooms.get(room) ?? [];
    if (stored.length === 0) return;
    const ref = ++this.#ids;
    const origin = { ...this.#origin(client), room };
    const first = 1 + below(this.#random, stored.length);
    const ids = stored.slice(first - 1, first + 3).map(({ id }) => id);
    this.#record({ ...origin, op: "page", phase: "invoke", ref });
    this.#record({ ...origin, op: "page", phase: "ok", ref, first, ids });
  }

  /** The owner is killed and its successor claims. A late commit of the old owner is void. */
  failOver(): void {
    const n = ++this.#fault;
    const t = this.tick;
    const scope = { kind: "rooms", rooms: ROOMS } as const;
    const about = { fault: "F2", target: NODES[this.#node]!, scope, backMs: 5_000 } as const;
    this.run.records.push({ t, op: "fault", n, phase: "invoke", ...about, since: "start" });
    const { text: last } = this.run.log.findLast(({ text }) => text.includes("commit")) ?? {};
    this.claim(1 - this.#node);
    if (last !== undefined) {
      this.#log(last);
      this.claim(this.#node); // NATS refuses its next append, so it claims again.
    }
    this.run.records.push({ t: this.tick, op: "fault", n, phase: "ok" });
    for (const room of ROOMS) this.send(CLIENTS[n % CLIENTS.length]!, room);
  }

  end(): RecordedRun {
    const { records, archive, pages } = this.run;
    records.push({ t: this.tick, op: "sample", process: "gateway-1", mib: 80, mibMax: 512 });
    for (const client of CLIENTS) for (const room of ROOMS) this.show(client, room);
    records.push({ t: this.tick, op: "mark", what: "end" });
    for (const stored of this.#rooms.values()) {
      archive.push(...stored.map(({ line }) => line));
      pages.push(...stored.map(({ line }) => line));
    }
    return this.run;
  }

  #finish(client: UserId, room: RoomId, id: MessageId, isStored: boolean): void {
    if (!isStored) this.#store(client, room, id);
    for (const other of CLIENTS) if (below(this.#random, 3) > 0) this.show(other, room);
    const stored = this.#rooms.get(room) ?? [];
    const seq = 1 + stored.findIndex((event) => event.id === id);
    this.#record({ ...this.#origin(client), op: "send", phase: "ok", room, id, seq });
  }

  #refuse(client: UserId, room: RoomId, id: MessageId): void {
    const err = ["busy", "rate_limited"][below(this.#random, 2)]!;
    this.#record({ ...this.#origin(client), op: "send", phase: "fail", room, id, err });
  }

  #invoke(client: UserId, room: RoomId, known?: MessageId): MessageId {
    const id = known ?? idOf(++this.#ids);
    const sum = sumOf({ text: id });
    this.#record({ ...this.#origin(client), op: "send", phase: "invoke", room, id, sum });
    return id;
  }

  #store(from: UserId, room: RoomId, id: MessageId): void {
    const stored = this.#rooms.get(room) ?? [];
    const seq = stored.length + 1;
    const line = encodeEvent({ t: "msg", room, seq, id, from, at: this.#t, body: { text: id } });
    stored.push({ id, line });
    const [epoch, node] = [this.#epoch, NODES[this.#node]!];
    const groups = [{ room, first: seq, lines: [line] }];
    this.#log(encodeEntry({ kind: "commit", epoch, node, at: this.#t, groups }));
  }

  #log(text: string): number {
    const seq = this.run.log.length + 1;
    this.run.log.push({ p: 0, seq, text });
    return seq;
  }

  #gone(client: UserId, room: RoomId): void {
    const place = this.#place(client, room);
    if (!place.isIn) return;
    place.isIn = false;
    const others = CLIENTS.filter((other) => this.#place(other, room).isIn);
    for (const other of others)
      this.#sendPresence(other, room, { leave: [client], here: others.length });
  }

  #sendPresence(
    client: UserId,
    room: RoomId,
    what: { join?: UserId[]; leave?: UserId[]; here: number },
  ): void {
    this.#record({ ...this.#origin(client), op: "here", room, ...what });
  }

  #place(client: UserId, room: RoomId): Place {
    const key = `${client} ${room}`;
    const place = this.#places.get(key) ?? { next: 1, isIn: false };
    this.#places.set(key, place);
    return place;
  }

  #origin(client: UserId): { t: number; client: UserId; conn: number } {
    return { t: this.tick, client, conn: this.#conns.get(client) ?? 0 };
  }

  #record(record: HistoryRecord): void {
    this.run.records.push(record);
  }
}

export function goodRun(seed: number, steps = 120): RecordedRun {
  const random = seededRandom(seed);
  const cluster = new Cluster(random);
  for (const client of CLIENTS) for (const room of ROOMS) cluster.send(client, room);
  for (let step = 0; step < steps; step++) {
    const client = CLIENTS[below(random, CLIENTS.length)]!;
    const room = ROOMS[below(random, ROOMS.length)]!;
    const choice = below(random, 20);
    if (choice < 12) cluster.send(client, room);
    else if (choice < 14) cluster.reconnect(client, room);
    else if (choice < 16) cluster.page(client, room);
    else if (choice < 17) cluster.leave(client, room);
    else if (choice < 18) cluster.failOver();
    else cluster.show(client, room);
  }
  cluster.page(CLIENTS[0]!, ROOMS[0]!);
  cluster.failOver();
  return cluster.end();
}

export function idOf(n: number): MessageId {
  return `01990000-0000-7000-8000-${String(n).padStart(12, "0")}` as MessageId;
}
