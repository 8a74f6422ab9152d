// Pace: judges the times of messages and edits, by the rooms' own lines in the archive.
//
//   pace.1. In a room with slow mode a user below moderator has so many seconds between two
//        messages, by their times or by the records of the client, whose wait may have begun when
//        the owner's clock went back. A change of the seconds begins again. A message with the time
//        of the event before it is not judged: an owner whose clock is behind the room gives all
//        events the same time (O13), and measures the wait with a clock that no record shows.
//   pace.2. In a room with an edit window no edit is later than so many seconds after its message.
//
// It knows the protocol page and shares no code with the services.

import { parseObject } from "#shared/kit/json.ts";
import type { JsonObject } from "#shared/kit/json.ts";
import type { MessageId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { Column } from "./column.ts";
import type { Members } from "./members.ts";
import type { Messages } from "./messages.ts";
import type { Fail } from "./violation.ts";

interface SentMessage {
  readonly at: number;
  readonly m: number;
  /** `at` is what the owner's clock showed. */
  readonly isByClock: boolean;
}

class Room {
  isDirect = false;
  slowMode = 0;
  editWindow = 0;
  /** The times of messages, from the first one on; 0: no message. */
  readonly sentAt = new Column();
  firstAt = 0;
  /** The time of the newest event. */
  lastAt = 0;
  /** By sender: the last message since the slow mode began. */
  readonly last = new Map<UserId, SentMessage>();
}

export class Pace {
  readonly #members: Members;
  readonly #messages: Messages;
  readonly #fail: Fail;
  readonly #rooms = new Map<RoomId, Room>();
  /** Messages that a slow mode could have refused. */
  slowed = 0;

  constructor(members: Members, messages: Messages, fail: Fail) {
    this.#members = members;
    this.#messages = messages;
    this.#fail = fail;
  }

  /** Lines of the archive, each room in order, each after `members` has taken it. */
  takeArchived(text: string): void {
    const line = parseObject(text);
    if (line === undefined) return;
    const id = line["room"] as RoomId;
    const room = this.#rooms.get(id) ?? new Room();
    this.#rooms.set(id, room);
    if (line["t"] === "room") onSettings(room, line);
    else if (line["t"] === "msg") this.#onMessage(room, id, line);
    else if (line["t"] === "edited") this.#onEdit(room, id, line);
    room.lastAt = Number(line["at"]);
  }

  /** pace.1. */
  #onMessage(room: Room, id: RoomId, line: JsonObject): void {
    const [seq, at, from] = [Number(line["seq"]), Number(line["at"]), line["from"] as UserId];
    if (room.firstAt === 0) room.firstAt = at;
    room.sentAt.set(seq, at - room.firstAt + 1);
    if (room.slowMode === 0) return;
    const last = room.last.get(from);
    const m = this.#messages.number(line["id"] as MessageId);
    const isByClock = at > room.lastAt;
    room.last.set(from, { at, m, isByClock });
    const role = this.#members.roleAt(id, from, seq - 1);
    if (last === undefined || room.isDirect || role === "moderator" || role === "owner") return;
    if (!last.isByClock || !isByClock) return;
    this.slowed++;
    const ms = Math.max(at - last.at, this.#elapsed(last.m, m));
    if (ms >= room.slowMode * 1_000) return;
    const rule = `the slow mode is ${room.slowMode} s`;
    this.#fail("I16", `${id} ${seq}: ${from} sent ${ms} ms after the last message; ${rule}`);
  }

  /** The longest time that can have passed between the decisions of two messages. */
  #elapsed(first: number, second: number): number {
    const ackedAt = this.#messages.ackedAt.at(second);
    if (first === 0 || ackedAt === 0) return Infinity;
    return ackedAt - this.#messages.at.at(first) + 1;
  }

  /** pace.2. */
  #onEdit(room: Room, id: RoomId, line: JsonObject): void {
    if (room.editWindow === 0) return;
    const [seq, target] = [Number(line["seq"]), Number(line["target"])];
    const age = Number(line["at"]) - room.firstAt + 1 - room.sentAt.at(target);
    if (age <= room.editWindow * 1_000) return;
    const rule = `the edit window is ${room.editWindow} s`;
    this.#fail("I17", `${id} ${seq}: an edit of ${target} after ${age} ms; ${rule}`);
  }
}

function onSettings(room: Room, line: JsonObject): void {
  const { kind, slowMode = 0, editWindow = 0 } = line;
  room.isDirect = kind === "direct";
  if (slowMode !== room.slowMode) room.last.clear();
  room.slowMode = Number(slowMode);
  room.editWindow = Number(editWindow);
}
