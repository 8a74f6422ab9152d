// Restore: PostgreSQL loses all data, then NATS does so twice. `make drill-restore` does the same
// with more rooms and messages; docs/operating/restore.md has its results.

import { expect } from "chai";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RoomId } from "#shared/protocol/ids.ts";
import { LossyCluster } from "../drills/losses.ts";

const ROOMS = Array.from({ length: 6 }, (_, i) => `room-${i}` as RoomId);
const ACKED = 150;

describe("Restore", function () {
  this.timeout(180_000);

  let dataDir = "";
  let lossy: LossyCluster;
  const output: string[] = [];

  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "parley-restore-"));
    const say = (line: string): void => void output.push(line);
    lossy = await LossyCluster.open({ dataDir, rooms: ROOMS, partitions: 4, acked: ACKED, say });
  });
  after(async () => {
    await lossy[Symbol.asyncDispose]();
    await rm(dataDir, { recursive: true, force: true });
  });

  it("R4: a PostgreSQL restored from a backup gets all later events from the logs", async () => {
    const { wrong, lost, reset, recreated, acked } = await lossy.losePostgres();
    expect(wrong).to.deep.equal([]);
    expect({ lost, reset, recreated }).to.deep.equal({ lost: 0, reset: [], recreated: [] });
    expect(acked).to.be.at.least(3 * ACKED);
  });

  it("R2: logs lost after a planned stop continue after the archive, and every room keeps its birth", async () => {
    const { wrong, lost, reset, recreated } = await lossy.loseLogsAfterStop();
    expect(output.join("\n")).to.contain("RESTORE=logs make start");
    expect(wrong).to.deep.equal([]);
    expect({ lost, reset, recreated }).to.deep.equal({ lost: 0, reset: [], recreated: [] });
  });

  it("R3: after a loss of acknowledged messages every room is recreated, and every client gets a reset", async () => {
    const { wrong, lost, reset, recreated } = await lossy.loseLogsUnderLoad();
    expect(wrong).to.deep.equal([]);
    expect(lost).to.be.at.least(ACKED); // The messages during the pause of persistence.
    expect(recreated).to.deep.equal(ROOMS);
    expect(reset).to.deep.equal(ROOMS);
  });
});
