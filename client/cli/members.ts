// Members: the commands that list the members of a room, and mute one.

import type { Command } from "commander";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import type { Role } from "#shared/protocol/roles.ts";
import { amountOf, roomOf, userOf } from "./arguments.ts";
import { change, request } from "./change.ts";
import type { Caller } from "./change.ts";
import { neutral } from "./print.ts";

/** The users of one request. */
const PAGE = 200;

/** What a room stores of a user. */
interface Member {
  readonly user: UserId;
  readonly role: Role;
  /** In ms since 1970. */
  readonly mutedUntil?: number;
  readonly banned?: boolean;
}

/** `room`: the command `parley room`. */
export function addMemberList(room: Command, caller: Caller): void {
  room
    .command("members")
    .description("list the users with a role, a mute or a ban in a room")
    .argument("<room>", "the room id", roomOf)
    .action(async (id: RoomId) => {
      for await (const member of allMembers(caller, id)) {
        caller.out.print(member, memberLine(member, Date.now()));
      }
    });
  room
    .command("mute")
    .description("let a member only read, for some time")
    .argument("<room>", "the room id", roomOf)
    .argument("<user>", "the user id", userOf)
    .option("--for <seconds>", "for how long", amountOf, 600)
    .option("--off", "end it now")
    .action(async (id: RoomId, user: UserId, flags: { for: number; off?: true }) => {
      const path = `/v1/rooms/${id}/members/${encodeURIComponent(user)}`;
      const role = await roleIn(caller, id, user);
      const mutedUntil = Date.now() + flags.for * 1_000;
      await change(caller, "PUT", path, { role, ...(flags.off !== true && { mutedUntil }) });
    });
}

async function* allMembers(caller: Caller, room: RoomId): AsyncGenerator<Member> {
  for (let after = ""; ;) {
    const path = `/v1/rooms/${room}/members?limit=${PAGE}${after}`;
    const page = await request(caller, "GET", path);
    const members = page["members"] as readonly Member[];
    yield* members;
    const last = members.at(-1);
    if (page["more"] !== true || last === undefined) return;
    after = `&after=${encodeURIComponent(last.user)}`;
  }
}

/** A change of a member replaces the role, so the present one is kept. */
async function roleIn(caller: Caller, room: RoomId, user: UserId): Promise<Role> {
  for await (const member of allMembers(caller, room)) {
    if (member.user === user) return member.role;
  }
  return "member";
}

/** One line for a terminal. */
export function memberLine({ user, role, mutedUntil = 0, banned }: Member, now: number): string {
  const muted = mutedUntil > now ? `, muted until ${new Date(mutedUntil).toISOString()}` : "";
  return neutral(`${user}: ${banned === true ? "banned" : role}${muted}`);
}
