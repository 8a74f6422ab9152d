// LongRoom: a room of many messages for the page, whose events are made when they are read. So the
// measured memory is the page's.
//
// Owns: pages, the tail of a join, new messages. Does not own: members, typing, refusals.

import type {
  ChatClient,
  ChatRoom,
  HistoryPage,
  HistoryQuery,
  Invited,
  Outgoing,
  Unsubscribe,
} from "../../store/client-port.ts";
import type { RoomEvent } from "#shared/protocol/events.ts";
import type { RoomsPage } from "#shared/protocol/room-list.ts";

const FROM = ["Ada", "Grace", "Radia", "Leslie", "Barbara"] as const;
const BEGIN = Date.UTC(2026, 0, 1);
const APART_MS = 90_000;
/** As long as a page of history takes on a good network. */
const PAGE_MS = 25;

export class LongClient implements ChatClient {
  readonly state = "online";
  readonly retryAt = undefined;
  readonly sessionId = undefined;
  readonly closeCode = undefined;
  readonly unsent = [];
  readonly user: string;
  readonly #room: LongRoom;

  constructor(user: string, count: number) {
    this.user = user;
    this.#room = new LongRoom(count);
  }

  get room(): LongRoom {
    return this.#room;
  }
  connect(): void {}
  close(): void {}
  on(): Unsubscribe {
    return () => undefined;
  }
  join(): ChatRoom {
    return this.#room;
  }
  async rooms(): Promise<RoomsPage> {
    return { rooms: [] };
  }
  createRoom = none;
  createDirectRoom = none;
  enter = none;
}

export class LongRoom implements ChatRoom {
  readonly room = "general";
  readonly users: ReadonlySet<string> = new Set(FROM);
  readonly here = FROM.length;
  status: ChatRoom["status"] = "joining";
  head: number;
  readonly #handlers = new Map<string, Set<(value: never) => void>>();

  constructor(count: number) {
    this.head = count;
    queueMicrotask(() => {
      for (let seq = Math.max(1, count - 99); seq <= count; seq += 1)
        this.#emit("event", eventOf(seq));
      this.status = "live";
      this.#emit("status", undefined);
    });
  }

  get completeThrough(): number {
    return this.head;
  }

  /** Another user's message. */
  append(): void {
    this.head += 1;
    this.#emit("event", eventOf(this.head));
  }

  async history({ before, after, limit }: HistoryQuery): Promise<HistoryPage> {
    await new Promise((resolve) => setTimeout(resolve, PAGE_MS));
    const last = after === undefined ? (before ?? this.head + 1) - 1 : after + limit;
    const end = Math.min(this.head, last);
    const first = after === undefined ? Math.max(1, end - limit + 1) : after + 1;
    const events = Array.from({ length: end - first + 1 }, (_, i) => eventOf(first + i));
    return { events, more: first > 1, first, last: end, asOf: this.head };
  }

  send = none;
  edit = none;
  delete = none;
  react = none;
  pin = none;
  setMember = none;
  update = none;
  createInvite = (): Invited => ({ ...none(), token: "" });
  revokeInvite = none;
  typing(): void {}
  markRead(): void {}
  leave(): void {}
  on(name: string, handler: (value: never) => void): Unsubscribe {
    const handlers = this.#handlers.get(name) ?? new Set();
    this.#handlers.set(name, handlers.add(handler));
    return () => void handlers.delete(handler);
  }

  #emit(name: string, value: unknown): void {
    for (const handler of this.#handlers.get(name) ?? [])
      (handler as (value: unknown) => void)(value);
  }
}

function none(): Outgoing {
  return { id: "none", done: Promise.resolve({ kind: "refused", error: "forbidden" }) };
}

/** Texts of one to six lines, some with Markdown, as in a conversation. */
function eventOf(seq: number): RoomEvent {
  const text =
    seq % 11 === 0
      ? `A list of ${seq}:\n- one *thing*\n- and \`another\`\n- see https://parley.example/${seq}`
      : seq % 7 === 0
        ? "A longer paragraph that fills more than one line of the column. ".repeat(1 + (seq % 5))
        : `Message ${seq}${seq % 3 === 0 ? ", **with** a few words" : ""}`;
  const event = {
    t: "msg",
    room: "general",
    seq,
    id: `0199f000-0000-7000-8000-${String(seq).padStart(12, "0")}`,
    from: FROM[Math.floor(seq / 3) % FROM.length],
    at: BEGIN + seq * APART_MS,
    body: { text },
  };
  return event as unknown as RoomEvent;
}
