// RoomList: `parley room list`: the rooms of the chosen user with their unread counts, or open
// rooms. `parley rooms` is another command: it shows an operator the rooms that have sessions.

import type { Command } from "commander";
import type { FoundRoom, ListedRoom } from "#shared/protocol/room-list.ts";
import { request } from "./change.ts";
import type { Caller } from "./change.ts";
import { filesText, neutral } from "./print.ts";

/** The rooms of one request. */
const PAGE = 200;

/** `room`: the command `parley room`. */
export function addRoomList(room: Command, caller: Caller): void {
  room
    .command("list")
    .description("list the rooms of --user with their unread messages, newest activity first")
    .option("--find <text>", "open rooms with this text in their title or id, in place of the own")
    .action(async ({ find }: { readonly find?: string }) => {
      const list = find === undefined ? "/v1/me/rooms?" : `/v1/rooms?kind=open&q=${encode(find)}&`;
      for await (const room of allRooms(caller, list)) {
        caller.out.print(room, roomLine(room));
      }
    });
}

async function* allRooms(caller: Caller, list: string): AsyncGenerator<ListedRoom | FoundRoom> {
  for (let after = ""; ;) {
    const { rooms, next } = await request(caller, "GET", `${list}limit=${PAGE}${after}`);
    yield* rooms as readonly (ListedRoom | FoundRoom)[];
    if (typeof next !== "string") return;
    after = `&after=${encode(next)}`;
  }
}

/** One line for a terminal. */
export function roomLine(room: ListedRoom | FoundRoom): string {
  const { room: id, title, role, head } = room;
  const named = title === undefined ? id : `${id} (${title})`;
  if (!("unread" in room)) return neutral(`${named}: ${role}, ${head} events`);
  const { unread, mentions, last } = room;
  const counts = [
    ...(unread > 0 ? [`${unread} unread`] : []),
    ...(mentions > 0 ? [`${mentions} mention you`] : []),
  ];
  const state = counts.length > 0 ? counts.join(", ") : "read";
  const text = last === undefined ? "" : `  ${last.from}: ${last.text || filesText(last.files)}`;
  return neutral(`${named}: ${state}${text}`);
}

function encode(text: string): string {
  return encodeURIComponent(text);
}
