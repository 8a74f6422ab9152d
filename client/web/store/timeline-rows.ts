// TimelineRows: the timeline of a room (client/sdk/timeline) in the words of this page.
//
// Owns: the text of each row. Does not own: the range, the fold, paging (SDK).
//
//   timeline-rows.1. The row of an entry stays the same object while its entry does, so that views
//        can compare by identity.

import type { Body, RoomEvent } from "#shared/protocol/events.ts";
import type { RoomTimeline } from "#client/sdk/timeline/room-timeline.ts";
import type { TimelineEntry, UnsentMessage as Unsent } from "#client/sdk/timeline/timeline.ts";
import { failureWords } from "./words.ts";

/** A message with its sequence number. */
export interface SentMessage {
  readonly kind: "sent";
  readonly id: string;
  readonly seq: number;
  readonly from: string;
  readonly at: number;
  readonly text: string;
}

/** The user's own message before its event arrives. An `acked` one has its number. */
export interface UnsentMessage {
  readonly kind: "pending" | "acked" | "refused";
  readonly id: string;
  readonly seq?: number;
  readonly from: string;
  readonly at: number;
  readonly text: string;
  /** Why it was refused, in words for the user. */
  readonly reason?: string;
}

export type Message = SentMessage | UnsentMessage;

export class TimelineRows {
  readonly #timeline: RoomTimeline;
  readonly #me: string;
  readonly #sent = new WeakMap<TimelineEntry, SentMessage>();
  readonly #unsent = new WeakMap<Unsent, UnsentMessage>();

  constructor(timeline: RoomTimeline, me: string) {
    this.#timeline = timeline;
    this.#me = me;
  }

  get sent(): readonly SentMessage[] {
    return this.#timeline.range.entries.map((entry) =>
      cached(this.#sent, entry, () => sentOf(entry)),
    );
  }
  get unsent(): readonly UnsentMessage[] {
    return this.#timeline.range.unsent.map((message) =>
      cached(this.#unsent, message, () => unsentOf(message, this.#me)),
    );
  }
  /** The first sequence number of the range; 0 when it is empty. */
  get first(): number {
    return this.#timeline.range.first;
  }
  get last(): number {
    return this.#timeline.range.last;
  }
  /** The highest known sequence number of the room. */
  get newest(): number {
    return this.#timeline.range.newest;
  }
  /** True when the range ends where the room ends. */
  get isAttached(): boolean {
    return this.#timeline.range.isAttached;
  }

  find(id: string): Message | undefined {
    return [...this.sent, ...this.unsent].find((message) => message.id === id);
  }
}

/** timeline-rows.1. */
function cached<K extends object, V>(rows: WeakMap<K, V>, key: K, create: () => V): V {
  const known = rows.get(key);
  if (known !== undefined) return known;
  const row = create();
  rows.set(key, row);
  return row;
}

/** The text of an event of a kind that this page does not know. */
const UNKNOWN_KIND = "Reload this page to see what was sent here.";
const DELETED = "This message was deleted.";
const EDITED = "edited a message.";

function sentOf({ id, seq, from, at, event, message }: TimelineEntry): SentMessage {
  const body = message?.deleted === undefined ? message?.body : undefined;
  const text = body === undefined ? changeOf(event) : textOf(body);
  return { kind: "sent", id, seq, from, at, text };
}

function unsentOf({ kind, id, seq, at, body, error }: Unsent, from: string): UnsentMessage {
  const number = seq !== undefined && { seq };
  const reason = error !== undefined && { reason: failureWords(error) };
  return { kind, id, ...number, from, at, text: textOf(body), ...reason };
}

/** A sentence for an event that is no message. */
function changeOf(event: RoomEvent): string {
  if (event.t === "room") return "changed the settings of this room.";
  if (event.t === "msg") return DELETED;
  if (event.t === "edited") return EDITED;
  if (event.t === "deleted") return "deleted a message.";
  if (event.t === "reacted") return event.on ? `reacted ${event.emoji}.` : "took a reaction back.";
  if (event.t === "pinned") return event.on ? "pinned a message." : "unpinned a message.";
  if (event.t === "invite") return event.revoked === true ? "ended an invite." : "made an invite.";
  if (event.t !== "member") return UNKNOWN_KIND;
  const { user, role, banned, mutedUntil, invite } = event;
  if (invite !== undefined) return "entered with an invite.";
  if (banned === true) return `banned ${user} from this room.`;
  if (role === "none") return user === event.from ? "left this room." : `removed ${user}.`;
  const muted = mutedUntil === undefined ? "" : ", muted";
  return `made ${user} ${role === "owner" ? "an" : "a"} ${role} of this room${muted}.`;
}

/** Other clients can send bodies without a text; the page shows their JSON. */
function textOf(body: Body): string {
  const text = body["text"];
  return typeof text === "string" ? text : JSON.stringify(body);
}
