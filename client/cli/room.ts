// Room: the commands that create, list and find rooms and change their members, over HTTP as the
// chosen user.

import type { Command } from "commander";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import { countOf, roleOf, roomOf, userOf } from "./arguments.ts";
import { change } from "./change.ts";
import type { Caller } from "./change.ts";
import { addInviteCommands } from "./invites.ts";
import { addMemberList } from "./members.ts";
import { addRoomList } from "./room-list.ts";

export function addMemberCommands(program: Command, caller: Caller): void {
  const room = program
    .command("room")
    .description("create, list and find rooms, set them up, invite and remove users");
  addRoomList(room, caller);
  addMemberList(room, caller);
  room
    .command("create")
    .description("create a room; --user becomes its owner")
    .argument("<room>", "the room id", roomOf)
    .option("--closed", "only invited users may read and send")
    .option("--title <text>", "its title")
    .option("--invite <users...>", "the first members")
    .action(
      async (id: RoomId, flags: { closed?: true; title?: string; invite?: readonly string[] }) => {
        const members = (flags.invite ?? []).map((user) => ({ user: userOf(user) }));
        const kind = flags.closed === true ? "closed" : "open";
        const { title } = flags;
        await change(caller, "POST", "/v1/rooms", { room: id, kind, title, members });
      },
    );
  addSettingsCommand(room, caller);
  addInviteCommands(room, caller);
  room
    .command("invite")
    .description("make a user a member, or change the role of one")
    .argument("<room>", "the room id", roomOf)
    .argument("<user>", "the user id", userOf)
    .option("--role <role>", "reader, member, moderator or owner", roleOf, "member")
    .action(async (id: RoomId, user: UserId, { role }: { role: string }) => {
      await change(caller, "PUT", memberPath(id, user), { role });
    });
  room
    .command("remove")
    .description("end the membership of a user")
    .argument("<room>", "the room id", roomOf)
    .argument("<user>", "the user id", userOf)
    .option("--ban", "also refuse the user from now on")
    .action(async (id: RoomId, user: UserId, { ban }: { ban?: true }) => {
      if (ban === true) {
        await change(caller, "PUT", memberPath(id, user), { role: "none", banned: true });
      } else await change(caller, "DELETE", memberPath(id, user));
    });
}

function addSettingsCommand(room: Command, caller: Caller): void {
  room
    .command("set")
    .description("change the settings of a room; an empty text or 0 removes one")
    .argument("<room>", "the room id", roomOf)
    .option("--title <text>", "its title")
    .option("--topic <text>", "its topic")
    .option("--send-role <role>", "the lowest role that may send", roleOf)
    .option("--slow-mode <seconds>", "between two messages of a user below moderator", countOf)
    .option("--edit-window <seconds>", "for which an author may edit a message", countOf)
    .option("--archived", "nothing more is sent to the room")
    .option("--no-archived", "the room is in use again")
    .action(async (id: RoomId, settings: object) => {
      await change(caller, "PATCH", `/v1/rooms/${id}`, settings);
    });
}

function memberPath(room: RoomId, user: UserId): string {
  return `/v1/rooms/${room}/members/${encodeURIComponent(user)}`;
}
