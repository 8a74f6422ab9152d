// Kick: `parley kick` revokes a user's tokens and closes the user's connections.
//
// The revocation is stored first, by persistence, as for `POST /v1/users/{user}/revoke`. A
// connection that opens between the two steps with an old token is closed when its gateway receives
// the revocation, within two seconds (E6).

import { connectNats } from "#shared/adapters/nats-connect.ts";
import type { NatsAccess } from "#shared/adapters/nats-connect.ts";
import type { UserId } from "#shared/protocol/ids.ts";
import { decodeSessionAnswer, encodeSessionRequest } from "#shared/protocol/session-requests.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import { CliError } from "./cli-error.ts";
import { askKick, operatorName } from "./control.ts";

const TIMEOUT_MS = 5_000;
const FULL =
  "the tokens of too many users are revoked already, and no more fit: each ends 31 days after its kick";
const AWAY =
  "no persistence process stores the revocation, and no connection was closed: see parley status";

/**
 * Resolves with the number of connections that were closed at once. Rejects with CliError, and with
 * NatsUnreachable.
 */
export async function kick(nats: NatsAccess, user: UserId): Promise<number> {
  await revoke(nats, user);
  return askKick(nats, user);
}

async function revoke(nats: NatsAccess, user: UserId): Promise<void> {
  const connection = await connectNats({ ...nats, name: "parley", inboxPrefix: "_INBOX_ctl" });
  try {
    const request = encodeSessionRequest({ op: "revoke", user, by: operatorName() });
    const answer = await connection
      .request(subjects.sessions, request, { timeout: TIMEOUT_MS })
      .then((message) => decodeSessionAnswer(message.string()))
      .catch(() => undefined);
    if (answer?.ok === true) return;
    const isFull = answer?.ok === false && answer.error === "full";
    throw new CliError(isFull ? FULL : AWAY, { code: isFull ? "too_many_revocations" : "away" });
  } finally {
    await connection.close();
  }
}
