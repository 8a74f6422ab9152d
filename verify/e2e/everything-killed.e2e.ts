// The most important test of the project: twenty writers at full speed, and every process dies.
//
// Gateways, room nodes, persistence, NATS, PostgreSQL and their supervisor get SIGKILL in one breath
// while sends are in flight; `make start` then runs on the same data; and that twice. Writers speak
// the wire themselves and go on with the same ids; readers use our SDK. What they recorded is judged
// by verify/checker against log, archive and history.

import { expect } from "chai";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Parley } from "#client/sdk/parley.ts";
import type { RoomHandle } from "#client/sdk/room-handle.ts";
import { isSame } from "#shared/process/identity.ts";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import { until } from "#shared/testing/wait.ts";
import { check } from "../checker/check.ts";
import type { Report } from "../checker/check.ts";
import { archivedThrough, devToken, dumpArchive, dumpLog, dumpPages } from "../dumps/dump.ts";
import type { HistoryRecord } from "../checker/record.ts";
import type { LoggedEntry } from "../checker/tenures.ts";
import { Writer } from "../drills/saturating-writer.ts";
import { StartProcess, twoFreePorts } from "./start-process.ts";

const WRITERS = 20;
const ROOMS = Array.from({ length: 10 }, (_, i) => `room-${i}` as RoomId);
const PARTITIONS = 4;
const IN_FLIGHT = 16;
/** Acknowledged sends in each life of the cluster. */
const ACKED_PER_LIFE = 3_000;
const KILLS = 2;
/** Old sends that each writer repeats at the end. */
const REPEATS = 25;

describe("Everything killed", function () {
  this.timeout(240_000);

  let dataDir = "";
  let port = 0;
  let cluster: StartProcess;
  const records: HistoryRecord[] = [];
  const writers: Writer[] = [];
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
      LOG_KEEP_ENTRIES: "1000000", // The whole log stays, so that all of it can be compared.
    });
    expect(await cluster.ready()).to.equal(`http://localhost:${port}`);
  }

  const gateway = (index: number): string => `127.0.0.1:${port + (index % 2)}`;
  const socketUrl = (index: number): string => `ws://${gateway(index)}/v1/ws`;
  const acked = (): number => writers.reduce((sum, writer) => sum + writer.acked, 0);

  async function openWriter(index: number): Promise<void> {
    const user = `writer-${index}` as UserId;
    const token = await devToken(`http://${gateway(0)}`, user);
    const room = ROOMS[index % ROOMS.length]!;
    let attempt = index;
    const writer = new Writer({
      url: () => socketUrl(attempt++), // Another gateway after every drop.
      user,
      token,
      room,
      inFlightMax: IN_FLIGHT,
      record: (record) => records.push(record),
    });
    writer.connect();
    writers.push(writer);
  }

  async function openReader(index: number): Promise<void> {
    const client = `reader-${index}` as UserId;
    const token = await devToken(`http://${gateway(0)}`, client);
    const parley = new Parley({ url: socketUrl(index), token });
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

  async function judge(): Promise<Report> {
    const { nats, natsNkeyFile: nkeyFile, postgres } = cluster.info();
    const log: LoggedEntry[] = [];
    const lasts = await dumpLog({ url: nats[0]!.url, nkeyFile }, PARTITIONS, (entry) =>
      log.push(entry),
    );
    await until(
      async () => {
        const marks = await archivedThrough(postgres.url);
        return lasts.every((last, p) => last === 0 || (marks.get(p) ?? 0) >= last);
      },
      { withinMs: 60_000, what: "the archive to have the whole log" },
    );
    const archive: string[] = [];
    const heads = await dumpArchive(postgres.url, (line) => archive.push(line));
    await until(
      () =>
        writers.every((writer) => writer.seen === heads.get(writer.room)) &&
        readers.every(({ rooms }) =>
          rooms.every((room) => room.completeThrough === (heads.get(room.room as RoomId) ?? 0)),
        ),
      { withinMs: 60_000, what: "everybody to have every room to its end" },
    );
    records.push({ t: performance.now(), op: "mark", what: "end" });
    const token = await devToken(`http://${gateway(1)}`, "reader-0");
    const pages: string[] = [];
    await dumpPages(`http://${gateway(1)}`, token, ROOMS, (line) => pages.push(line));
    return check({ records, log, archive, pages });
  }

  it("D6: every acknowledged message is there once, and log, archive, history and readers agree", async () => {
    await start();
    await Promise.all(Array.from({ length: WRITERS }, (_, i) => openWriter(i)));
    await Promise.all([0, 1].map(openReader));
    for (let kill = 0; kill < KILLS; kill++) {
      await ackedMore(ACKED_PER_LIFE);
      const killed = await cluster.killEverything();
      // Supervisor, NATS, PostgreSQL, 2 gateways, 2 room nodes, persistence.
      expect(killed).to.have.length(8);
      await start();
    }
    await ackedMore(ACKED_PER_LIFE);
    await drain();
    const { counts, violations } = await judge();
    console.log(`      ${JSON.stringify(counts)}`);
    expect(violations).to.deep.equal([]);
    expect(writers.flatMap((writer) => writer.surprises)).to.deep.equal([]);
    expect(counts.sent).to.equal(counts.acked);
    expect(counts.stored).to.equal(counts.sent);
    expect(counts.acked).to.be.at.least(ACKED_PER_LIFE * (KILLS + 1));
    // Without sends that the kill left unknown, this run would have proved little.
    expect(counts.retried).to.be.above(WRITERS * REPEATS);
  });

  it("D6: afterwards it stops in order and leaves no process behind", async () => {
    const all = cluster.processes();
    expect(await cluster.interrupt()).to.equal(0);
    expect(all.filter(isSame)).to.deep.equal([]);
  });
});
