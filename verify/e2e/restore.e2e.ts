// Restore: PostgreSQL and then, twice, NATS lose everything they had. `make drill-restore` is the same with
// more rooms and messages, and its figures stand in docs/operating/restore.md.

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
  const said: string[] = [];

  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "parley-restore-"));
    const say = (line: string): void => void said.push(line);
    lossy = await LossyCluster.open({ dataDir, rooms: ROOMS, partitions: 4, acked: ACKED, say });
  });
  after(async () => {
    await lossy[Symbol.asyncDispose]();
    await rm(dataDir, { recursive: true, force: true });
  });

  it("R4: a PostgreSQL restored from a backup gets from the log all that came after it", async () => {
    const { wrong, lost, reset, reborn, acked } = await lossy.losePostgres();
    expect(wrong).to.deep.equal([]);
    expect({ lost, reset, reborn }).to.deep.equal({ lost: 0, reset: [], reborn: [] });
    expect(acked).to.be.at.least(3 * ACKED);
  });

  it("R2: logs that are lost after an orderly stop go on behind the archive, births and all", async () => {
    const { wrong, lost, reset, reborn } = await lossy.loseLogsAfterStop();
    expect(said.join("\n")).to.contain("RESTORE=logs make start");
    expect(wrong).to.deep.equal([]);
    expect({ lost, reset, reborn }).to.deep.equal({ lost: 0, reset: [], reborn: [] });
  });

  it("R3: where acknowledged messages are gone every room is born again, and everybody is told", async () => {
    const { wrong, lost, reset, reborn } = await lossy.loseLogsUnderLoad();
    expect(wrong).to.deep.equal([]);
    expect(lost).to.be.at.least(ACKED); // What was said while the archive stood still.
    expect(reborn).to.deep.equal(ROOMS);
    expect(reset).to.deep.equal(ROOMS);
  });
});
