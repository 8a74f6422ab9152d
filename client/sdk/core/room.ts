// Room: one room of this client, from the call of `join` to the call of `leave`.
//
// Owns: the join, its repetition after a reconnect, the repair of a gap, the delivery of events.
// Does not own: sends (outbox), pages, the socket. It returns texts to write and effects.
//
//   sdk/room.1. Events are delivered once and in order, without gaps (K3). Any event but the next
//       one is dropped. After a gap the room joins again from its cursor, and delivers nothing
//       until that join is answered.
//   sdk/room.2. There is one repair for every gap: leave, then join with `after`. A gateway fills
//       gaps itself (O9), so the repair is rare and need not be fast. A backoff separates repairs
//       without success.
//   sdk/room.3. The application gets "reset" before the first event of a recreated room. Delivery
//       then begins with the tail of the room.

import { fullJitter } from "#shared/kit/backoff.ts";
import type { Random } from "#shared/ports/clock.ts";
import type { RoomEvent } from "#shared/protocol/events.ts";
import type { Millis, RoomId, Seq } from "#shared/protocol/ids.ts";
import { PRESENCE_NAMES_MAX } from "#shared/protocol/limits.ts";
import type { ReadsFrame } from "#shared/protocol/server-frames.ts";
import { AFTER_MS_MAX, JOIN_TIMEOUT_MS, RETRY, TYPING_REPEAT_MS } from "./bounds.ts";
import { Cursor } from "./cursor.ts";
import type { RoomPosition } from "./cursor.ts";
import { earliest } from "./earliest.ts";
import type { RoomEffect, RoomStatus, TypingChange } from "./effects.ts";
import { OwnRead } from "./own-read.ts";
import { Roster } from "./roster.ts";
import type { PresenceUpdate } from "./roster.ts";

export interface RoomOptions {
  readonly room: RoomId;
  readonly after?: Seq | undefined;
  readonly born?: string | undefined;
  readonly tail?: number | undefined;
  readonly random: Random;
}

type Phase =
  | { readonly kind: "wanted"; readonly notBefore: Millis }
  | { readonly kind: "asked"; readonly ref: number; readonly until: Millis }
  | { readonly kind: "catching-up" }
  | { readonly kind: "live" };

export class Room {
  readonly room: RoomId;
  readonly #random: Random;
  readonly #tail: number | undefined;
  readonly #cursor: Cursor;
  readonly roster: Roster = new Roster();
  /** The read positions of users, as far as they were received; at most PRESENCE_NAMES_MAX. */
  readonly reads: Map<string, Seq> = new Map();
  #ownRead = new OwnRead();
  #phase: Phase = { kind: "wanted", notBefore: 0 };
  /** The gateway may have this client as a member: a leave must precede a new join. */
  #mayBeMember = false;
  #attempt = 0;
  #typedAt: Millis | undefined;

  constructor({ room, after, born, tail, random }: RoomOptions) {
    this.room = room;
    this.#random = random;
    this.#tail = tail;
    this.#cursor = new Cursor(after, born);
  }

  get status(): RoomStatus {
    const { kind } = this.#phase;
    return kind === "wanted" || kind === "asked" ? "joining" : kind;
  }

  get isJoined(): boolean {
    return this.status !== "joining";
  }

  get head(): Seq {
    return this.#cursor.head;
  }

  get born(): string | undefined {
    return this.#cursor.born;
  }

  /** 0 until the first `joined`. */
  get completeThrough(): Seq {
    return this.#cursor.last ?? 0;
  }

  wakeAt(now: Millis): Millis | undefined {
    const phase = this.#phase;
    const times = [this.roster.wakeAt];
    if (phase.kind === "wanted" && phase.notBefore > now) times.push(phase.notBefore);
    if (phase.kind === "asked") times.push(phase.until);
    const read = this.isJoined ? this.#ownRead.dueAt : undefined;
    if (read !== undefined && read > now) times.push(read);
    return earliest(times);
  }

  /** True for a join without an answer in time: the connection is then abandoned. */
  hasOverdueJoin(now: Millis): boolean {
    return this.#phase.kind === "asked" && now >= this.#phase.until;
  }

  /** The frames to write now, on a connection that is online. */
  take(now: Millis, newRef: () => number): readonly string[] {
    if (this.isJoined) return this.#takeRead(now);
    if (this.#phase.kind !== "wanted" || this.#phase.notBefore > now) return [];
    const texts = this.#mayBeMember ? [this.#leaveFrame(newRef())] : [];
    const ref = newRef();
    const after = this.#cursor.last;
    const tail = this.#tail;
    const begin = after !== undefined ? { after } : tail !== undefined ? { tail } : {};
    texts.push(JSON.stringify({ t: "join", ref, room: this.room, ...begin }));
    this.#mayBeMember = true;
    this.#phase = { kind: "asked", ref, until: now + JOIN_TIMEOUT_MS };
    return texts;
  }

  #takeRead(now: Millis): readonly string[] {
    const seq = this.#ownRead.take(now);
    return seq === undefined ? [] : [JSON.stringify({ t: "read", room: this.room, seq })];
  }

  /** The user has read the room up to `seq`. */
  read(seq: Seq): void {
    this.#ownRead.read(seq);
  }

