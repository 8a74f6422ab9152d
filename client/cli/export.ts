// Export: `parley export`: all events of a room as lines of JSON, to standard output or into a
// file.
//
//   cli/export.1. A broken connection and a temporary refusal are no end: it continues behind the
//        last whole line, as long as each attempt brings a line or fewer than TRIES_MAX failed.
//   cli/export.2. With --file, a file that exists is continued behind its last whole line. A file
//        of another room is refused.

import { createReadStream } from "node:fs";
import { open, stat, truncate } from "node:fs/promises";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import { ERRORS } from "#shared/protocol/errors.ts";
import type { ErrorName } from "#shared/protocol/errors.ts";
import { readExportLine } from "#shared/protocol/export.ts";
import type { RoomId, Seq } from "#shared/protocol/ids.ts";
import { countOf, roomOf } from "./arguments.ts";
import type { Caller } from "./change.ts";
import { CliError } from "./cli-error.ts";

const TRIES_MAX = 5;
const TRY_AFTER_MS = 500;

interface ExportFlags {
  readonly after: Seq;
  readonly file?: string;
}

type Write = (text: string) => Promise<void>;

export function addExportCommand(program: Command, caller: Caller): void {
  program
    .command("export")
    .description("write all events of a room as lines of JSON")
    .argument("<room>", "the room id", roomOf)
    .option("--after <n>", "only events behind this number", countOf, 0)
    .option("--file <file>", "a file to write, or to continue after an interruption")
    .action(async (room: RoomId, { after, file }: ExportFlags) => {
      if (file === undefined) {
        await exportRoom(caller, room, { after, hasHead: false }, writeOut);
        return;
      }
      const begun = await readBegun(file, room);
      if (begun.isComplete) return;
      const handle = await open(file, "a");
      const write: Write = async (text) => void (await handle.write(text));
      try {
        await exportRoom(
          caller,
          room,
          { after: begun.last ?? after, hasHead: begun.hasHead },
          write,
        );
      } finally {
        await handle.close();
      }
    });
}

function writeOut(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => (error ? reject(error) : resolve()));
  });
}

interface Begun {
  readonly hasHead: boolean;
  readonly isComplete: boolean;
  /** The number of the last whole event. */
  readonly last?: Seq;
}

/** cli/export.2. Cuts a line that is not whole. */
async function readBegun(file: string, room: RoomId): Promise<Begun> {
  const size = (await stat(file).catch(() => undefined))?.size ?? 0;
  let bytes = 0;
  let begun: Begun = { hasHead: false, isComplete: false };
  for await (const text of linesOf(file, size)) {
    const line = readExportLine(text);
    const length = Buffer.byteLength(text) + 1;
    if (line === undefined || bytes + length > size) break;
    if (line.t === "export" && line.room !== room) {
      throw new CliError(`${file} is an export of ${line.room}`);
    }
    bytes += length;
    if (line.t === "export") begun = { ...begun, hasHead: true, last: line.after };
    else if (line.t === "event") begun = { ...begun, last: line.event.seq };
    else if (line.t === "end") begun = { ...begun, isComplete: true };
  }
  if (bytes < size) await truncate(file, bytes);
  return begun;
}

async function* linesOf(file: string, size: number): AsyncGenerator<string> {
  if (size > 0) yield* createInterface({ input: createReadStream(file), crlfDelay: Infinity });
}

/** cli/export.1. */
async function exportRoom(
  caller: Caller,
  room: RoomId,
  { after, hasHead }: { after: Seq; hasHead: boolean },
  write: Write,
): Promise<void> {
  const place = { last: after, hasHead };
  for (let failed = 0; failed < TRIES_MAX;) {
    const before = place.last;
    const reason = await exportPart(caller, room, place, write);
    if (reason === undefined) return;
    failed = place.last > before ? 0 : failed + 1;
    if (failed === TRIES_MAX) throw new CliError(`the export ended at ${place.last}: ${reason}`);
    await sleep(TRY_AFTER_MS);
  }
}

/** The reason for which the part ended; undefined: the export is complete. */
async function exportPart(
  { target, token }: Caller,
  room: RoomId,
  place: { last: Seq; hasHead: boolean },
  write: Write,
): Promise<string | undefined> {
  const authorization = `Bearer ${await token()}`;
  const path = `${target().url}/v1/rooms/${room}/export?after=${place.last}`;
  try {
    const response = await fetch(path, { headers: { authorization } });
    if (!response.ok || response.body === null) return await refusalOf(response);
    let rest = "";
    for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      const [chunk, ending] = take(lines, place);
      if (chunk !== "") await write(chunk);
      if (ending !== undefined) return ending === "" ? undefined : ending;
    }
    return "the connection broke";
  } catch (error: unknown) {
    if (error instanceof CliError) throw error;
    return error instanceof Error ? error.message : String(error);
  }
}

/** The lines to write, and why the part ends: "" at its end, undefined while it goes on. */
function take(
  lines: readonly string[],
  place: { last: Seq; hasHead: boolean },
): readonly [string, string | undefined] {
  let chunk = "";
  for (const text of lines) {
    const line = readExportLine(text);
    if (line === undefined) return [chunk, "a line is broken"];
    if (line.t === "error") return [chunk, temporary(line.name)];
    if (line.t === "export" && place.hasHead) continue; // Of a part that continues.
    chunk += `${text}\n`;
    if (line.t === "export") place.hasHead = true;
    else if (line.t === "end") return [chunk, ""];
    else place.last = line.event.seq;
  }
  return [chunk, undefined];
}

async function refusalOf(response: Response): Promise<string> {
  const { name, title } = (await response.json()) as { name: ErrorName; title: string };
  return temporary(name, title);
}

/** A permanent refusal ends the command. */
function temporary(name: ErrorName, title: string = ERRORS[name].message): string {
  if (ERRORS[name].retry) return title;
  throw new CliError(`${name}: ${title}`, { code: name });
}
