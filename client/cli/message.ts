// Message: the commands that change a message, over HTTP as the chosen user.

import type { Command } from "commander";
import type { RoomId } from "#shared/protocol/ids.ts";
import { countOf, emojiOf, roomOf, textOf } from "./arguments.ts";
import { change } from "./change.ts";
import type { Caller } from "./change.ts";

export function addMessageCommands(program: Command, caller: Caller): void {
  const command = (name: string, description: string): Command =>
    program
      .command(name)
      .description(description)
      .argument("<room>", "the room id", roomOf)
      .argument("<seq>", "the sequence number of the message", countOf);
  command("edit", "replace the text of an own message")
    .argument("<text>", "the new text", textOf)
    .action(async (room: RoomId, seq: number, text: string) => {
      await change(caller, "PATCH", messagePath(room, seq), { body: { text } });
    });
  command("delete", "delete a message: its text is erased")
    .option("--reason <text>", "why, for the members")
    .action(async (room: RoomId, seq: number, { reason }: { reason?: string }) => {
      const query = reason === undefined ? "" : `?reason=${encodeURIComponent(reason)}`;
      await change(caller, "DELETE", `${messagePath(room, seq)}${query}`);
    });
  command("react", "react to a message")
    .argument("<emoji>", "one emoji, or a name such as :ok:", emojiOf)
    .option("--off", "take the reaction back")
    .action(async (room: RoomId, seq: number, emoji: string, { off }: { off?: true }) => {
      const path = `${messagePath(room, seq)}/reactions/${encodeURIComponent(emoji)}`;
      await change(caller, off === true ? "DELETE" : "PUT", path);
    });
  command("pin", "pin a message to its room")
    .option("--off", "unpin it")
    .action(async (room: RoomId, seq: number, { off }: { off?: true }) => {
      await change(caller, off === true ? "DELETE" : "PUT", `/v1/rooms/${room}/pins/${seq}`);
    });
}

function messagePath(room: RoomId, seq: number): string {
  return `/v1/rooms/${room}/messages/${seq}`;
}
