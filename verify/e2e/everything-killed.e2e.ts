// Everything killed: twenty writers at full speed while SIGKILL hits every process at once.
//
// Gateways, room nodes, persistence, NATS, PostgreSQL and their supervisor get SIGKILL while sends
// are in flight. `make start` then runs on the same data. This happens twice. Writers speak the
// wire directly and resend with the same ids; readers use the SDK. verify/checker compares their
// records with log, archive and history.

import { expect } from "chai";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Parley } from "#client/sdk/parley.ts";
import type { RoomHandle } from "#client/sdk/room-handle.ts";
import { isSame } from "#shared/process/identity.ts";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import { until } from "#shared/testing/wait.ts";
import { printFigure } from "#tools/test-run/figure.ts";
import type { Report } from "../checker/check.ts";
import type { HistoryRecord } from "../checker/record.ts";
import { SaturatingWriter } from "../drills/saturating-writer.ts";
import { judge } from "../drills/verdict.ts";
import { devToken, socketUrlOf } from "../wire-client/dev-token.ts";
import type { Endpoint } from "../wire-client/wire-client-options.ts";
import { StartProcess, twoFreePorts } from "./start-process.ts";

const WRITERS = 20;
const ROOMS = Array.from({ length: 10 }, (_, i) => `room-${i}` as RoomId);
const PARTITIONS = 4;
const PENDING = 16;
/** Acknowledged sends between two kills. */
const ACKED_PER_START = 3_000;
const KILLS = 2;
/** Acknowledged sends that each writer repeats at the end. */
const REPEATS = 25;

describe("Everything killed", function () {
  this.timeout(240_000);

  let dataDir = "";
  let port = 0;
  let cluster: StartProcess;
  const records: HistoryRecord[] = [];
  const writers: SaturatingWriter[] = [];
  const readers: { parley: Parley; rooms: RoomHandle[] }[] = [];

  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "parley-killed-"));
    port = await twoFreePorts();
  });
  after(async () => {
    for (const writer of writers) writer.close();
    for (const { parley } of readers) parley.close();
    await cluster.interrupt();
    await rm(dataDir, { recursive: true, force: true });
  });

  async function start(): Promise<void> {
    cluster = new StartProcess(dataDir, {
      PORT: String(port),
      GATEWAYS: "2",
      ROOMS: "2",
      PARTITIONS: String(PARTITIONS),
      LIMITS: "off",
      LOG_KEEP_ENTRIES: "1000000", // Keeps the whole log for the comparison.
    });
    expect(await cluster.ready()).to.equal(`http://localhost:${port}`);
  }

  const gateway = (index: number): string => `http://127.0.0.1:${port + (index % 2)}`;
  const endpoint = (index: number): Endpoint => ({
    name: `gateway-${(index % 2) + 1}`,
    url: socketUrlOf(gateway(index)),
  });
  const acked = (): number => writers.reduce((sum, writer) => sum + writer.acked, 0);

  async function openWriter(index: number): Promise<void> {
    const user = `writer-${index}` as UserId;
    const writer = new SaturatingWriter({
      endpoint: (n) => endpoint(index + n), // Another gateway after every lost connection.
      user,
      token: await devToken(gateway(0), user),
      room: ROOMS[index % ROOMS.length]!,
      pendingMax: PENDING,
      record: (record) => records.push(record),
    });
    writer.connect();
    writers.push(writer);
  }

  async function openReader(index: number): Promise<void> {
    const client = `reader-${index}` as UserId;
    const token = await devToken(gateway(0), client);
    const parley = new Parley({ url: endpoint(index).url, token });
    parley.connect();
    const rooms = ROOMS.map((room) => {
      const handle = parley.join(room, { after: 0 });
      const origin = { t: 0, client, conn: 1, room };
      records.push({ ...origin, op: "join", phase: "invoke", after: 0 });
      records.push({ ...origin, op: "join", phase: "ok", from: 1 });
      handle.on("event", (event) => {
        records.push({ ...origin, op: "see", seq: event.seq, id: event.id });
      });
      return handle;
    });
    readers.push({ parley, rooms });
  }

  async function ackedMore(count: number): Promise<void> {
    const goal = acked() + count;
    await until(() => acked() >= goal, { withinMs: 60_000, what: `${count} more acks` });
  }

  async function drain(): Promise<void> {
    for (const writer of writers) writer.finish();
    const isDrained = (): boolean => writers.every((writer) => writer.isDrained);
    await until(isDrained, { withinMs: 60_000, what: "every send to be acknowledged" });
    for (const writer of writers) writer.repeat(REPEATS);
    await until(isDrained, { withinMs: 60_000, what: "every repeated send to be answered" });
  }

  async function compare(): Promise<Report> {
    const { nats, natsNkeyFile: nkeyFile, postgres } = cluster.info();
    const { report } = await judge({
      cluster: {
        natsAccess: { url: nats[0]!.url, nkeyFile },
        databaseUrl: postgres.url,
        url: gateway(1),
      },
      partitions: PARTITIONS,
      records,
      isRead: (heads) =>
        writers.every((writer) => writer.seen === heads.get(writer.room)) &&
        readers.every(({ rooms }) =>
          rooms.every((room) => room.completeThrough === (heads.get(room.room as RoomId) ?? 0)),
        ),
    });
    return report;
  }

  it("D6: stores every acknowledged message once; log, archive, history and readers agree", async () => {
    await start();
    await Promise.all(Array.from({ length: WRITERS }, (_, i) => openWriter(i)));
    await Promise.all([0, 1].map(openReader));
    for (let kill = 0; kill < KILLS; kill++) {
      await ackedMore(ACKED_PER_START);
      // Supervisor, NATS, PostgreSQL, 2 gateways, 2 room nodes, persistence.
      await until(() => cluster.processes().length === 8, {
        withinMs: 60_000,
        what: "all eight processes to run",
      });
      for (const line of cluster.output) if (line.includes("starting it again")) printFigure(line);
      expect(await cluster.killEverything(), cluster.output.join("\n")).to.have.length(8);
      await start();
    }
    await ackedMore(ACKED_PER_START);
    await drain();
    const { counts, violations } = await compare();
    printFigure(JSON.stringify(counts));
    expect(violations).to.deep.equal([]);
    expect(writers.flatMap((writer) => writer.surprises)).to.deep.equal([]);
    expect(counts.sent).to.equal(counts.acked);
    expect(counts.stored).to.equal(counts.sent);
    expect(counts.acked).to.be.at.least(ACKED_PER_START * (KILLS + 1));
    // The kills must have left sends with an uncertain outcome, or this run has shown little.
    expect(counts.retried).to.be.above(WRITERS * REPEATS);
  });

  it("D6: afterwards SIGINT stops the cluster in order and leaves no process behind", async () => {
    const all = cluster.processes();
    expect(await cluster.interrupt()).to.equal(0);
    expect(all.filter(isSame)).to.deep.equal([]);
  });
});
