// The promise itself: kill -9 of every process under full load, and nothing that was acked is lost.
//
// Method: writers send as fast as acks allow into ten rooms; in the middle of it all processes,
// NATS and PostgreSQL included, get SIGKILL at once. The cluster starts again on the same data; the
// writers send what was not answered again, with the same ids. Then log, archive and history are
// dumped and judged by infra/check.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { systemRandom } from "#shared/adapters/clock-system.ts";
import { uuidv7 } from "#shared/kit/uuid.ts";
import { until } from "#shared/testing/wait.ts";
import { dumpArchive, dumpHistory, dumpLog } from "../check/dump.ts";
import { check } from "../check/history.ts";
import type { Acked } from "../check/history.ts";
import { startCluster } from "../cluster.ts";
import type { Cluster } from "../cluster.ts";
import { choosePort } from "../ports.ts";
import { connect, devToken } from "./people.ts";

const WRITERS = 20;
const ROOMS = Array.from({ length: 10 }, (_, i) => `room-${i}`);
/** Far above the trim's tail, so that the log still holds everything when it is dumped. */
const KEEP = { LOG_KEEP_ENTRIES: "1000000" };
const PARTITIONS = 4;
/** Sends of one writer that wait for an ack. */
const DEPTH = 4;

interface Sent {
  /** Who sent is part of an id's identity, so a retry must come from the same user. */
  readonly writer: number;
  readonly room: string;
  readonly id: string;
}

describe("Kill -9 of everything", () => {
  it("D6: every acked message is there once; log, archive and history agree; retries get one number", async function () {
    this.timeout(180_000);
    const dataDir = mkdtempSync(join(tmpdir(), "parley-killed-"));
    const port = await choosePort(0);
    const lines: string[] = [];
    const start = (): Promise<Cluster> =>
      startCluster({
        dataDir,
        port,
        partitions: PARTITIONS,
        limits: "off",
        restart: false,
        env: KEEP,
        say: (line) => lines.push(line),
      });
    const acked: Acked[] = [];
    const open = new Map<string, Sent>();
    const sent = new Set<string>();
    try {
      const first = await start();
      await load(first, { acked, open, sent });
      const before = acked.length;
      expect(before, "acks before the kill").to.be.greaterThan(200);
      const second = await start();
      try {
        await retry(second, { acked, open });
        await until(async () => (await countArchived(second)) >= sent.size, {
          withinMs: 60_000,
          what: `${sent.size} events to be archived`,
        });
        const token = await devToken(second, "auditor");
        const dumps = new Map([
          ["log", await dumpLog(second.natsUrl, PARTITIONS)],
          ["archive", await dumpArchive(second.databaseUrl)],
          ["history", await dumpHistory(second.url.replace(/\/$/, ""), token, ROOMS)],
        ]);
        expect(check({ acked, sent, dumps })).to.deep.equal([]);
        console.log(
          `      ${before} acked before the kill, ${acked.length - before} after it, 0 lost`,
        );
      } finally {
        await second.stop();
      }
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  });
});

/** Writers at full speed until enough is acked; then everything is killed at once. */
async function load(
  cluster: Cluster,
  { acked, open, sent }: { acked: Acked[]; open: Map<string, Sent>; sent: Set<string> },
): Promise<void> {
  const people = await Promise.all(
    Array.from({ length: WRITERS }, (_, i) => connect(cluster, `writer-${i}`)),
  );
  let isOver = false;
  people.forEach((parley, i) => {
    const handles = ROOMS.filter((_, r) => r % 4 === i % 4).map((room) => parley.join(room));
    const say = async (n: number): Promise<void> => {
      const handle = handles[n % handles.length];
      if (isOver || handle === undefined) return;
      const id = uuidv7(Date.now(), systemRandom);
      const { room } = handle;
      open.set(id, { writer: i, room, id });
      sent.add(id);
      const outcome = await handle.send({ text: `from ${i}` }, { id }).done;
      if (outcome.kind === "acked" && !isOver) {
        acked.push({ room, id, seq: outcome.seq });
        open.delete(id);
      }
      if (outcome.kind === "acked") await say(n + DEPTH);
    };
    for (let k = 0; k < DEPTH; k++) void say(k);
  });
  await until(() => acked.length > 2_000, { withinMs: 60_000, what: "2,000 acks" });
  await cluster.killAll();
  isOver = true;
  for (const parley of people) parley.close();
}

/** Everything that was never answered goes again, from a new connection of its sender. */
async function retry(
  cluster: Cluster,
  { acked, open }: { acked: Acked[]; open: Map<string, Sent> },
): Promise<void> {
  const senders = await Promise.all(
    Array.from({ length: WRITERS }, (_, i) => connect(cluster, `writer-${i}`)),
  );
  const outcomes = await Promise.all(
    [...open.values()].map(async ({ writer, room, id }) => {
      const handle = senders[writer]?.join(room);
      if (handle === undefined) throw new Error("no sender");
      const first = await handle.send({ text: "again" }, { id }).done;
      return { room, id, outcome: first };
    }),
  );
  for (const { room, id, outcome } of outcomes) {
    expect(outcome.kind, `retry of ${id}`).to.equal("acked");
    if (outcome.kind === "acked") acked.push({ room, id, seq: outcome.seq });
  }
  for (const parley of senders) parley.close();
}

async function countArchived(cluster: Cluster): Promise<number> {
  const dump = await dumpArchive(cluster.databaseUrl);
  return [...dump.values()].reduce((sum, events) => sum + events.length, 0);
}
