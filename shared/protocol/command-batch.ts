// Command batch: both halves of the message that a lane publishes on `cmd.<p>`.
//
// All gateways share one NATS user, so the sender of a batch is not proven. The owner accepts a
// batch only when every part of it is valid. One malformed command refuses the whole batch, and
// nothing changes. A command with an unknown op is one of a newer gateway: its number is kept, so
// that the owner can refuse it alone (N6). The decoder is written by hand, because every message of
// every user passes through it.
//
//   command-batch.1. A decoded batch has the declared types and keeps every bound that a
//        gateway keeps.
//   command-batch.2. No text makes the decoder throw.
//   command-batch.3. Every op has its row in IS_VALID. An op without a row does not compile.

import { isObject, parseObject } from "../kit/json.ts";
import type { JsonObject } from "../kit/json.ts";
import { isBodyTooLarge, isCleanBody } from "./body.ts";
import { COMMAND_VERSION } from "./commands.ts";
import type { Command, CommandBatch } from "./commands.ts";
import { isMessageId, isProcessId, isRoomId, isUserId } from "./ids.ts";
import { BODY_BYTES_MAX, COMMAND_BATCH_BYTES_MAX } from "./limits.ts";
import { LANE_INCARNATION_MAX, SYNC_ROOMS_MAX } from "./limits.ts";

/** Twice the bound of a lane, which does not count the `late` that it adds on a resend. */
const TEXT_UNITS_MAX = 2 * COMMAND_BATCH_BYTES_MAX;
const TRACE_UNITS_MAX = 128;

/** One command. A lane encodes it once and keeps the text for resends. */
export function encodeCommand(command: Command): string {
  return JSON.stringify(command);
}

/** The same command with `late` (commands.ts). */
export function encodeLate(command: string): string {
  return `${command.slice(0, -1)},"late":true}`;
}

/** `commands` are texts of `encodeCommand`. */
export function encodeCommandBatch(
  { gw, lane, n }: Omit<CommandBatch, "v" | "commands">,
  commands: readonly string[],
): string {
  const head = `"v":${COMMAND_VERSION},"gw":"${gw}","lane":${lane},"n":${n}`;
  return `{${head},"commands":[${commands.join(",")}]}`;
}

/** Undefined unless the text is a whole batch of a known version. */
export function decodeCommandBatch(text: string): CommandBatch | undefined {
  if (text.length > TEXT_UNITS_MAX) return undefined;
  const batch = parseObject(text);
  if (batch?.["v"] !== COMMAND_VERSION || !isProcessId(batch["gw"])) return undefined;
  const { lane, n, commands } = batch;
  if (!isPositive(lane) || lane > LANE_INCARNATION_MAX || !isPositive(n)) return undefined;
  if (!Array.isArray(commands)) return undefined;
  // A body in a text shorter than the largest body needs no measuring.
  const isLong = text.length > BODY_BYTES_MAX;
  const unknown: number[] = [];
  for (const command of commands as readonly unknown[]) {
    if (!isObject(command) || !isPositive(command["c"])) return undefined;
    const { op } = command;
    if (typeof op !== "string") return undefined;
    if (!isOp(op)) unknown.push(command["c"]);
    else if (!IS_VALID[op](command, isLong)) return undefined;
  }
  const head = { v: COMMAND_VERSION, gw: batch["gw"], lane, n } as const;
  const all = commands as readonly Command[];
  if (unknown.length === 0) return { ...head, commands: all };
  return { ...head, commands: all.filter(({ op }) => isOp(op)), unknown };
}

type IsValid = (command: JsonObject, isLong: boolean) => boolean;

/** What each op must have beside `c` (command-batch.3). */
const IS_VALID: { readonly [Op in Command["op"]]: IsValid } = {
  send: (command, isLong) => isWrite(command) && hasMessage(command, isLong),
  join: ({ room, user }) => isRoomId(room) && isUserId(user),
  leave: ({ room, user }) => isRoomId(room) && isUserId(user),
  head: ({ room }) => isRoomId(room),
  range: ({ room, first, last }) => isRoomId(room) && isPositive(first) && isSequence(last),
  sync: ({ rooms }) => isSync(rooms),
};

function isOp(op: string): op is Command["op"] {
  return Object.hasOwn(IS_VALID, op);
}

/** What every write has. */
function isWrite({ room, from, id, trace, late }: JsonObject): boolean {
  if (!isRoomId(room) || !isUserId(from) || !isMessageId(id)) return false;
  if (trace !== undefined && !(typeof trace === "string" && trace.length <= TRACE_UNITS_MAX)) {
    return false;
  }
  return late === undefined || late === true;
}

function hasMessage({ body, replyTo }: JsonObject, isLong: boolean): boolean {
  if (replyTo !== undefined && !isPositive(replyTo)) return false;
  return isObject(body) && isCleanBody(body) && !(isLong && isBodyTooLarge(body));
}

function isSync(rooms: unknown): boolean {
  if (!Array.isArray(rooms) || rooms.length > SYNC_ROOMS_MAX) return false;
  return (rooms as readonly unknown[]).every((item) => {
    if (!Array.isArray(item)) return false;
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
