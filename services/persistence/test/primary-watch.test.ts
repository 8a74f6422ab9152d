// A promotion of a standby, against two real servers, of which one vanishes without a reset.

import { expect } from "chai";
import { systemClock } from "#shared/adapters/clock-system.ts";
import type { ArchiveBatch, Read, WriteOutcome } from "#shared/ports/archive.ts";
import type { RoomId } from "#shared/protocol/ids.ts";
import { PostgresArchive } from "../adapters/archive-postgres.ts";
import { PrimaryWatch } from "../adapters/primary-watch.ts";
import { openPair } from "./postgres-pair.ts";
import type { PostgresPair } from "./postgres-pair.ts";
import { openRoad } from "./road.ts";

/** Of the writers. */
const CONNECTIONS = 6;

describe("PrimaryWatch", function () {
  this.timeout(240_000);
  let pair: PostgresPair;

  before(async () => {
    pair = await openPair();
  });
  after(() => pair[Symbol.asyncDispose]());

  it("primary-watch.2: without a primary it rejects with the state of each server, and without a password", async () => {
    const urls = ["postgres://parley:secret@127.0.0.1:1/parley", pair.standby.url];
    const watch = new PrimaryWatch({ urls, clock: systemClock, onMoved: fail });
    const refused = await watch.find().catch((error: unknown) => String(error));
    expect(refused).to.contain("127.0.0.1:1 is connect ECONNREFUSED");
    expect(refused).to.contain(`${new URL(pair.standby.url).host} is a standby`);
    expect(refused).not.to.contain("secret");
  });

  it("D14, archive-postgres.5, postgres-pool.1, primary-watch.1: after a primary has vanished, the archive uses the promoted standby, and no write waits for a timeout", async () => {
    const port = Number(new URL(pair.primary.url).port);
    await using road = await openRoad(port);
    await using silent = await openRoad(port);
    silent.vanish();
    const urls = [road, silent].map((one) => one.urlOf(pair.primary.url));
    const moves: string[] = [];
    const watch = new PrimaryWatch({
      urls: [...urls, pair.standby.url],
      clock: systemClock,
      onMoved: (url) => {
        moves.push(url);
        store.moveTo(url);
      },
    });
    const url = await watch.find();
    const store = new PostgresArchive({ url });
    const general = (): Promise<Read<unknown>> => store.range("general" as RoomId, 1, 10);
    const partitions = [0, 1, 2, 3, 4, 5, 6, 7];
    const writeAll = (from: number): Promise<WriteOutcome[]> =>
      Promise.all(partitions.map((p) => store.write(batchOf(p, from))));
    const allOk = partitions.map(() => "ok");
    try {
      expect(url).to.equal(urls[0]);
      expect((await writeAll(0)).map(({ kind }) => kind)).to.deep.equal(allOk);
      await pair.caughtUp();
      road.vanish();
      const stuck = writeAll(1);
      const read = general();
      await pair.promote();
      // The others wait for one of the connections, and may give up earlier.
      const reasons = (await stuck).map((outcome) => "reason" in outcome && outcome.reason);
      const givenUp = reasons.filter((reason) => reason === "the archive has another primary");
      expect(givenUp.length, reasons.join("; ")).to.be.at.least(CONNECTIONS);
      expect((await read).kind).to.equal("unavailable");
      expect((await writeAll(1)).map(({ kind }) => kind)).to.deep.equal(allOk);
      expect((await general()).kind).to.equal("ok");
      expect(moves).to.deep.equal([pair.standby.url]);
    } finally {
      watch.stop();
      await store.close();
    }
  });

  it("primary-watch.2, primary-choice.1: a process that starts chooses the promoted server, though the old primary still runs", async () => {
    for (const urls of [
      [pair.primary.url, pair.standby.url],
      [pair.standby.url, pair.primary.url],
    ]) {
      const watch = new PrimaryWatch({ urls, clock: systemClock, onMoved: fail });
      try {
        expect(await watch.find()).to.equal(pair.standby.url);
      } finally {
        watch.stop();
      }
    }
  });

  it("primary-watch.3: a single server is not asked", async () => {
    const url = "postgres://127.0.0.1:1/parley";
    const watch = new PrimaryWatch({ urls: [url], clock: systemClock, onMoved: fail });
    expect(await watch.find()).to.equal(url);
    watch.stop();
  });
});

function batchOf(p: number, from: number): ArchiveBatch {
  return { p, from, to: from + 1, epoch: 1, events: [] };
}

function fail(): void {
  throw new Error("the primary has not changed");
}
