// Invites: the commands that make, end and use an invite to a closed room.

import type { Command } from "commander";
import type { MessageId, RoomId } from "#shared/protocol/ids.ts";
import { amountOf, inviteOf, messageIdOf, roleOf, roomOf } from "./arguments.ts";
import { change } from "./change.ts";
import type { Caller } from "./change.ts";

/** `room`: the command `parley room`. */
export function addInviteCommands(room: Command, caller: Caller): void {
  room
    .command("link")
    .description("make an invite to a closed room, and print its token")
    .argument("<room>", "the room id", roomOf)
    .option("--role <role>", "reader or member", roleOf, "member")
    .option("--uses <number>", "how many users may enter with it", amountOf, 1)
    .option("--ttl <seconds>", "for how long", amountOf)
    .action(async (id: RoomId, terms: object) => {
      const answer = await change(caller, "POST", `/v1/rooms/${id}/invites`, terms);
      caller.out.note(String(answer["token"]));
    });
  room
    .command("revoke")
    .description("end an invite; users who have entered stay")
    .argument("<room>", "the room id", roomOf)
    .argument("<invite>", "its id: the second part of its token", messageIdOf)
    .action(async (id: RoomId, invite: MessageId) => {
      await change(caller, "DELETE", `/v1/rooms/${id}/invites/${invite}`);
    });
  room
    .command("enter")
    .description("enter a closed room with the token of an invite")
    .argument("<token>", "the token", inviteOf)
    .action(async ({ room: id, token }: { room: RoomId; token: string }) => {
      await change(caller, "POST", `/v1/rooms/${id}/members`, { token });
    });
}
