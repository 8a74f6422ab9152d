// Control: sends one request to every process of a cluster and collects the answers.
//
// The command has no list of the processes. It collects the answers that arrive within GATHER_MS,
// and skips an answer that it cannot decode. Of the embedded cluster it knows the pids: when all of
// them have answered, it waits QUIET_MS for a process that was started beside them.

import { hostname, userInfo } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { connectNats } from "#shared/adapters/nats-connect.ts";
import type { NatsAccess } from "#shared/adapters/nats-connect.ts";
import {
  decodeDrain,
  decodeKick,
  decodeRooms,
  decodeStatus,
  encodeControl,
} from "#shared/protocol/control.ts";
import type { ControlRequest, ControlVerb, ProcessStatus } from "#shared/protocol/control.ts";
import type { ProcessId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { subjects } from "#shared/protocol/subjects.ts";

const GATHER_MS = 1_000;
const QUIET_MS = 50;

/** `user@host`, for the logs of the processes. */
export function operatorName(): string {
  return `${userInfo().username}@${hostname()}`;
}

/** `known`: the pids of all processes that will answer, where the caller knows them. */
export async function askStatus(
  nats: NatsAccess,
  known?: ReadonlySet<number>,
): Promise<readonly ProcessStatus[]> {
  const missing = new Set(known);
  const isLast = (text: string): boolean => {
    missing.delete(decodeStatus(text)?.pid ?? 0);
    return known !== undefined && known.size > 0 && missing.size === 0;
  };
  const answers = await ask(nats, "status", {}, isLast);
  return answers.flatMap((text) => decodeStatus(text) ?? []);
}

/** A room over all gateways. */
export interface RoomSummary {
  readonly room: RoomId;
  readonly sessions: number;
  readonly head: number;
}

/**
 * Rooms with sessions, the largest first; `more`: the number of rooms that the answers left out.
 */
export async function askRooms(
  nats: NatsAccess,
): Promise<{ readonly rooms: readonly RoomSummary[]; readonly more: number }> {
  const answers = (await ask(nats, "rooms", {})).flatMap((text) => decodeRooms(text) ?? []);
  const found = new Map<RoomId, RoomSummary>();
  for (const [room, sessions, head] of answers.flatMap(({ rooms }) => rooms)) {
    const before = found.get(room);
    found.set(room, {
      room,
      sessions: sessions + (before?.sessions ?? 0),
      head: Math.max(head, before?.head ?? 0),
    });
  }
  const rooms = [...found.values()].toSorted((a, b) => b.sessions - a.sessions);
  return { rooms, more: answers.reduce((sum, { more }) => sum + more, 0) };
}

/** True when the process answered that it drains. */
export async function askDrain(nats: NatsAccess, id: ProcessId): Promise<boolean> {
  return (await ask(nats, "drain", { id })).some((text) => decodeDrain(text) !== undefined);
}

/** The number of connections that the gateways closed. */
export async function askKick(nats: NatsAccess, user: UserId): Promise<number> {
  const answers = await ask(nats, "kick", { user });
  return answers.reduce((sum, text) => sum + (decodeKick(text)?.closed ?? 0), 0);
}

async function ask(
  nats: NatsAccess,
  verb: ControlVerb,
  more: Omit<ControlRequest, "v" | "by">,
  isLast: (answer: string) => boolean = () => false,
): Promise<readonly string[]> {
  const options = { ...nats, name: "parley", inboxPrefix: "_INBOX_ctl" };
  const connection = await connectNats(options);
  try {
    const request = encodeControl({ by: operatorName(), ...more });
    const answers: string[] = [];
    const gathered = await connection.requestMany(subjects.control(verb), request, {
      strategy: "timer",
      maxWait: GATHER_MS,
    });
    const whole = Promise.withResolvers<void>();
    const gather = async (): Promise<void> => {
      for await (const message of gathered) {
        if (message.data.length === 0) continue;
        const answer = message.string();
        answers.push(answer);
        if (isLast(answer)) whole.resolve();
      }
    };
    await Promise.race([gather(), whole.promise.then(() => sleep(QUIET_MS))]);
    return [...answers];
  } finally {
    await connection.close();
  }
}
