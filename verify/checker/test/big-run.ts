// Big run: writes a folder with any number of good messages, to measure the checker.
//
//   node verify/checker/test/big-run.ts <folder> 1000000 && node verify/checker/main.ts <folder>
//
// It has a hundred rooms with two connections each. Every message is sent, received twice,
// acknowledged, archived, logged (twenty in a commit) and paged.

import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { encodeEntry } from "#shared/protocol/entry.ts";
import { encodeEvent } from "#shared/protocol/events.ts";
import type { MessageId, ProcessId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { FILES } from "../folder.ts";
import { encodeRecord } from "../record.ts";
import type { HistoryRecord } from "../record.ts";
import { sumOf } from "../sum.ts";

const ROOMS = 100;
const PER_COMMIT = 20;
const BUFFER_LINES = 2_000;
const NODE = "room-a" as ProcessId;

class Lines {
  readonly #file: number;
  #buffer: string[] = [];

  constructor(path: string) {
    this.#file = openSync(path, "w");
  }

  add(line: string): void {
    this.#buffer.push(line);
    if (this.#buffer.length >= BUFFER_LINES) this.#flush();
  }

  end(): void {
    this.#flush();
    closeSync(this.#file);
  }

  #flush(): void {
    writeSync(this.#file, this.#buffer.map((line) => `${line}\n`).join(""));
    this.#buffer = [];
  }
}

function idOf(n: number): MessageId {
  const hex = n.toString(16).padStart(12, "0");
  return `01990000-0000-7000-8000-${hex}` as MessageId;
}

function write(folder: string, messages: number): void {
  mkdirSync(folder, { recursive: true });
  const [records, archive, log, pages] = [FILES.records, FILES.archive, FILES.log, FILES.pages].map(
    (name) => new Lines(join(folder, name)),
  ) as [Lines, Lines, Lines, Lines];
  const record = (what: HistoryRecord): void => records.add(encodeRecord(what));
  log.add(
    JSON.stringify({ p: 0, seq: 1, text: encodeEntry({ kind: "claim", node: NODE, at: 1 }) }),
  );
  let entries = 1;
  let n = 0;
  for (let r = 0; r < ROOMS; r++) {
    const room = `room-${r}` as RoomId;
    const clients = [`ada-${r}`, `bob-${r}`] as UserId[];
    const last = Math.floor(messages / ROOMS);
    for (const client of clients) {
      const origin = { t: n, client, conn: 1, room } as const;
      record({ ...origin, op: "join", phase: "invoke", after: 0 });
      record({ ...origin, op: "join", phase: "ok", from: 1, head: 0 });
    }
    let commit: string[] = [];
    for (let seq = 1; seq <= last; seq++) {
      const id = idOf(++n);
      const from = clients[seq % 2] as UserId;
      const body = { text: `message ${n} of ${from}, of about the length that users write` };
      record({
        t: n,
        client: from,
        conn: 1,
        op: "send",
        phase: "invoke",
        room,
        id,
        sum: sumOf(body),
      });
      for (const client of clients) record({ t: n, client, conn: 1, op: "see", room, seq, id });
      record({ t: n + 1, client: from, conn: 1, op: "send", phase: "ok", room, id, seq });
      const line = encodeEvent({ t: "msg", room, seq, id, from, at: n, body });
      archive.add(line);
      pages.add(line);
      commit.push(line);
      if (commit.length < PER_COMMIT && seq < last) continue;
      const groups = [{ room, first: seq - commit.length + 1, lines: commit }];
      const text = encodeEntry({ kind: "commit", epoch: 1, node: NODE, at: n, groups });
      log.add(JSON.stringify({ p: 0, seq: ++entries, text }));
      commit = [];
    }
  }
  record({ t: n, op: "mark", what: "end" });
  for (const file of [records, archive, log, pages]) file.end();
}

const [folder, messages = "1000000"] = process.argv.slice(2);
if (folder === undefined)
  throw new Error("usage: node verify/checker/test/big-run.ts <folder> [n]");
write(folder, Number(messages));
