// EraseCommand: `parley erase <user>`, with PostgreSQL as the list and a gateway for the deletions.
//
// Owns: the flags, the two adapters and the exit code. Does not own: the steps (erase.ts). The
// report is one line of JSON.

import { setTimeout as wait } from "node:timers/promises";
import type { Command } from "commander";
import type { Client } from "pg";
import { parseObject } from "#shared/kit/json.ts";
import { ERRORS } from "#shared/protocol/errors.ts";
import type { ErrorName } from "#shared/protocol/errors.ts";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import { userOf } from "./arguments.ts";
import type { Caller } from "./change.ts";
import { CliError } from "./cli-error.ts";
import { eraseMessages } from "./erase.ts";
import type { EraseParts, MessagePlace, Removal } from "./erase.ts";

/** The user of the job in deletions, with AUTH=dev. */
const OPERATOR = "operator";

/** $1 user, $2 and $3 the place behind which it begins, $4 how many, $5 the JSON of the sender. */
const MESSAGES = `select room, seq from (
    select room, seq from events where sender = $1 and kind = 'msg' and line::jsonb -> 'deleted' is null
    union
    select room, seq from quarantine q where seq is not null and position($5 in line) > 0
      and position('"t":"msg"' in line) > 0 and position('"deleted":{"by":' in line) = 0
      and not exists (select from events e where e.room = q.room and e.seq = q.seq)
  ) as found where (room, seq) > ($2::text collate "C", $3::bigint) order by room, seq limit $4`;

export function addEraseCommand(program: Command, { target, token, out }: Caller): void {
  program
    .command("erase")
    .description(
      "delete every message and the display name of a user; can be started again after an interruption",
    )
    .argument("<user>", "the user id", userOf)
    .action(async (user: UserId) => {
      const { url, database } = target();
      if (database === undefined) {
        throw new CliError(
          "no address of PostgreSQL is known: use --database <url> or DATABASE_URL",
        );
      }
      const admin = await token({ user: OPERATOR, admin: true });
      const { default: pg } = await import("pg");
      const client = new pg.Client({ connectionString: database });
      client.on("error", () => {}); // The current statement then rejects.
      await client.connect();
      try {
        const report = await eraseMessages({
          list: listOf(client, user),
          remove: (place) => remove(url, admin, place),
          wait: (ms) => wait(ms),
          onProgress: (erased) => console.error(`${erased} messages erased`),
        });
        const isNamed = !(await removeName(url, admin, user));
        const whole = { user, ...report, isNameRemoved: !isNamed };
        out.print(whole, JSON.stringify(whole));
        if (report.failed.length === 0 && report.remaining === 0 && !isNamed) return;
      } finally {
        await client.end();
      }
      throw new CliError("some messages or the display name are left; start the command again");
    });
}

function listOf(client: Client, user: UserId): EraseParts["list"] {
  return async (after, limit) => {
    const from = `"from":${JSON.stringify(user)}`;
    const values = [user, after?.room ?? "", after?.seq ?? 0, limit, from];
    const { rows } = await client.query<{ room: RoomId; seq: string }>(MESSAGES, values);
    return rows.map(({ room, seq }) => ({ room, seq: Number(seq) }));
  };
}

/** DN3. False: the server did not confirm it. */
async function removeName(url: string, token: string, user: UserId): Promise<boolean> {
  const response = await fetch(`${url}/v1/users/${encodeURIComponent(user)}/name`, {
    method: "DELETE",
    headers: { authorization: `Bearer ${token}` },
  }).catch(() => undefined);
  return response?.ok === true;
}

async function remove(url: string, token: string, { room, seq }: MessagePlace): Promise<Removal> {
  const response = await fetch(`${url}/v1/rooms/${room}/messages/${seq}?reason=erased`, {
    method: "DELETE",
    headers: { authorization: `Bearer ${token}` },
  }).catch(() => undefined);
  if (response === undefined) return { kind: "later", afterMs: 0 };
  const answer = parseObject(await response.text());
  if (response.ok) return { kind: "erased" };
  const name = String(answer?.["name"]);
  if (name === "conflict") return { kind: "gone" };
  const isTemporary = Object.hasOwn(ERRORS, name) && ERRORS[name as ErrorName].retry;
  if (!isTemporary) return { kind: "failed", error: name };
  return { kind: "later", afterMs: Number(response.headers.get("retry-after") ?? 0) * 1_000 };
}
