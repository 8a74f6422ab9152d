// Writes: decides each write of a tenure: a new number, its old number, a refusal, or a wait for
// the archive.
//
// Owns: the writes that wait for a look-up, and the order of decisions. Does not own: sequence
// numbers and ids (room.ts), the loading of rooms (room-table.ts), appends (tenure.ts), the
// differences between kinds of writes (COMMANDS of shared/protocol/commands.ts).
//
//   writes.1. The writes of one sender to one room are decided in order of arrival. A temporarily
//       refused write holds back the writes after it (holds.ts). A write over HTTP has no order: it
//       waits for its own look-up only, holds back no other write, and none holds it back.
//   writes.2. Every write is answered once: by its entry in the commit window, or by a refusal
//        here.
//   writes.3. A write that was refused permanently stays refused, also when its reason has ended
//        (refused-writes.ts).

import { isTraceparent } from "#shared/kit/traceparent.ts";
import { behaviourOf, isWrite } from "#shared/protocol/commands.ts";
import type { ImportCommand, Write } from "#shared/protocol/commands.ts";
import type { ErrorName } from "#shared/protocol/errors.ts";
import type { LogSeq, Millis, ProcessId, RoomId, UserId } from "#shared/protocol/ids.ts";
import type { CommitWindow } from "./commit.ts";
import type { Input, WallOffset } from "./partition-io.ts";
import { LookUps } from "./look-ups.ts";
import { RefusedWrites } from "./refused-writes.ts";
import type { Answer } from "./look-ups.ts";
import type { EffectBuffer } from "./effect-buffer.ts";
import type { Arrival, Room } from "./room.ts";
import type { RoomMemory } from "./room-memory.ts";
import type { RoomTable } from "./room-table.ts";
import type { RunningTime } from "./running-time.ts";

export class Writes {
  readonly #rooms: RoomTable;
  readonly #memory: RoomMemory;
  readonly #window: CommitWindow;
  readonly #out: EffectBuffer;
  readonly #wallOffset: WallOffset;
  readonly #running: RunningTime;
  readonly #lookUps = new LookUps();
  readonly #refused = new RefusedWrites();
  #flushIsDue = false;

  constructor(parts: {
    readonly rooms: RoomTable;
    readonly memory: RoomMemory;
    readonly window: CommitWindow;
    readonly out: EffectBuffer;
    readonly wallOffset: WallOffset;
    readonly running: RunningTime;
  }) {
    this.#rooms = parts.rooms;
    this.#memory = parts.memory;
    this.#window = parts.window;
    this.#out = parts.out;
    this.#wallOffset = parts.wallOffset;
    this.#running = parts.running;
  }

