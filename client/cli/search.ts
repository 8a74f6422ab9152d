// Search: `parley search`: messages with given words, in the rooms of the chosen user.

import { Option } from "commander";
import type { Command } from "commander";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import { SEARCH_PAGE_MAX } from "#shared/protocol/limits.ts";
import { SEARCH_HAS, SEARCH_ORDERS } from "#shared/protocol/search.ts";
import type { FoundMessage } from "#shared/protocol/search.ts";
import { countOf, roomOf, userOf } from "./arguments.ts";
import { request } from "./change.ts";
import type { Caller } from "./change.ts";
import { neutral } from "./print.ts";

const LIMIT_DEFAULT = 20;

interface SearchFlags {
  readonly room?: RoomId;
  readonly from?: UserId;
  readonly has?: string;
  readonly order: string;
  readonly limit: number;
}

export function addSearchCommand(program: Command, caller: Caller): void {
  program
    .command("search")
    .description("find messages with these words in the rooms of --user, newest first")
    .argument("[words...]", 'words, "a phrase", begin*, -excluded')
    .option("--room <room>", "only in this room", roomOf)
    .option("--from <user>", "only messages of this user", userOf)
    .addOption(new Option("--has <what>", "only messages with it").choices(SEARCH_HAS))
    .addOption(new Option("--order <order>").choices(SEARCH_ORDERS).default("newest"))
    .option("--limit <n>", "how many messages", countOf, LIMIT_DEFAULT)
    .action(async (words: readonly string[], flags: SearchFlags) => {
      for await (const message of found(caller, words.map(quoted).join(" "), flags)) {
        caller.out.print(message, foundLine(message));
      }
    });
}

/** The shell took the quotes of a phrase away. */
function quoted(word: string): string {
  return /\s/u.test(word) && !word.includes('"') ? `"${word}"` : word;
}

async function* found(
  caller: Caller,
  q: string,
  { room, from, has, order, limit }: SearchFlags,
): AsyncGenerator<FoundMessage> {
  for (let left = limit, cursor: string | undefined; left > 0;) {
    const query = { q, room, from, has, order, cursor, limit: Math.min(left, SEARCH_PAGE_MAX) };
    const fields = Object.entries(query).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, String(value)]],
    );
    const path = `/v1/search?${new URLSearchParams(fields)}`;
    const { messages, next } = await request(caller, "GET", path);
    const page = messages as readonly FoundMessage[];
    yield* page;
    left -= page.length;
    if (typeof next !== "string") return;
    cursor = next;
  }
}

/** One line for a terminal. The found words are between «». */
export function foundLine({ room, seq, at, from, text, highlights }: FoundMessage): string {
  let shown = "";
  let end = 0;
  for (const [first, last] of highlights) {
    shown += `${text.slice(end, first)}«${text.slice(first, last)}»`;
    end = last;
  }
  shown += text.slice(end);
  return neutral(`${room}#${seq}  ${new Date(at).toISOString()}  ${from}: ${shown}`);
}
