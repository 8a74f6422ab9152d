// Command batches: the decoder of what gateways publish on `cmd.<p>`.
//
// A gateway's NATS user is one for all gateways, so the sender of a batch is not proven. The owner
// takes a batch only when it is whole: one malformed command refuses all of it, and nothing changes.
// Written by hand: every message of every user passes here.
//
//   command-batch.1. What is returned has the declared types, and every bound that a gateway keeps is kept.
//   command-batch.2. No text makes it throw.

import { isObject, parseObject } from "../kit/json.ts";
import type { JsonObject } from "../kit/json.ts";
import { isBodyTooLarge, isCleanBody } from "./body.ts";
import { COMMAND_VERSION } from "./commands.ts";
import type { CommandBatch } from "./commands.ts";
import { isMessageId, isProcessId, isRoomId, isUserId } from "./ids.ts";
import { BODY_BYTES_MAX, COMMAND_BATCH_BYTES_MAX } from "./limits.ts";
import { LANE_INCARNATION_MAX, SYNC_ROOMS_MAX } from "./limits.ts";

/** A lane counts without the marks that it adds when it sends again. */
const TEXT_UNITS_MAX = 2 * COMMAND_BATCH_BYTES_MAX;
const TRACE_UNITS_MAX = 128;

/** Undefined for what is not a whole batch of a version that we know. */
export function decodeCommandBatch(text: string): CommandBatch | undefined {
  if (text.length > TEXT_UNITS_MAX) return undefined;
  const batch = parseObject(text);
  if (batch?.["v"] !== COMMAND_VERSION || !isProcessId(batch["gw"])) return undefined;
  const { lane, n, commands } = batch;
  if (!isPositive(lane) || lane > LANE_INCARNATION_MAX || !isPositive(n)) return undefined;
  if (!Array.isArray(commands)) return undefined;
  // A body inside a text that is smaller than a body may be needs no measuring.
  const isLong = text.length > BODY_BYTES_MAX;
  for (const command of commands as readonly unknown[]) {
    if (!isObject(command) || !isPositive(command["c"])) return undefined;
    if (!isCommand(command, isLong)) return undefined;
  }
  return batch as unknown as CommandBatch;
}

function isCommand(command: JsonObject, isLong: boolean): boolean {
  switch (command["op"]) {
    case "send":
      return isRoomId(command["room"]) && isSend(command, isLong);
    case "join":
    case "leave":
      return isRoomId(command["room"]) && isUserId(command["user"]);
    case "head":
      return isRoomId(command["room"]);
    case "range":
      return (
        isRoomId(command["room"]) && isPositive(command["first"]) && isSequence(command["last"])
      );
    case "sync":
      return isSync(command["rooms"]);
    default:
      return false;
  }
}

function isSend({ from, id, body, replyTo, trace, late }: JsonObject, isLong: boolean): boolean {
  if (!isUserId(from) || !isMessageId(id) || !isObject(body)) return false;
  if (replyTo !== undefined && !isPositive(replyTo)) return false;
  if (trace !== undefined && !(typeof trace === "string" && trace.length <= TRACE_UNITS_MAX)) {
    return false;
  }
  if (late !== undefined && late !== true) return false;
  return isCleanBody(body) && !(isLong && isBodyTooLarge(body));
}

function isSync(rooms: unknown): boolean {
  if (!Array.isArray(rooms) || rooms.length > SYNC_ROOMS_MAX) return false;
  return (rooms as readonly unknown[]).every((item) => {
    if (!Array.isArray(item) || item.length !== 3) return false;
    const [room, last, users] = item as readonly unknown[];
    return isRoomId(room) && isSequence(last) && Array.isArray(users) && users.every(isUserId);
  });
}

function isPositive(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

function isSequence(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
