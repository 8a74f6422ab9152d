// Devices: the commands that list and end the sessions of a user, and revoke the user's tokens.

import { InvalidArgumentError } from "commander";
import type { Command } from "commander";
import { parseObject } from "#shared/kit/json.ts";
import { isMessageId, isUserId } from "#shared/protocol/ids.ts";
import type { UserId } from "#shared/protocol/ids.ts";
import type { SessionRecord } from "#shared/protocol/session-records.ts";
import { userOf } from "./arguments.ts";
import { request } from "./change.ts";
import type { Caller } from "./change.ts";
import { neutral } from "./print.ts";

type Listed = Pick<SessionRecord, "session" | "since" | "client" | "device" | "address"> & {
  readonly gateway: string;
};

export function addDeviceCommands(program: Command, caller: Caller): void {
  const devices = program
    .command("devices")
    .description("the sessions of a user on all gateways; by default of the user of the token");
  devices
    .command("list", { isDefault: true })
    .description("list the sessions, the oldest first")
    .argument("[user]", "the user id; another user's need a token of an administrator", userOf)
    .action(async (of?: UserId) => {
      const { as, user } = await callerFor(caller, of);
      const { sessions, more } = await request(as, "GET", pathOf(user));
      for (const one of sessions as readonly Listed[]) caller.out.print(one, sessionLine(one));
      if (Number(more) > 0) caller.out.note(`… and ${Number(more)} more`);
    });
  devices
    .command("end")
    .description("end one session, or all of a user")
    .argument("<session>", "its id, or all", sessionOf)
    .argument("[user]", "the user id; another user's need a token of an administrator", userOf)
    .action(async (session: string, of?: UserId) => {
      const { as, user } = await callerFor(caller, of);
      const path = session === "all" ? pathOf(user) : `${pathOf(user)}/${session}`;
      const { ended } = await request(as, "DELETE", path);
      caller.out.print({ user, ended }, `ended ${Number(ended)} sessions`);
    });
  program
    .command("revoke")
    .description("refuse all present tokens of a user on every gateway, and close their sessions")
    .argument("<user>", "the user id; another user's need a token of an administrator", userOf)
    .action(async (of: UserId) => {
      const { as, user } = await callerFor(caller, of);
      const { at } = await request(as, "POST", `/v1/users/${encodeURIComponent(user)}/revoke`);
      const until = new Date(Number(at)).toISOString();
      caller.out.print({ user, at }, `tokens of ${neutral(user)} up to ${until} are refused`);
    });
}

function sessionOf(text: string): string {
  if (text === "all" || isMessageId(text)) return text;
  throw new InvalidArgumentError("Expected the id of a session, or all.");
}

/** One line for a terminal. */
export function sessionLine({ session, since, client, device, address }: Listed): string {
  const named = [device, client].filter((text) => text !== undefined).join(", ");
  const began = new Date(since).toISOString();
  return neutral(`${session}  since ${began}  ${address ?? "-"}  ${named}`.trimEnd());
}

/** A dev token for another user's sessions is one of an administrator. */
async function callerFor(
  caller: Caller,
  of: UserId | undefined,
): Promise<{ readonly as: Caller; readonly user: UserId }> {
  const own = userIn(await caller.token()) ?? caller.user();
  const user = of ?? own;
  const token = () => caller.token(user === own ? {} : { admin: true });
  return { as: { ...caller, token }, user };
}

/** The gateway checks the token; this only reads whom it names. */
function userIn(token: string): UserId | undefined {
  const claims = Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8");
  const sub = parseObject(claims)?.["sub"];
  return isUserId(sub) ? sub : undefined;
}

function pathOf(user: UserId): string {
  return `/v1/users/${encodeURIComponent(user)}/sessions`;
}
