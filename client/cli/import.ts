// Import: `parley import`: makes the room of an exported file, with its numbers, senders and times.
//
//   cli/import.1. Before the first part, and after every answer that leaves the outcome open, it
//        asks where the room ends. It continues there when the room has the birth of the file and
//        its last event is that of the file. So a killed command is repeated as it was.
//   cli/import.2. A room that has another birth, or another event, is left as it is: the command
//        fails. A file that is a part of an export makes no room.

import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import { encodeEvent } from "#shared/protocol/events.ts";
import type { RoomEvent } from "#shared/protocol/events.ts";
import { readExportLine } from "#shared/protocol/export.ts";
import type { ExportHead, ExportLine } from "#shared/protocol/export.ts";
import type { RoomId, Seq } from "#shared/protocol/ids.ts";
import { IMPORT_BYTES_MAX, IMPORT_EVENTS_MAX } from "#shared/protocol/limits.ts";
import { ERRORS } from "#shared/protocol/errors.ts";
import type { ErrorName } from "#shared/protocol/errors.ts";
import { roomOf } from "./arguments.ts";
import { request } from "./change.ts";
import type { Caller } from "./change.ts";
import { CliError } from "./cli-error.ts";

/** What a part has beside its events. */
const ENVELOPE_BYTES = 1_024;
const PART_BYTES_MAX = IMPORT_BYTES_MAX - ENVELOPE_BYTES;
/** Answers in a row that brought no event. */
const TRIES_MAX = 20;
const TRY_AFTER_MS = 500;
const TOKEN_FOR_MS = 60_000;

interface Source {
  readonly file: string;
  readonly room: RoomId;
  readonly born: string;
  readonly head: Seq;
}

export function addImportCommand(program: Command, caller: Caller): void {
  program
    .command("import")
    .description("make the room of an exported file (an administrator's token)")
    .argument("<file>", "a file of parley export")
    .option("--room <room>", "another room id than that of the file", roomOf)
    .action(async (file: string, { room }: { readonly room?: RoomId }) => {
      const source = await readSource(file, room);
      const admin: Caller = { ...caller, token: kept(() => caller.token({ admin: true })) };
      const imported = await importRoom(admin, source);
      const { head, born } = source;
      const result = { room: source.room, born, head, imported };
      caller.out.print(result, `${source.room}: ${imported} events imported, head ${head}`);
    });
}

/** The token is renewed after TOKEN_FOR_MS: a room has hundreds of parts. */
function kept(token: () => Promise<string>): () => Promise<string> {
  let known: { readonly token: Promise<string>; readonly until: number } | undefined;
  return () => {
    const now = performance.now();
    if (known === undefined || known.until < now) {
      known = { token: token(), until: now + TOKEN_FOR_MS };
    }
    return known.token;
  };
}

/** Reads the whole file once: it must be a complete export from the first event on. */
async function readSource(file: string, room: RoomId | undefined): Promise<Source> {
  let title: ExportHead | undefined;
  let last = 0;
  let end: Seq | undefined;
  for await (const line of linesOf(file)) {
    if (line?.t === "export" && title === undefined) title = line;
    else if (line?.t === "event" && line.event.seq === last + 1) last++;
    else if (line?.t === "end") end = line.seq;
    else
      throw new CliError(`${file} is no export: its line behind event ${last} is not the next one`);
  }
  if (title === undefined || title.after > 0 || end !== last || last === 0) {
    throw new CliError(`${file} is no complete export of a room: continue it with parley export`);
  }
  return { file, room: room ?? title.room, born: title.born, head: last };
}

async function* linesOf(file: string): AsyncGenerator<ExportLine | undefined> {
  const input = createReadStream(file);
  for await (const text of createInterface({ input, crlfDelay: Infinity }))
    yield readExportLine(text);
}

/** The events behind `after`, with the room's new name. */
async function* eventsOf({ file, room }: Source, after: Seq): AsyncGenerator<RoomEvent> {
  for await (const line of linesOf(file)) {
    if (line?.t === "event" && line.event.seq > after) yield { ...line.event, room };
  }
}

/** The number of events that this command brought. */
async function importRoom(caller: Caller, source: Source): Promise<number> {
  const { head } = source;
  let imported = 0;
  let last = await endOf(caller, source);
  for (let failed = 0; last < head;) {
    const reached = await importBehind(caller, source, last);
    const end = reached ?? (await endOf(caller, source));
    failed = end > last ? 0 : failed + 1;
    if (failed === TRIES_MAX) throw new CliError(`the import ended at ${end} of ${head}`);
    if (end === last) await sleep(TRY_AFTER_MS);
    imported += end - last;
    last = end;
  }
  return imported;
}

/** The number that it reached; undefined: an answer left it open (cli/import.1). */
async function importBehind(caller: Caller, source: Source, after: Seq): Promise<Seq | undefined> {
  const { room, born } = source;
  let last = after;
  for await (const events of partsOf(eventsOf(source, after))) {
    try {
      await request(caller, "POST", `/v1/rooms/${room}/import`, { born, events });
    } catch (error: unknown) {
      if (isOpen(error)) return undefined;
      throw error;
    }
    last = events.at(-1)?.seq ?? last;
  }
  return last;
}

/** `conflict`: perhaps an earlier copy of the part came first. */
function isOpen(error: unknown): boolean {
  if (!(error instanceof CliError)) return false;
  const { code } = error;
  if (code === "conflict" || code === "gateway_unreachable") return true;
  return Object.hasOwn(ERRORS, code) && ERRORS[code as ErrorName].retry;
}

async function* partsOf(events: AsyncIterable<RoomEvent>): AsyncGenerator<RoomEvent[]> {
  let part: RoomEvent[] = [];
  let bytes = 0;
  for await (const event of events) {
    const more = Buffer.byteLength(encodeEvent(event)) + 1;
    const isFull = bytes + more > PART_BYTES_MAX || part.length === IMPORT_EVENTS_MAX;
    if (part.length > 0 && isFull) {
      yield part;
      part = [];
      bytes = 0;
    }
    part.push(event);
    bytes += more;
  }
  if (part.length > 0) yield part;
}

/** cli/import.1: 0 when there is no room yet. */
async function endOf(caller: Caller, source: Source): Promise<Seq> {
  const { room, born, head } = source;
  for (let tries = 1; ; tries++) {
    try {
      const about = await request(caller, "GET", `/v1/rooms/${room}`);
      const end = about["head"] as Seq;
      if (end === 0) return 0;
      const isOurs = about["born"] === born && end <= head && (await hasEvent(caller, source, end));
      // cli/import.2
      if (!isOurs) throw new CliError(`the room ${room} exists`, { code: "conflict" });
      return end;
    } catch (error: unknown) {
      const isLost = isOpen(error) && (error as CliError).code !== "conflict";
      if (!isLost || tries === TRIES_MAX) throw error;
      await sleep(TRY_AFTER_MS);
    }
  }
}

async function hasEvent(caller: Caller, source: Source, seq: Seq): Promise<boolean> {
  const path = `/v1/rooms/${source.room}/messages?after=${seq - 1}&limit=1`;
  const { events } = await request(caller, "GET", path);
  const [stored] = events as readonly RoomEvent[];
  if (stored === undefined) return false;
  for await (const event of eventsOf(source, seq - 1))
    return encodeEvent(event) === encodeEvent(stored);
  return false;
}