  /** Decides a write to a loaded room, or queues it behind the look-ups of its sender. */
  write(room: Room, arrival: Arrival<Write>, now: Millis): void {
    const { from, unordered } = arrival.command;
    if (!this.#lookUps.isWaiting(room.id, from)) {
      this.#decide(room, arrival, now);
      return;
    }
    const isUnsure = room.isUnsure(arrival.command, now + this.#wallOffset.aheadMs);
    if (unordered === true && !isUnsure) {
      this.#decide(room, arrival, now);
      return;
    }
    const needsLookUp = isUnsure && arrival.isRefused !== true;
    if (this.#lookUps.wait(room, arrival, needsLookUp)) return;
    if (unordered === true) {
      this.refuseTemporarily(arrival, "busy", now);
      return;
    }
    // O4: a refusal now would make this write the first refused one, although earlier writes still
    // wait.
    const command = behaviourOf(arrival.command).hold.empty(arrival.command);
    this.#lookUps.waitRefused(room, { ...arrival, command, isRefused: true });
  }

  /** Decides a part of an import to a loaded room (imports.ts). */
  importInto(room: Room, { gateway, command }: Arrival<ImportCommand>, now: Millis): void {
    const { c } = command;
    if (this.#window.isFull || this.#memory.isFull) {
      this.#out.refuse(gateway, c, "busy");
      return;
    }
    const decision = room.decideImport(command, now + this.#wallOffset.aheadMs);
    if (decision.kind === "refuse") {
      this.#out.refuse(gateway, c, decision.error);
      return;
    }
    const { lines, at } = decision;
    const seq = decision.seq + lines.length - 1;
    this.#window.add(room.id, decision.seq, lines, gateway, { result: { c, ok: "sent", seq, at } });
    this.#flushSoon();
  }

  /** Refuses a command temporarily. Later writes of its sender may not overtake it (holds.ts). */
  refuseTemporarily(
    arrival: Arrival,
    error: "busy" | "unavailable" | "rate_limited",
    now: Millis,
    afterMs?: Millis,
  ): void {
    const { gateway, command, ranMs } = arrival;
    const ran = this.#running.at(now);
    if (isWrite(command) && command.unordered !== true) {
      this.#rooms.get(command.room)?.holds.hold(command.from, command.id, ranMs, ran);
    }
    if (afterMs === undefined) this.#out.refuse(gateway, command.c, error);
    else this.#out.reply(gateway, { result: { c: command.c, error, afterMs } });
  }

  onLookedUp(input: Extract<Input, { kind: "looked-up" }>, now: Millis): void {
    this.#lookUps.answer(input);
    this.#serve(input.room, input.from, now);
  }

  /** Refuses the writes that have waited for the archive since before `limit`. */
  expire(limit: Millis, now: Millis): void {
    const { expired, queues } = this.#lookUps.expire(limit);
    for (const arrival of expired) this.refuseTemporarily(arrival, "unavailable", now);
    for (const { room, from } of queues) this.#serve(room.id, from, now);
  }

  /** Drops the waiting writes of a gateway that resends them or is gone. */
  dropOf(gateway: ProcessId, now: Millis): void {
    for (const { room, from } of this.#lookUps.dropOf(gateway)) this.#serve(room.id, from, now);
  }

  /** Ends a step: adds the look-ups to request now. */
  requestLookUps(watermark: LogSeq): void {
    for (const effect of this.#lookUps.request(watermark)) this.#out.effect(effect);
  }

  flushed(): void {
    this.#flushIsDue = false;
  }

  #serve(id: RoomId, from: UserId, now: Millis): void {
    const room = this.#rooms.get(id);
    if (room === undefined) return;
    for (;;) {
      // O4: a write behind a refused one is refused while the refused one is still held.
      const next = this.#lookUps.take(id, from, (arrival) => isHeld(room, arrival));
      if (next === undefined) return;
      this.#decide(room, next.arrival, now, next.answer);
    }
  }

  /**
   * Refuses a write permanently. A refusal by rights that the log has not confirmed waits for the
   * commit (room/room.6).
   */
  #refuse(room: Room, { gateway, command }: Arrival<Write>, error: ErrorName): void {
    room.holds.release(command.from, command.id); // It gets no number: nothing waits for it.
    const result = { c: command.c, error };
    if (room.isChanging && this.#window.attach(gateway, { result })) return;
    this.#out.reply(gateway, { result });
  }

  #decide(room: Room, arrival: Arrival<Write>, now: Millis, answer?: Answer): void {
    const { gateway, command } = arrival;
    const { c, from, id } = command;
    const refused = this.#refused.find(command, now);
    if (refused !== undefined) {
      this.#refuse(room, arrival, refused); // writes.3
      return;
    }
    if (answer?.kind === "unavailable") {
      this.refuseTemporarily(arrival, "unavailable", now);
      return;
    }
    if (arrival.isRefused === true || this.#window.isFull || this.#memory.isFull) {
      this.refuseTemporarily(arrival, "busy", now);
      return;
    }
    const held = isHeld(room, arrival);
    const decision = room.decide(command, now + this.#wallOffset.aheadMs, answer, held);
    switch (decision.kind) {
      case "look-up": {
        if (this.#lookUps.isWaiting(room.id, from)) this.#lookUps.waitFirst(room, arrival);
        else if (!this.#lookUps.wait(room, arrival, true))
          this.refuseTemporarily(arrival, "busy", now);
        return;
      }
      case "refuse": {
        const { error, afterMs } = decision;
        if (error === "busy" || error === "unavailable" || error === "rate_limited") {
          this.refuseTemporarily(arrival, error, now, afterMs);
          return;
        }
        this.#refused.add(command, error, now);
        this.#refuse(room, arrival, error);
        return;
      }
      case "repeat": {
        const { seq, at } = decision;
        const again = { result: { c, ok: "sent", seq, at, repeat: true } } as const;
        // The id is still in flight: both answers wait for the same entry.
        if (seq > room.head && this.#window.attach(gateway, again)) return;
        this.#out.reply(gateway, again);
        return;
      }
      case "event": {
        const { seq, at, lines, notes } = decision;
        room.holds.release(from, id);
        this.#window.add(room.id, seq, lines, gateway, { result: { c, ok: "sent", seq, at } });
        this.#window.note(notes);
        if (isTraceparent(command.trace)) this.#window.trace(room.id, command.trace);
        this.#flushSoon();
      }
    }
  }

  #flushSoon(): void {
    if (this.#flushIsDue) return;
    this.#flushIsDue = true;
    this.#out.effect({ kind: "flush-soon" });
  }
}

/** Whether an earlier refused write of the sender must come first (holds.ts). */
function isHeld({ holds }: Room, { command, ranMs }: Arrival<Write>): boolean {
  const { from, id, unordered } = command;
  return unordered !== true && holds.isHeld(from, id, ranMs);
}
