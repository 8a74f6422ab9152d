// ChatCommand: `parley chat`, whose code is loaded when it runs.

import type { Command } from "commander";
import type { RoomId } from "#shared/protocol/ids.ts";
import { roomOf } from "./arguments.ts";
import type { Caller } from "./change.ts";
import { CliError } from "./cli-error.ts";

export function addChatCommand(program: Command, caller: Caller): void {
  program
    .command("chat")
    .description("talk in a room, in this terminal; F1 shows the keys")
    .argument("<room>", "the room id", roomOf)
    .option("--outbox <file>", "keep unsent messages in this file, for the next start")
    .action(async (room: RoomId, flags: { readonly outbox?: string }) => {
      if (caller.out.isJson) {
        throw new CliError("parley chat has no JSON: use parley tail and parley send");
      }
      if (!process.stdin.isTTY || !process.stdout.isTTY) {
        throw new CliError("parley chat needs a terminal: use parley tail and parley send");
      }
      const { chatIn } = await import("./chat/main.ts").catch((error: unknown) => {
        const isMissing = error instanceof Error && "code" in error && error.code === MISSING;
        if (!isMissing) throw error;
        const text = "parley chat needs the development packages: npm ci without --omit=dev";
        throw new CliError(text, { cause: error });
      });
      await chatIn(caller, room, flags);
    });
}

const MISSING = "ERR_MODULE_NOT_FOUND";
