// Region agents on real servers: the first term, following, hand-over, promotion, rejoining.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { runProgram } from "#client/cli/program.ts";
import { systemClock } from "#shared/adapters/clock-system.ts";
import { below, findRegionLogs } from "#shared/adapters/nats-mirror.ts";
import { LOST_ENTRIES_MAX } from "#shared/ports/restore.ts";
import { RegionGrants } from "#shared/process/region-grants.ts";
import { partitionOf } from "#shared/protocol/ids.ts";
import type { RoomId } from "#shared/protocol/ids.ts";
import { events } from "#shared/testing/archive.contract.ts";
import { until } from "#shared/testing/wait.ts";
import { PostgresArchive } from "../../services/persistence/adapters/archive-postgres.ts";
import { RegionalLog } from "../../services/room/runtime/regional-log.ts";
import { AgentFixture, ask, inState, PARTITIONS } from "./agent-fixture.ts";
import type { Side } from "./agent-fixture.ts";

const WITHIN_MS = 20_000;
const ROOM = ["general", "dev", "ops"].find(
  (room) => partitionOf(room as RoomId, PARTITIONS) === 0,
) as RoomId;

/** What a `parley` command prints. */
async function cli(...args: string[]): Promise<string> {
  const lines: string[] = [];
  const { log } = console;
  console.log = (line: string) => void lines.push(line);
  try {
    await runProgram(args, (line) => lines.push(line));
  } finally {
    console.log = log;
  }
  return lines.join("\n");
}

/** East serves, and west follows. */
async function follow(fixture: AgentFixture, west: Side, east: Side): Promise<void> {
  await inState(east, "no-term");
  await until(async () => (await ask(east, { verb: "promote" })) === "ok", {
    withinMs: WITHIN_MS,
    what: "the first term",
  });
  await inState(east, "serving");
  await inState(west, "detached");
  expect(await ask(west, { verb: "rejoin" })).to.equal("ok");
  await inState(west, "following");
}

async function append({ log }: Side, count: number): Promise<number> {
  const state = await log.last(0);
  let last = state.kind === "ok" ? state.last : -1;
  for (let n = 0; n < count; n++) {
    const outcome = await log.append(0, `entry ${last + 1}`, last);
    if (outcome.kind !== "ok") throw new Error(outcome.kind);
    last = outcome.seq;
  }
  return last;
}

async function endOf({ log }: Side, p = 0): Promise<number> {
  const state = await log.last(p);
  return state.kind === "ok" ? state.last : -1;
}

async function reaches(side: Side, seq: number): Promise<void> {
  await until(async () => (await endOf(side)) === seq, {
    withinMs: WITHIN_MS,
    what: `entry ${seq} in the mirror`,
  });
}

/** Stores the entries up to `to` in the archive of a region, as persistence does. */
async function archive(side: Side, range: { from: number; to: number }): Promise<void> {
  const store = new PostgresArchive({ url: side.database });
  const list = range.from === 0 ? events(ROOM, 1, 3) : [];
  await store.write({ p: 0, ...range, epoch: 1, events: list, isReleased: false });
  await store.close();
}

async function bornOf(fixture: AgentFixture, side: Side): Promise<string> {
  const client = await fixture.query(side.database);
  const { rows } = await client.query<{ born: string }>("select born from rooms");
  await client.end();
  return rows[0]?.born ?? "";
}

