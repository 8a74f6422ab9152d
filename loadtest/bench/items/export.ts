// Export item, EXPORT: how long `parley import` and `parley export` take for a room of 100,000
// messages (SCALE=0.1: a tenth), through gateway, owner, log and archive of an embedded cluster.

import { createWriteStream, mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { runProgram } from "#client/cli/program.ts";
import { devToken } from "#client/sdk/dev-token.ts";
import { systemRandom } from "#shared/adapters/clock-system.ts";
import { uuidv7 } from "#shared/kit/uuid.ts";
import { encodeEvent } from "#shared/protocol/events.ts";
import type { RoomEvent } from "#shared/protocol/events.ts";
import { encodeExportEnd, encodeExportHead } from "#shared/protocol/export.ts";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import { atMost } from "../item.ts";
import type { Item, ItemResult } from "../item.ts";
import { started } from "../alternate.ts";
import { startParley } from "../peers/parley.ts";

const MESSAGES = 100_000;
const TARGET_S = 30;
const DAY_MS = 86_400_000;
const ROOM = "bench" as RoomId;

export const EXPORT: Item = {
  id: "EXPORT",
  title: `export and import: a room of ${MESSAGES.toLocaleString("en")} messages`,
  async play({ scale, say }): Promise<ItemResult> {
    const dir = mkdtempSync(join(tmpdir(), "parley-export-bench-"));
    try {
      await using parley = await started(() => startParley({ partitions: 4 }));
      const [file, copy] = [join(dir, "in.ndjson"), join(dir, "out.ndjson")];
      const count = Math.round(MESSAGES * scale);
      await writeRoom(file, count);
      const token = await devToken(parley.url, "admin", { admin: true });
      const target = ["--url", parley.url, "--token", token];
      const importS = await timed([...target, "import", file]);
      say(`  imported ${count} messages in ${importS.toFixed(1)} s`);
      const exportS = await timed([...target, "export", ROOM, "--file", copy]);
      say(`  exported them in ${exportS.toFixed(1)} s`);
      const isEqual = (await readFile(file)).equals(await readFile(copy));
      return {
        legs: [],
        verdicts: [
          atMost(`import of ${count} messages`, importS, TARGET_S, "s"),
          atMost(`export of ${count} messages`, exportS, TARGET_S, "s"),
          {
            what: "the export equals the file, byte by byte",
            target: "yes",
            measured: isEqual ? "yes" : "no",
            ok: isEqual,
          },
        ],
      };
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  },
};

async function timed(args: readonly string[]): Promise<number> {
  const began = performance.now();
  const code = await runProgram(args, (line) => console.error(line));
  if (code !== 0) throw new Error(`parley ${args.slice(4).join(" ")} failed`);
  return (performance.now() - began) / 1_000;
}

async function writeRoom(file: string, count: number): Promise<void> {
  const out = createWriteStream(file);
  const begin = Date.now() - DAY_MS;
  const born = uuidv7(begin, systemRandom);
  out.write(`${encodeExportHead({ room: ROOM, born, after: 0, head: count })}\n`);
  for (let seq = 1; seq <= count; seq++) {
    const at = begin + seq;
    const id = seq === 1 ? born : uuidv7(at, systemRandom);
    const from = `user-${seq % 50}` as UserId;
    const body = { text: `message ${seq} ${"of the usual length ".repeat(4)}` };
    const event: RoomEvent = { t: "msg", room: ROOM, seq, id, from, at, body };
    out.write(`${encodeEvent(event)}\n`);
  }
  out.end(`${encodeExportEnd(count)}\n`);
  await finished(out);
}
