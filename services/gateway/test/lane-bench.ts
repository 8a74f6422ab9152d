// LaneBench: a lane with a clock that the test moves, and its effects.

import type { Command, CommandBatch } from "#shared/protocol/commands.ts";
import type { Result } from "#shared/protocol/results.ts";
import type { MessageId, ProcessId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { Lane } from "../core/lane.ts";
import type { LaneEffect, LaneInput } from "../core/lane-io.ts";
import { SharedBound } from "../core/shared-bound.ts";
import type { SyncRoom } from "../core/sync.ts";
import { idOf } from "./owner-model.ts";

export const ROOM = "general" as RoomId;
export const ADA = "ada" as UserId;

/** A lane with its clock and its effects. */
export class LaneBench {
  now = 0;
  rooms: SyncRoom[] = [];
  readonly batches: CommandBatch[] = [];
  readonly answers: { name: string; result: Result }[] = [];
  readonly heads: unknown[] = [];
  suspects = 0;
  #number = 0;
  readonly lane: Lane<string>;

  /** `total`: the bound that it shares with other lanes. */
  constructor(total = new SharedBound(Infinity)) {
    this.lane = new Lane<string>({
      gw: "gw-1" as ProcessId,
      nextNumber: () => ++this.#number,
      localRooms: () => this.rooms,
      total,
    });
  }

  step(input: LaneInput<string>): void {
    for (const effect of this.lane.step(input, this.now)) this.#perform(effect);
  }

  #perform(effect: LaneEffect<string>): void {
    if (effect.kind === "flush-soon") this.step({ kind: "flush" });
    else if (effect.kind === "publish") this.batches.push(JSON.parse(effect.batch) as CommandBatch);
    else if (effect.kind === "answer") {
      this.answers.push({ name: effect.context, result: effect.answer.result });
    } else if (effect.kind === "heads") this.heads.push(...effect.heads);
    else this.suspects++;
  }

  send(name: string, text = name, more: { unordered?: true } = {}): void {
    const id = idOf(this.#number) as MessageId;
    const command = { op: "send", room: ROOM, from: ADA, id, body: { text }, ...more } as const;
    this.step({ kind: "submit", command, context: name });
  }

  /** Advances time and wakes the lane at its wake-up times. */
  advance(ms: number): void {
    const until = this.now + ms;
    for (let at = this.lane.wakeAt; at !== undefined && at <= until; at = this.lane.wakeAt) {
      this.now = Math.max(this.now, at);
      this.step({ kind: "wake" });
    }
    this.now = until;
  }

  sent(c: number, epoch = 1, more: { repeat?: true } = {}): void {
    const answers = [{ result: { c, ok: "sent", seq: c, at: 0, ...more } as const }];
    this.step({ kind: "results", epoch, answers });
  }

  refused(c: number, error: "busy" | "bad_id", epoch = 1): void {
    this.step({ kind: "results", epoch, answers: [{ result: { c, error } }] });
  }

  /** Batches since the last call: [incarnation, number, commands]. */
  left(): [number, number, string[]][] {
    return this.batches.splice(0).map(({ lane, n, commands }) => [lane, n, commands.map(nameOf)]);
  }

  names(): string[] {
    return this.answers.splice(0).map(({ name, result }) => `${name} ${verdict(result)}`);
  }
}

const nameOf = (command: Command): string =>
  command.op === "send" ? String(command.body["text"]).slice(0, 8) : command.op;
const verdict = (result: Result): string => ("error" in result ? result.error : result.ok);
