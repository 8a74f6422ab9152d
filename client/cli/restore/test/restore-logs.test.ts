// Restores logs on a real NATS and a real PostgreSQL: NATS restarts empty, the archive has its
// data.

import { expect } from "chai";
import { Client } from "pg";
import { openNatsBus } from "#shared/adapters/bus-nats.ts";
import { openNatsLog } from "#shared/adapters/log-nats.ts";
import { provision } from "#shared/adapters/nats-provision.ts";
import { createLogger } from "#shared/process/logger.ts";
import { partitionOf } from "#shared/protocol/ids.ts";
import type { RoomId } from "#shared/protocol/ids.ts";
import { events, idOf } from "#shared/testing/archive.contract.ts";
import { launchNats } from "#shared/testing/launch-nats.ts";
import type { NatsServer } from "#shared/testing/launch-nats.ts";
import { launchPostgres } from "#shared/testing/launch-postgres.ts";
import type { PostgresServer } from "#shared/testing/launch-postgres.ts";
import { reportLines } from "../restore-report.ts";
import { PostgresArchive } from "../../../../services/persistence/adapters/archive-postgres.ts";
import { claimPartitions, migrate } from "../../../../services/persistence/adapters/migrate.ts";
import { restoreLogs } from "../../../../services/persistence/runtime/restore-logs.ts";
import type { RestoreOptions } from "../../../../services/persistence/runtime/restore-logs.ts";
import { LOST_ENTRIES_MAX } from "#shared/ports/restore.ts";

const PARTITIONS = 2;
const logger = createLogger({ name: "test", level: "silent" });
const roomIn = (p: number): RoomId =>
  ["general", "dev", "ops", "random"].find(
    (room) => partitionOf(room as RoomId, PARTITIONS) === p,
  ) as RoomId;

describe("parley restore logs", () => {
  let postgres: PostgresServer;
  let nats: NatsServer;
  let admin: Client;

  before(async function () {
    this.timeout(60_000);
    postgres = await launchPostgres();
    admin = new Client({ connectionString: postgres.url });
    await admin.connect();
  });

  after(async () => {
    await admin.end();
    await postgres.stop();
  });

  beforeEach(async () => {
    nats = await launchNats();
    await admin.query("drop schema public cascade");
    await admin.query("create schema public");
    await migrate({ url: postgres.url });
    await claimPartitions(postgres.url, PARTITIONS);
    await using store = Object.assign(new PostgresArchive({ url: postgres.url }), {
      [Symbol.asyncDispose]: () => store.close(),
    });
    // Partition 0 was released and then claimed by a room node; partition 1 was only released.
    for (const p of [0, 1]) {
      const list = events(roomIn(p), 1, 3);
      await store.write({ p, from: 0, to: 40, epoch: 1, events: list, isReleased: true });
    }
    await store.watermark(0, 41);
  });

  afterEach(() => nats.stop());

  function restore(more: Partial<RestoreOptions> = {}) {
    const defaults = {
      lost: "auto",
      isArchiveIntact: true,
      discard: [],
      isConfirmed: true,
    } as const;
    return restoreLogs({
      nats: { url: nats.url },
      database: postgres.url,
      ...defaults,
      ...more,
    });
  }

  async function births(): Promise<Record<string, string>> {
    const { rows } = await admin.query<{ room: string; born: string }>(
      "select room, born from rooms",
    );
    return Object.fromEntries(rows.map(({ room, born }) => [room, born]));
  }

  it("R2: a new log continues behind the archive, and births change only where messages may be lost", async () => {
    const { plans, recreated } = await restore();
    expect(plans.map(({ kind }) => kind)).to.deep.equal(["restore", "restore"]);
    expect([...recreated]).to.deep.equal([[0, 1]]);
    const born = await births();
    expect(born[roomIn(1)]).to.equal(idOf(1));
    expect(born[roomIn(0)]).to.be.a("string").with.length(36).and.not.equal(idOf(1));

    const bus = await openNatsBus({ url: nats.url, name: "t", inboxPrefix: "_INBOX_t", logger });
    const log = openNatsLog(bus);
    const [remade, kept] = [await log.last(0), await log.last(1)];
    expect(kept).to.include({ kind: "ok", last: 40, first: 41 });
    expect(remade).to.include({ kind: "ok", last: 40 + LOST_ENTRIES_MAX });
    expect(await log.append(1, "x", 39)).to.deep.equal({ kind: "conflict", last: 40 });
    expect(await log.append(1, "x", 40)).to.deep.equal({ kind: "ok", seq: 41 });
    await bus.close();

    // A second run finds nothing to restore and changes nothing.
    expect((await restore({ lost: "all" })).plans.map(({ kind }) => kind)).to.deep.equal([
      "whole",
      "whole",
    ]);
    expect(await births()).to.deep.equal(born);
  });

  it("R2: every birth changes when the archive may come from a backup", async () => {
    const { recreated } = await restore({ isArchiveIntact: false });
    expect([...recreated]).to.deep.equal([
      [0, 1],
      [1, 1],
    ]);
    expect(Object.values(await births())).to.not.include(idOf(1));
  });

  it("restore-logs.2: refuses streams that hold entries, changes nothing, and reports the next step", async () => {
    const bus = await openNatsBus({ url: nats.url, name: "t", inboxPrefix: "_INBOX_t", logger });
    await provision(bus.connection, { partitions: PARTITIONS, replicas: 1, logBytesMax: 1 << 20 });
    const log = openNatsLog(bus);
    await log.append(1, "x", 0);
    const before = await births();
    const refused = await restore();
    expect(reportLines(refused, true).join("\n"))
      .to.contain("REFUSED partition 1")
      .and.contain("--discard");
    expect(await births()).to.deep.equal(before);
    expect(await log.last(0)).to.include({ last: 0 });
    expect((await restore({ discard: [1] })).plans[1]).to.include({
      kind: "restore",
      firstSeq: 41,
    });
    expect(await log.last(1)).to.include({ last: 40 });
    await bus.close();
  });

  it("restore-logs.2: without --yes it reports the plan and changes nothing", async () => {
    const before = await births();
    const report = await restore({ isConfirmed: false });
    expect(reportLines(report, false)[0]).to.contain("rooms are to be recreated");
    expect(await births()).to.deep.equal(before);
  });

  it("N3: an archive keeps its number of partitions and refuses another", async () => {
    await claimPartitions(postgres.url, PARTITIONS);
    let refusal = "";
    await claimPartitions(postgres.url, 4).catch((error: unknown) => (refusal = String(error)));
    expect(refusal).to.contain("created with 2 partitions, not 4");
    expect((await restore({ partitions: 4 })).plans).to.have.length(PARTITIONS);
  });
});
