// History: `parley history` prints one page of a room, as events or as messages.

import { Option } from "commander";
import type { Command } from "commander";
import type { RoomId } from "#shared/protocol/ids.ts";
import { countOf, pageSizeOf, roomOf } from "./arguments.ts";
import { request } from "./change.ts";
import type { Caller } from "./change.ts";
import { readable } from "./print.ts";

interface Flags {
  readonly before?: number;
  readonly after?: number;
  readonly limit: number;
  readonly messages?: boolean;
  readonly thread?: number;
}

export function addHistory(program: Command, caller: Caller): void {
  program
    .command("history")
    .description("print one page of a room")
    .argument("<room>", "the room id", roomOf)
    .addOption(
      new Option("--before <n>", "events below this sequence number")
        .argParser(countOf)
        .conflicts("after"),
    )
    .option("--after <n>", "events above this sequence number", countOf)
    .option("--limit <n>", "the number of events at most", pageSizeOf, 50)
    .option("--messages", "the messages as they are now, in place of all events")
    .option("--thread <n>", "the replies to this message, as they are now", countOf)
    .action(async (room: RoomId, { before, after, limit, messages, thread }: Flags) => {
      const query = new URLSearchParams({ limit: String(limit) });
      if (before !== undefined) query.set("before", String(before));
      if (after !== undefined) query.set("after", String(after));
      if (messages === true || thread !== undefined) query.set("view", "messages");
      if (thread !== undefined) query.set("thread", String(thread));
      const path = `/v1/rooms/${room}/messages?${query.toString()}`;
      const page = (await request(caller, "GET", path)) as {
        readonly events?: readonly Parameters<typeof readable>[0][];
        readonly more?: boolean;
      };
      for (const event of page.events ?? []) caller.out.print(event, readable(event));
      if (page.more === true) caller.out.note("… there are more events");
    });
}
