// OwnerModel: the owner of a partition as a gateway sees it, in few lines. It numbers sends,
// recognises repeated ids, keeps lanes in step, and loses its state with a new tenure. The log
// survives tenures; the lanes and the presence do not.

import { unreachable } from "#shared/kit/assert.ts";
import type { Command, CommandBatch } from "#shared/protocol/commands.ts";
import type { Result, ResultWithLines } from "#shared/protocol/results.ts";
import { decodeEvent, encodeEvent } from "#shared/protocol/events.ts";
import type { Epoch, RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import { RANGE_BYTES_MAX, RANGE_EVENTS_MAX } from "#shared/protocol/limits.ts";

export interface Outgoing {
  readonly room: RoomId;
  readonly first: Seq;
  readonly lines: readonly string[];
}

export type Taken =
  | { readonly kind: "resync"; readonly lane: number }
  | { readonly kind: "ignored" }
  | {
      readonly kind: "taken";
      readonly results: readonly ResultWithLines[];
      readonly out: readonly Outgoing[];
    };

export class OwnerModel {
  /** The log: every room's lines from number 1 on. */
  readonly log = new Map<RoomId, string[]>();
  readonly #sent = new Map<string, { seq: Seq; at: number }>();
  readonly #lanes = new Map<string, { lane: number; next: number }>();
  readonly #present = new Map<RoomId, Set<UserId>>();
  /** Every accepted command in order, with repeats. */
  readonly taken: Command[] = [];
  epoch: Epoch = 1;
  /** The oldest number that `range` answers. The archive has older ones. */
  tailFrom: Seq = 1;
  /** Replaces the model's answer, for tests of a failing owner. */
  instead: ((command: Command) => Result | undefined) | undefined;

  /** A new owner with the log and no other state. */
  beginTenure(): void {
    this.epoch++;
    this.#lanes.clear();
    this.#present.clear();
  }

  take({ gw, lane, n, commands }: CommandBatch): Taken {
    const known = this.#lanes.get(gw) ?? { lane: 0, next: 1 };
    if (lane < known.lane) return { kind: "ignored" };
    if (n !== (lane === known.lane ? known.next : 1)) return { kind: "resync", lane };
    this.#lanes.set(gw, { lane, next: n + 1 });
    const out: Outgoing[] = [];
    const results = commands.map((command) => this.#do(command, out));
    return { kind: "taken", results, out };
  }

  head(room: RoomId): Seq {
    return this.log.get(room)?.length ?? 0;
  }

  present(room: RoomId): readonly UserId[] {
    return [...(this.#present.get(room) ?? [])];
  }

  range(room: RoomId, first: Seq, last: Seq, from: Seq = 1): string[] {
    if (first < from) return [];
    const lines: string[] = [];
    let bytes = 0;
    for (const line of (this.log.get(room) ?? []).slice(first - 1, last)) {
      bytes += Buffer.byteLength(line) + 1;
      if (lines.length >= RANGE_EVENTS_MAX || (lines.length > 0 && bytes > RANGE_BYTES_MAX)) break;
      lines.push(line);
    }
    return lines;
  }

  /** Appends a message to the log as if another gateway had sent it. */
  append(room: RoomId, text: string): Outgoing {
    const lines = this.log.get(room) ?? [];
    this.log.set(room, lines);
    const seq = lines.length + 1;
    const id = `0199d3c0-0000-7000-8000-${seq.toString(16).padStart(12, "0")}` as never;
    const from = "else" as UserId;
    lines.push(encodeEvent({ t: "msg", room, seq, id, from, at: seq, body: { text } }));
    return { room, first: seq, lines: lines.slice(-1) };
  }

  #do(command: Command, out: Outgoing[]): ResultWithLines {
    this.taken.push(command);
    const replaced = this.instead?.(command);
    if (replaced !== undefined) return { result: replaced };
    const { c } = command;
    switch (command.op) {
      case "send":
        return { result: { c, ok: "sent", ...this.#send(command, out) } };
      case "join": {
        this.#members(command.room).add(command.user);
        const users = this.present(command.room);
        const head = this.head(command.room);
        const born = this.born(command.room);
        return { result: { c, ok: "joined", head, born, here: users.length, users } };
      }
      case "leave":
        this.#members(command.room).delete(command.user);
        return { result: { c, ok: "left" } };
      case "head":
        return {
          result: { c, ok: "head", head: this.head(command.room), born: this.born(command.room) },
        };
      case "range": {
        const lines = this.range(command.room, command.first, command.last, this.tailFrom);
        return { result: { c, ok: "range", first: command.first, count: lines.length }, lines };
      }
      case "sync": {
        for (const [room, , users] of command.rooms) this.#present.set(room, new Set(users));
        const heads = command.rooms.map(
          ([room]) => [room, this.head(room), this.born(room)] as const,
        );
        return { result: { c, ok: "synced", heads } };
      }
      case "edit":
      case "delete":
      case "react":
      case "pin":
      case "create":
      case "member":
      case "update":
      case "invite":
      case "revoke":
      case "enter":
      case "about":
      case "members":
      case "invites":
      case "import":
        return { result: { c, error: "unknown_type" } }; // The model has open rooms only.
      default:
        return unreachable(command);
    }
  }

  /** The id of its first message. A test may change it. */
  born = (room: RoomId): string => {
    const first = this.log.get(room)?.[0];
    return first === undefined ? "" : decodeEvent(first).id;
  };

  #send(
    { room, from, id, body }: Extract<Command, { op: "send" }>,
    out: Outgoing[],
  ): { seq: Seq; at: number; repeat?: true } {
    const key = `${room} ${from} ${id}`;
    const known = this.#sent.get(key);
    if (known !== undefined) return { ...known, repeat: true };
    const lines = this.log.get(room) ?? [];
    this.log.set(room, lines);
    const seq = lines.length + 1;
    const answer = { seq, at: 1_000 + seq };
    lines.push(encodeEvent({ t: "msg", room, seq, id, from, at: answer.at, body }));
    this.#sent.set(key, answer);
    out.push({ room, first: seq, lines: lines.slice(-1) });
    return answer;
  }

  #members(room: RoomId): Set<UserId> {
    const members = this.#present.get(room) ?? new Set();
    this.#present.set(room, members);
    return members;
  }
}

/** The n-th message id of a test, with a fixed time. */
export function idOf(n: number): string {
  return `0199d3c0-0000-7000-8000-${n.toString(16).padStart(12, "0")}`;
}
