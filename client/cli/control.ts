// Control: the connection of a command to NATS as the operator.

import { hostname, userInfo } from "node:os";
import { connectNats } from "#shared/adapters/nats-connect.ts";
import type { NatsAccess } from "#shared/adapters/nats-connect.ts";
import { OperatorRequests } from "#shared/adapters/operator-requests.ts";
import type { RoomSummaries } from "#shared/adapters/operator-requests.ts";
import type { ProcessStatus } from "#shared/protocol/control.ts";

/** `user@host`, for the logs of the processes. */
export function operatorName(): string {
  return `${userInfo().username}@${hostname()}`;
}

/** Runs one request on a connection of its own. Rejects with NatsUnreachable. */
export async function asOperator<T>(
  nats: NatsAccess,
  run: (requests: OperatorRequests, by: string) => Promise<T>,
): Promise<T> {
  const connection = await connectNats({ ...nats, name: "parley", inboxPrefix: "_INBOX_ctl" });
  try {
    return await run(new OperatorRequests(connection), operatorName());
  } finally {
    await connection.close();
  }
}

/** `known`: the pids of all processes that will answer, where the caller knows them. */
export function askStatus(
  nats: NatsAccess,
  known?: ReadonlySet<number>,
): Promise<readonly ProcessStatus[]> {
  return asOperator(nats, (requests, by) => requests.status(by, known));
}

export function askRooms(nats: NatsAccess): Promise<RoomSummaries> {
  return asOperator(nats, (requests, by) => requests.rooms(by));
}
