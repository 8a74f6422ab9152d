// Folder: reads a recorded run from disk and judges it.
//
//   records.jsonl   the records of clients and faults (record.ts)
//   archive.jsonl   the archive's lines, by room and sequence number
//   log.jsonl       the entries of the partition logs: {"p","seq","text"}
//   pages.jsonl     the history of the rooms; optional
//
// It reads the files chunk by chunk, so a run of any size needs the memory of its messages alone.

import { closeSync, existsSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { StringDecoder } from "node:string_decoder";
import { Check } from "./check.ts";
import type { Report } from "./check.ts";
import { decodeRecord } from "./record.ts";
import type { LoggedEntry } from "./tenures.ts";

export const FILES = {
  records: "records.jsonl",
  archive: "archive.jsonl",
  log: "log.jsonl",
  pages: "pages.jsonl",
} as const;

const CHUNK_BYTES = 1024 * 1024;

/** Throws when a required file is missing. */
export function checkFolder(folder: string): Report {
  const checker = new Check();
  for (const line of linesOf(join(folder, FILES.records))) {
    const record = decodeRecord(line);
    if (record !== undefined) checker.take(record);
  }
  for (const line of linesOf(join(folder, FILES.archive))) checker.takeArchived(line);
  for (const line of linesOf(join(folder, FILES.log))) {
    checker.takeLogged(JSON.parse(line) as LoggedEntry);
  }
  const pages = join(folder, FILES.pages);
  const hasPages = existsSync(pages);
  if (hasPages) for (const line of linesOf(pages)) checker.takePaged(line);
  return checker.finish({ hasPages });
}

export function* linesOf(path: string): Generator<string> {
  const file = openSync(path, "r");
  try {
    const decoder = new StringDecoder("utf8");
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    let rest = "";
    for (let size = readSync(file, chunk); size > 0; size = readSync(file, chunk)) {
      const lines = (rest + decoder.write(chunk.subarray(0, size))).split("\n");
      rest = lines.pop() ?? "";
      yield* lines;
    }
    if (rest !== "") yield rest;
  } finally {
    closeSync(file);
  }
}
