// Region agents with a term for each home, on real servers: both regions serve, one is lost, it
// rejoins and gets its home back.

import { expect } from "chai";
import { Kvm } from "@nats-io/kv";
import { openNatsTable } from "#shared/adapters/table-nats.ts";
import { systemClock } from "#shared/adapters/clock-system.ts";
import { LOST_ENTRIES_MAX } from "#shared/ports/restore.ts";
import { RegionGrants } from "#shared/process/region-grants.ts";
import { partitionOf } from "#shared/protocol/ids.ts";
import type { Partition, RoomId } from "#shared/protocol/ids.ts";
import { NatsWitness } from "#shared/adapters/witness-nats.ts";
import { events } from "#shared/testing/archive.contract.ts";
import { until } from "#shared/testing/wait.ts";
import { homesOf } from "#shared/protocol/homes.ts";
import { PostgresArchive } from "../../services/persistence/adapters/archive-postgres.ts";
import { RegionalLog } from "../../services/room/runtime/regional-log.ts";
import { AgentFixture, agentInState, ask, PARTITIONS } from "./agent-fixture.ts";
import type { Name, Side } from "./agent-fixture.ts";

const WITHIN_MS = 20_000;
/** Home east has partition 0, home west has partition 1. */
const P: Readonly<Record<Name, Partition>> = { east: 0, west: 1 };
const ROOMS = Object.fromEntries(
  (["east", "west"] as const).map((home) => [
    home,
    ["general", "dev", "ops", "random"].find(
      (room) => partitionOf(room as RoomId, PARTITIONS) === P[home],
    ) as RoomId,
  ]),
) as Record<Name, RoomId>;

async function taken(side: Side, home: Name): Promise<void> {
  await until(async () => (await ask(side, { verb: "promote", home })) === "ok", {
    withinMs: WITHIN_MS,
    what: `the term of ${home}`,
  });
  await agentInState(side, side.of(home), "serving");
}

/** Each region serves its home and follows the other one. */
async function serveBoth(east: Side, west: Side): Promise<void> {
  await taken(east, "east");
  await taken(west, "west");
  await agentInState(west, west.of("east"), "detached");
  await agentInState(east, east.of("west"), "detached");
  expect(await ask(west, { verb: "rejoin", home: "east" })).to.equal("ok");
  expect(await ask(east, { verb: "rejoin", home: "west" })).to.equal("ok");
  await agentInState(west, west.of("east"), "following");
  await agentInState(east, east.of("west"), "following");
}

async function append({ log }: Side, p: Partition, count: number): Promise<number> {
  const state = await log.last(p);
  let last = state.kind === "ok" ? state.last : -1;
  for (let n = 0; n < count; n++) {
    const outcome = await log.append(p, `entry ${last + 1}`, last);
    if (outcome.kind !== "ok") throw new Error(outcome.kind);
    last = outcome.seq;
  }
  return last;
}

async function reaches({ log }: Side, p: Partition, seq: number): Promise<void> {
  const end = async (): Promise<number> => {
    const state = await log.last(p);
    return state.kind === "ok" ? state.last : -1;
  };
  await until(async () => (await end()) === seq, { withinMs: WITHIN_MS, what: `entry ${seq}` });
}

/** Stores entries in the archive of a region, as persistence does. */
async function archive(
  side: Side,
  home: Name,
  { from, to, first, last }: { from: number; to: number; first: number; last: number },
): Promise<void> {
  const store = new PostgresArchive({ url: side.database });
  const list = events(ROOMS[home], 1, last).filter(({ seq }) => seq >= first);
  const outcome = await store.write({ p: P[home], from, to, epoch: 1, events: list });
  expect(outcome.kind).to.equal("ok");
  await store.close();
}

interface Rows {
  readonly rooms: readonly { room: string; born: string; head: string }[];
  readonly events: number;
  readonly watermark: number;
}

async function rowsOf(fixture: AgentFixture, side: Side, home: Name): Promise<Rows> {
  const client = await fixture.query(side.database);
  const rooms = await client.query<Rows["rooms"][number]>(
    "select room, born, head from rooms where room = $1",
    [ROOMS[home]],
  );
  const all = await client.query("select from events where room = $1", [ROOMS[home]]);
  const marks = await client.query<{ seq: string }>(
    "select seq from watermarks where partition = $1",
    [P[home]],
  );
  await client.end();
  return {
    rooms: rooms.rows,
    events: all.rowCount ?? 0,
    watermark: Number(marks.rows[0]?.seq ?? 0),
  };
}

