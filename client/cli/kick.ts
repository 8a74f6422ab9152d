// Kick: `parley kick` revokes a user's tokens and closes the user's connections.

import type { NatsAccess } from "#shared/adapters/nats-connect.ts";
import type { UserId } from "#shared/protocol/ids.ts";
import { CliError } from "./cli-error.ts";
import { asOperator } from "./control.ts";

const FULL =
  "the tokens of too many users are revoked already, and no more fit: each ends 31 days after its kick";
const AWAY =
  "no persistence process stores the revocation, and no connection was closed: see parley status";

/**
 * Resolves with the number of connections that were closed at once. Rejects with CliError, and with
 * NatsUnreachable.
 */
export async function kick(nats: NatsAccess, user: UserId): Promise<number> {
  const outcome = await asOperator(nats, (requests, by) => requests.kick(by, user));
  if (outcome.kind === "kicked") return outcome.closed;
  const isFull = outcome.reason === "full";
  throw new CliError(isFull ? FULL : AWAY, { code: isFull ? "too_many_revocations" : "away" });
}