describe("Region agents", function () {
  this.timeout(60_000);

  it("T6: the first term needs an operator, and a region that is held cannot be promoted", async () => {
    await using fixture = await AgentFixture.open({ isNew: true });
    const east = await fixture.start("east");
    const west = await fixture.start("west", { autoPromote: true });
    await follow(fixture, west, east);
    expect(east.agent.grant(1).for).to.equal("everything");
    expect(west.agent.grant(1).for).to.equal("nothing");
    expect(await ask(west, { verb: "promote" })).to.equal("term_held");
    expect(await ask(west, { verb: "promote", acceptLoss: true })).to.equal("term_held");
    expect(await ask(west, { verb: "demote" })).to.equal("not_serving");
    expect(await ask(west, { verb: "mode", mode: "synchronous" })).to.equal("not_serving");
    expect(await ask(east, { verb: "rejoin" })).to.equal("term_held");
    expect(await ask(west, { verb: "rejoin" })).to.equal("bad_request");
    expect(west.agent.state).to.equal("following");
  });

  it("T5, T6, T8: after asynchronous mode the follower takes over, archives its mirror, and births change", async () => {
    await using fixture = await AgentFixture.open();
    const east = await fixture.start("east");
    const west = await fixture.start("west", { autoPromote: true });
    await follow(fixture, west, east);
    const last = await append(east, 10);
    await reaches(west, last);
    await archive(west, { from: 0, to: last - 4 });
    const before = await bornOf(fixture, west);
    await east.stop();
    await until(() => west.agent.grant(1).for === "archive", {
      withinMs: WITHIN_MS,
      what: "the right of persistence to archive the rest",
    });
    expect(west.agent.state).to.equal("promoting");
    await archive(west, { from: last - 4, to: last });
    await inState(west, "serving");
    expect(await bornOf(fixture, west)).to.not.equal(before);
    expect(await append(west, 1)).to.equal(last + LOST_ENTRIES_MAX + 1);

    // The old region returns. Nothing begins by itself, and its entries must be saved first.
    const again = await fixture.start("east", { autoPromote: true });
    await inState(again, "detached");
    expect(await ask(again, { verb: "promote" })).to.equal("term_held");
    expect(await ask(again, { verb: "rejoin" })).to.equal("not_saved");
    await append(again, 2); // As an owner did that had not detected the cut yet.
    const status = await again.agent.status();
    expect(status.logs[0]).to.deep.include({ isMirror: false, last: last + 2, common: last });
    expect(await ask(again, { verb: "rejoin", saved: [last + 1, 0] })).to.equal("not_saved");
    const dir = mkdtempSync(join(tmpdir(), "parley-region-"));
    const file = join(dir, "saved.jsonl");
    const nats = ["--nats", fixture.regions.east.url, "region"];
    expect(await cli(...nats, "rejoin", "--save", file)).to.include(`saved 2 entries to ${file}`);
    const saved = readFileSync(file, "utf8").trim().split("\n");
    expect(saved.map((line) => (JSON.parse(line) as { seq: number }).seq)).to.deep.equal([
      last + 1,
      last + 2,
    ]);
    expect(await cli(...nats, "rejoin", "--save", file)).to.include("choose a new file");
    expect(await cli(...nats, "promote")).to.include("term_held");
    rmSync(dir, { recursive: true });
    await inState(again, "following");
    await reaches(again, last + LOST_ENTRIES_MAX + 1);
  });

  it("T5: after synchronous mode births stay and the log continues at its end", async () => {
    await using fixture = await AgentFixture.open();
    const east = await fixture.start("east");
    const west = await fixture.start("west", { autoPromote: true });
    await follow(fixture, west, east);
    await archive(west, { from: 0, to: 0 });
    const before = await bornOf(fixture, west);
    expect(await ask(east, { verb: "mode", mode: "synchronous" })).to.equal("ok");
    await until(() => east.agent.grant(1).mirror === "west", {
      withinMs: WITHIN_MS,
      what: "owners that wait for the mirror",
    });
    await until(() => east.agent.term.record?.follower === "west", {
      withinMs: WITHIN_MS,
      what: "a follower in synchronous mode",
    });
    const last = await append(east, 5);
    await reaches(west, last);
    await east.stop();
    await inState(west, "serving");
    expect(west.agent.term.record).to.deep.include({ logs: "whole", term: 2, follower: null });
    expect(west.agent.grant(1).mirror).to.equal(null);
    expect(await bornOf(fixture, west)).to.equal(before);
    expect(await append(west, 1)).to.equal(last + 1);
  });

  it("T5: an archive that is ahead of a whole log loses nothing, and the log continues behind it", async () => {
    await using fixture = await AgentFixture.open();
    const east = await fixture.start("east");
    const west = await fixture.start("west");
    await follow(fixture, west, east);
    const last = await append(east, 3);
    await reaches(west, last);
    await archive(west, { from: 0, to: last + 2 }); // Entries that the mirror never received.
    const before = await bornOf(fixture, west);
    expect(await ask(east, { verb: "demote" })).to.equal("ok");
    await inState(west, "serving");
    expect(await bornOf(fixture, west)).to.equal(before);
    expect(await append(west, 1)).to.equal(last + 3);
  });

  it("T5, region-agent.3: a hand-over loses nothing, and the old region follows after it has rejoined", async () => {
    await using fixture = await AgentFixture.open();
    const east = await fixture.start("east");
    const west = await fixture.start("west");
    await follow(fixture, west, east);
    const last = await append(east, 20);
    expect(await ask(east, { verb: "demote" })).to.equal("ok");
    await inState(west, "serving");
    expect(east.agent.grant(1).for).to.equal("nothing");
    expect(await append(west, 1)).to.equal(last + 1);
    await inState(east, "detached");
    const saved = (await east.agent.status()).logs.map((log) => log.last);
    expect(await ask(east, { verb: "rejoin", saved })).to.equal("ok");
    await inState(east, "following");
    expect(await ask(west, { verb: "demote" })).to.equal("ok");
    await inState(east, "serving");
    expect(await append(east, 1)).to.equal(last + 2);
  });

  it("T1, T2: a region that loses the witness stops within its lease, and serves again", async () => {
    await using fixture = await AgentFixture.open();
    const east = await fixture.start("east");
    const west = await fixture.start("west");
    await follow(fixture, west, east);
    const right = new RegionGrants(east.bus, systemClock);
    right.start();
    await until(() => right.allows(0) === "everything", { withinMs: WITHIN_MS, what: "a grant" });
    fixture.witnessServer.signal("SIGSTOP");
    await until(() => right.allows(0) === "nothing", { withinMs: WITHIN_MS, what: "the lapse" });
    await inState(east, "lapsed"); // The lease ends after the last grant of it.
    fixture.witnessServer.signal("SIGCONT");
    await until(() => right.allows(0) === "everything", { withinMs: WITHIN_MS, what: "a grant" });
    right.stop();
  });

  it("T4: in synchronous mode an append is done when the mirror of the other region has it", async () => {
    await using fixture = await AgentFixture.open();
    const east = await fixture.start("east");
    const west = await fixture.start("west");
    await follow(fixture, west, east);
    expect(await ask(east, { verb: "mode", mode: "synchronous" })).to.equal("ok");
    await until(() => east.agent.term.record?.follower === "west", {
      withinMs: WITHIN_MS,
      what: "a follower in synchronous mode",
    });
    const right = new RegionGrants(east.bus, systemClock);
    right.start();
    await until(() => right.grant?.mirror === "west", { withinMs: WITHIN_MS, what: "a grant" });
    const log = new RegionalLog({ log: east.log, right, bus: east.bus, clock: systemClock });
    let last = await endOf(east);
    for (let n = 0; n < 20; n++) {
      const outcome = await log.append(0, "entry", last);
      if (outcome.kind !== "ok") throw new Error(JSON.stringify(outcome));
      last = outcome.seq;
      const [mirror] = await findRegionLogs(west.bus.connection, below(PARTITIONS));
      expect(mirror?.last).to.be.at.least(last);
    }
    await west.stop();
    const waiting = log.append(0, "entry", last);
    expect((await waiting).kind, "while the mirror is away").to.equal("unknown");
    const second = log.append(0, "entry", last + 1);
    expect(await ask(east, { verb: "mode", mode: "asynchronous" })).to.equal("ok");
    expect((await second).kind, "after the operator chose asynchronous").to.equal("ok");
    log.close();
    right.stop();
  });
});