function rightsOf(side: Side): RegionGrants {
  const right = new RegionGrants(side.bus, systemClock);
  right.start();
  return right;
}

describe("Region agents with homes", function () {
  this.timeout(60_000);

  it("T11, T12, T13: both regions serve; a lost region loses its home alone, rejoins and gets it back", async () => {
    await using fixture = await AgentFixture.open({ both: true });
    const east = await fixture.start("east", { autoPromote: true, homes: true });
    const west = await fixture.start("west", { autoPromote: true, homes: true });
    await serveBoth(east, west);
    const right = rightsOf(east);
    await until(() => right.allows(0) === "everything", { withinMs: WITHIN_MS, what: "a right" });
    expect(right.allows(1), "to the other home").to.equal("follow");
    expect(right.takesClients()).to.equal(true);
    const log = new RegionalLog({ log: east.log, right, bus: east.bus, clock: systemClock });
    expect((await log.append(1, "entry", 0)).kind, "an append to the other home").to.equal(
      "unknown",
    );

    // The settings belong to home east; west reads its mirror of them.
    await (await new Kvm(east.bus.connection).open("config")).put("all.log.level", '"debug"');
    const table = openNatsTable(west.bus, "config");
    const rows = async (): Promise<string[]> => {
      const read = await table.read(undefined);
      return read.kind === "ok" ? read.table.rows.map(({ key }) => key) : [];
    };
    await until(async () => (await rows()).includes("all.log.level"), {
      withinMs: WITHIN_MS,
      what: "a setting in the other region",
    });

    // Entries of home west: both archives have some, and one is only in the lost region.
    const mirrored = await append(west, P.west, 6);
    await reaches(east, P.west, mirrored);
    await archive(west, "west", { from: 0, to: mirrored, first: 1, last: 6 });
    await archive(east, "west", { from: 0, to: mirrored - 2, first: 1, last: 4 });
    const before = await rowsOf(fixture, west, "west");
    let lapses = 0;
    right.onChange(() => (lapses += right.allows(0) === "everything" ? 0 : 1));
    await west.stop();
    await until(() => right.allows(P.west) === "archive", {
      withinMs: WITHIN_MS,
      what: "the right to archive the rest of the lost home",
    });
    await archive(east, "west", { from: mirrored - 2, to: mirrored, first: 5, last: 6 });
    await agentInState(east, east.of("west"), "serving");
    expect(lapses, "of the other home").to.equal(0);
    expect(east.of("east").term.record).to.deep.include({ region: "east", term: 1 });
    expect((await log.append(0, "entry", await append(east, 0, 1))).kind).to.equal("ok");
    const after = await rowsOf(fixture, east, "west");
    expect(after.rooms[0]?.born).to.not.equal(before.rooms[0]?.born);
    const next = await append(east, P.west, 1);
    expect(next).to.equal(mirrored + LOST_ENTRIES_MAX + 1);
    await archive(east, "west", { from: next - 1, to: next, first: 7, last: 7 });

    // The lost region returns with an entry, and a row, that the other one never had.
    const again = await fixture.start("west", { autoPromote: true, homes: true });
    await agentInState(again, again.of("west"), "detached");
    const returned = rightsOf(again);
    await until(() => returned.grant !== undefined, { withinMs: WITHIN_MS, what: "an answer" });
    expect(returned.allows(P.west)).to.equal("nothing");
    expect(returned.takesClients(), "clients of a region without a home").to.equal(true);
    await append(again, P.west, 1);
    await archive(again, "west", { from: mirrored, to: mirrored + 1, first: 7, last: 9 });
    expect(await ask(again, { verb: "rejoin" })).to.equal("bad_request");
    expect(await ask(again, { verb: "rejoin", home: "west" })).to.equal("not_saved");
    const saved = [null, mirrored + 1];
    expect(await ask(again, { verb: "rejoin", home: "west", saved })).to.equal("ok");
    await agentInState(again, again.of("west"), "following");
    expect(await rowsOf(fixture, again, "west")).to.deep.equal(await rowsOf(fixture, east, "west"));
    await until(() => returned.allows(P.west) === "follow", {
      withinMs: WITHIN_MS,
      what: "the right to archive the mirror",
    });
    await reaches(again, P.west, next);
    await agentInState(again, again.of("east"), "following");
    expect(await ask(east, { verb: "demote", home: "west" })).to.equal("ok");
    await agentInState(again, again.of("west"), "serving");
    expect(await append(again, P.west, 1)).to.equal(next + 1);
    expect(right.allows(0)).to.equal("everything");
    log.close();
    right.stop();
    returned.stop();
  });

  it("T14, promotion.3: a mirror that cannot complete the archive is not followed", async () => {
    await using fixture = await AgentFixture.open({ both: true });
    const east = await fixture.start("east", { homes: true });
    const west = await fixture.start("west", { homes: true });
    await serveBoth(east, west);
    const last = await append(east, P.east, 4);
    await reaches(west, P.east, last);
    await archive(east, "east", { from: 0, to: last, first: 1, last: 4 });
    // The mirror has lost entries that only its source has archived.
    await west.log.trim(P.east, 3);
    const right = rightsOf(west);
    await west.stop();
    const again = await fixture.start("west", { homes: true });
    await agentInState(again, again.of("west"), "serving");
    const returned = rightsOf(again);
    await until(() => returned.allows(P.west) === "everything", {
      withinMs: WITHIN_MS,
      what: "the own home",
    });
    expect(returned.allows(P.east), "the right to archive that mirror").to.equal("nothing");
    await until(async () => (await east.of("east").status()).lag === null, {
      withinMs: WITHIN_MS,
      what: "no reports of that mirror",
    });
    right.stop();
    returned.stop();
  });

  it("T13: in synchronous mode the region that took a home over no longer waits for the lost mirror", async () => {
    await using fixture = await AgentFixture.open({ both: true });
    const east = await fixture.start("east", { autoPromote: true, homes: true });
    const west = await fixture.start("west", { autoPromote: true, homes: true });
    await serveBoth(east, west);
    for (const [side, home] of [
      [east, "east"],
      [west, "west"],
    ] as const) {
      expect(await ask(side, { verb: "mode", home, mode: "synchronous" })).to.equal("ok");
      await until(() => side.of(home).term.record?.follower != null, {
        withinMs: WITHIN_MS,
        what: `a follower of ${home} in synchronous mode`,
      });
    }
    const right = rightsOf(east);
    await until(() => right.rightOf(0)?.mirror === "west", {
      withinMs: WITHIN_MS,
      what: "a mirror",
    });
    expect(right.rightOf(1)?.mirror).to.equal(null);
    const log = new RegionalLog({ log: east.log, right, bus: east.bus, clock: systemClock });
    const end = await east.log.last(0);
    const last = end.kind === "ok" ? end.last : -1;
    const first = await log.append(0, "entry", last);
    expect(first.kind).to.equal("ok");
    await west.stop();
    await agentInState(east, east.of("west"), "serving");
    await until(() => right.rightOf(0)?.mirror === null, {
      withinMs: WITHIN_MS,
      what: "owners that do not wait for a lost mirror",
    });
    expect(east.of("east").term.record).to.deep.include({ mode: "synchronous", follower: null });
    expect((await log.append(0, "entry", last + 1)).kind).to.equal("ok");
    // Home west: nothing that was acknowledged is missing.
    expect(east.of("west").term.record).to.deep.include({ logs: "whole", region: "east" });
    log.close();
    right.stop();
  });

  it("T11, witness-nats.2: agents that disagree about homes never hold a term", async () => {
    await using fixture = await AgentFixture.open({ both: true });
    const east = await fixture.start("east", { homes: true });
    await taken(east, "east");
    const { url } = fixture.witnessServer;
    const open = (regions: string[] | undefined, partitions: number): NatsWitness =>
      new NatsWitness({
        url,
        name: "other",
        home: regions && { name: "east", of: homesOf(regions, partitions) },
      });
    for (const [witness, kind] of [
      [open(["west", "east"], PARTITIONS), "ok"],
      [open(["west", "east"], PARTITIONS + 1), "unknown"],
      [open(["east", "south"], PARTITIONS), "unknown"],
      [open(undefined, PARTITIONS), "unknown"],
    ] as const) {
      expect((await witness.read()).kind).to.equal(kind);
      await witness.close();
    }
  });

  it("T11, witness-nats.2: a witness of one term refuses homes", async () => {
    await using single = await AgentFixture.open();
    const one = await single.start("east");
    await until(async () => (await ask(one, { verb: "promote" })) === "ok", {
      withinMs: WITHIN_MS,
      what: "the one term",
    });
    const both = new NatsWitness({
      url: single.witnessServer.url,
      name: "both",
      home: { name: "east", of: homesOf(["east", "west"], PARTITIONS) },
    });
    expect((await both.read()).kind).to.equal("unknown");
    await both.close();
  });
});