  /** The `leave` frame, if the gateway may have this client as a member. */
  leave(newRef: () => number): readonly string[] {
    return this.#mayBeMember ? [this.#leaveFrame(newRef())] : [];
  }

  hasAsked(ref: number): boolean {
    return this.#phase.kind === "asked" && this.#phase.ref === ref;
  }

  onJoined(position: RoomPosition & { readonly here: number }, now: Millis): readonly RoomEffect[] {
    const outcome = this.#cursor.begin(position);
    if (outcome === "gap") return this.#repair(now);
    if (outcome === "reset") {
      this.#phase = { kind: "wanted", notBefore: 0 };
      this.#ownRead = new OwnRead(); // Its numbers named other events.
      this.reads.clear();
      const { born, head } = position;
      return [{ kind: "reset", room: this.room, reset: { born, head } }]; // sdk/room.3
    }
    this.roster.begin(position.here);
    this.#phase = { kind: "catching-up" };
    return [this.#statusEffect()];
  }

  /** The join got a temporary refusal. */
  onPostponed(afterMs: number, now: Millis): void {
    this.#mayBeMember = false;
    const wait = fullJitter(this.#attempt++, RETRY, this.#random);
    this.#phase = {
      kind: "wanted",
      notBefore: now + Math.max(wait, Math.min(afterMs, AFTER_MS_MAX)),
    };
  }

  onEvent(event: RoomEvent, now: Millis): readonly RoomEffect[] {
    if (!this.isJoined) return []; // sdk/room.1: an event of an earlier join, or one after a gap.
    const place = this.#cursor.take(event.seq, event.id);
    if (place === "repeat") return [];
    if (place === "gap") return this.#repair(now);
    const effects: RoomEffect[] = [{ kind: "event", room: this.room, event }];
    const typing = this.roster.onMessage(event.from);
    if (typing !== undefined) effects.push(this.#typingEffect(typing));
    return effects;
  }

  onCaughtUp(seq: Seq, now: Millis): readonly RoomEffect[] {
    if (!this.isJoined) return [];
    if (!this.#cursor.covers(seq)) return this.#repair(now);
    if (this.#phase.kind === "live") return [];
    this.#phase = { kind: "live" };
    this.#attempt = 0;
    return [this.#statusEffect()];
  }

  onPresence(update: PresenceUpdate): readonly RoomEffect[] {
    const change = this.isJoined ? this.roster.onPresence(update) : undefined;
    return change === undefined ? [] : [{ kind: "presence", room: this.room, change }];
  }

  onTyping(user: string, on: boolean, now: Millis): readonly RoomEffect[] {
    const change = this.isJoined ? this.roster.onTyping(user, on, now) : undefined;
    return change === undefined ? [] : [this.#typingEffect(change)];
  }

  onReads(said: ReadsFrame["reads"]): readonly RoomEffect[] {
    if (!this.isJoined) return [];
    return said.flatMap(([user, seq]): RoomEffect[] => {
      const { reads } = this;
      const isNew = !reads.has(user);
      if (seq <= (reads.get(user) ?? 0) || (isNew && reads.size >= PRESENCE_NAMES_MAX)) return [];
      reads.set(user, seq);
      return [{ kind: "read", room: this.room, change: { user, seq, reads } }];
    });
  }

  onDisconnected(): readonly RoomEffect[] {
    this.#ownRead.onDisconnected();
    const wasJoined = this.isJoined;
    this.#phase = { kind: "wanted", notBefore: 0 };
    this.#mayBeMember = false;
    this.#typedAt = undefined;
    const effects: RoomEffect[] = wasJoined ? [this.#statusEffect()] : [];
    for (const change of this.roster.stopTyping()) effects.push(this.#typingEffect(change));
    return effects;
  }

  tick(now: Millis): readonly RoomEffect[] {
    return this.roster.tick(now).map((change) => this.#typingEffect(change));
  }

  /** The `typing` frame; empty when it would repeat the last one. */
  type(on: boolean, now: Millis): readonly string[] {
    if (!this.isJoined) return [];
    if (on && this.#typedAt !== undefined && now - this.#typedAt < TYPING_REPEAT_MS) return [];
    if (!on && this.#typedAt === undefined) return [];
    this.#typedAt = on ? now : undefined;
    return [JSON.stringify({ t: "typing", room: this.room, on })];
  }

  /** An own message ends the own typing for all members; the next key sends it again. */
  onSent(): void {
    this.#typedAt = undefined;
  }

  #repair(now: Millis): readonly RoomEffect[] {
    const attempt = this.#attempt++;
    const wait = attempt === 0 ? 0 : fullJitter(attempt, RETRY, this.#random); // sdk/room.2
    const wasJoined = this.isJoined;
    this.#phase = { kind: "wanted", notBefore: now + wait };
    return wasJoined ? [this.#statusEffect()] : [];
  }

  #leaveFrame(ref: number): string {
    return JSON.stringify({ t: "leave", ref, room: this.room });
  }

  #statusEffect(): RoomEffect {
    return { kind: "status", room: this.room, status: this.status };
  }

  #typingEffect(change: TypingChange): RoomEffect {
    return { kind: "typing", room: this.room, change };
  }
}
