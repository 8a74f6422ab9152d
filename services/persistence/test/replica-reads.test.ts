// Reads of a replica that lags, pauses, vanishes and is killed: a real primary and a real standby
// that streams from it. No answer has less than what an earlier answer or write had.

import { expect } from "chai";
import { Client } from "pg";
import { systemClock } from "#shared/adapters/clock-system.ts";
import type { Clock } from "#shared/ports/clock.ts";
import { encodeEvent } from "#shared/protocol/events.ts";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import { event, idOf, valueOf } from "#shared/testing/archive.contract.ts";
import { until } from "#shared/testing/wait.ts";
import { PostgresArchive } from "../adapters/archive-postgres.ts";
import { ReplicaReads, WAIT_MS } from "../adapters/replica-reads.ts";
import type { Position, ReplicaState } from "../adapters/replica-reads.ts";
import { openPair } from "./postgres-pair.ts";
import type { PostgresPair } from "./postgres-pair.ts";
import { openRoad } from "./road.ts";

const ROOM = "general" as RoomId;
const ADA = "ada" as UserId;
const WITHIN = { withinMs: 30_000 };
/** A busy machine needs longer than the wait of a deployed process. */
const PATIENT_MS = 3_000;
const BOUNDS = { max: 4, timeoutMs: 5_000 };

describe("Reads of a replica", function () {
  this.timeout(240_000);
  let pair: PostgresPair;
  let standby: Client;
  let head = 0;
  const opened: PostgresArchive[] = [];

  before(async () => {
    pair = await openPair();
    standby = await connected(pair.standby.url);
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((store) => store.close()));
  });
  after(async () => {
    await standby.end();
    await pair[Symbol.asyncDispose]();
  });

  function open(
    replicaUrl = pair.standby.url,
    onReplica: (state: ReplicaState) => void = () => undefined,
    replicaWaitMs = WAIT_MS,
  ): PostgresArchive {
    const store = new PostgresArchive({
      url: pair.primary.url,
      replicaUrl,
      replicaWaitMs,
      onReplica,
    });
    opened.push(store);
    return store;
  }

  /** One more event: first the settings of the room, then messages. */
  async function write(store: PostgresArchive): Promise<void> {
    const seq = ++head;
    const plain = event(ROOM, seq);
    const { id, sender: from, at } = plain;
    const room = { t: "room", room: ROOM, seq, id, from, at, kind: "open", title: "Tea" } as const;
    const first = { ...plain, kind: "room", line: encodeEvent(room) };
    const events = [seq === 1 ? first : plain];
    const outcome = await store.write({ p: 0, from: seq - 1, to: seq, epoch: 1, events });
    expect(outcome).to.deep.equal({ kind: "ok", quarantined: 0 });
  }

  /** The head that each kind of read shows. */
  async function heads(store: PostgresArchive): Promise<number[]> {
    const [range, page, found, newest] = await Promise.all([
      store.range(ROOM, 1, 1),
      store.messages(ROOM, { limit: 5 }),
      store.findRooms({ user: ADA, text: "tea", limit: 5 }),
      store.newestPages([ROOM], 5),
    ]);
    const [room] = valueOf(found).rooms;
    const [ahead] = valueOf(newest);
    return [valueOf(range).head, valueOf(page).head, room?.head ?? 0, ahead?.[1].head ?? 0];
  }

  async function pause(): Promise<void> {
    await standby.query("select pg_wal_replay_pause()");
    await until(async () => (await stateOf(standby)) === "paused", { ...WITHIN, what: "a pause" });
  }

  const resume = (): Promise<unknown> => standby.query("select pg_wal_replay_resume()");

  /** Until reads go to the replica again. */
  async function untilCurrent(store: PostgresArchive): Promise<void> {
    const what = "reads of the replica";
    const before = outcome(store, "replica");
    const isUsed = async (): Promise<boolean> => {
      await store.range(ROOM, 1, 1);
      return outcome(store, "replica") > before;
    };
    await until(isUsed, { ...WITHIN, what });
  }

  it("RR1, RR2: whatever the replica lags, each kind of read in each process has all that was written or read before", async () => {
    const [writer, reader] = [open(), open()];
    await write(writer);
    let seen = 0;
    for (let round = 0; round < 12; round++) {
      if (round % 4 === 1) await pause();
      if (round % 4 === 3) await resume();
      await write(writer);
      for (const store of [reader, writer, reader]) {
        const shown = await heads(store);
        expect(Math.min(...shown)).to.be.at.least(Math.max(head, seen));
        seen = Math.max(seen, ...shown);
      }
      if (round % 4 === 0) await untilCurrent(reader);
    }
    expect(outcome(reader, "replica")).to.be.above(0);
    expect(byPrimary(reader)).to.be.above(0);
  });

  it("RR2, replica-reads.3: while the replica is behind, reads do not wait for it; when it is current, it answers again", async () => {
    const store = open(pair.standby.url, undefined, PATIENT_MS);
    await untilCurrent(store);
    await pause();
    await write(store);
    await heads(store);
    expect(store.replica?.state).to.equal("behind");
    const before = outcome(store, "replica");
    for (let i = 0; i < 5; i++) await heads(store);
    expect(outcome(store, "replica")).to.equal(before);
    expect(store.replica?.behindMs).to.be.above(0);
    await resume();
    await untilCurrent(store);
    expect(store.replica?.behindMs).to.equal(0);
  });

  it("RR5: what an owner needs, watermarks and writes use the primary", async () => {
    const store = open();
    await pause();
    await write(store);
    try {
      expect(valueOf(await store.snapshot(0, ROOM, 0)).head).to.equal(head);
      expect(valueOf(await store.watermark(0)).seq).to.equal(head);
      const found = valueOf(await store.lookup(0, ROOM, ADA, idOf(head), 2));
      expect(found).to.deep.include({ watermark: head });
      valueOf(await store.members(ROOM, "" as UserId));
      expect([...(store.replica?.outcomes ?? [])].filter(([, count]) => count > 0)).to.be.empty;
    } finally {
      await resume();
    }
  });

  it("RR1, replica-reads.1: reads that arrive together share comparisons", async () => {
    let positions = 0;
    const replica = direct({
      position: () => {
        positions++;
        return positionOf(pair.primary.url);
      },
    });
    try {
      const read = (): Promise<{ kind: string }> => replica.run((db) => db.query("select 1"));
      await until(async () => (await read()).kind === "done", { ...WITHIN, what: "the replica" });
      positions = 0;
      const all = await Promise.all(Array.from({ length: 100 }, read));
      expect(all.filter(({ kind }) => kind === "done")).to.have.length(100);
      expect(positions).to.be.at.most(2);
    } finally {
      await replica.close();
    }
  });

  it("RR4, replica-reads.4: a server of another timeline, and one that is no standby, gets no reads", async () => {
    const newer = direct({
      position: async () => {
        const position = await positionOf(pair.primary.url);
        return { ...position, timeline: position.timeline + 1 };
      },
    });
    const same = open(pair.primary.url, undefined, PATIENT_MS);
    try {
      const read = await newer.run(() => expect.fail("it must not be read"));
      expect(read).to.deep.equal({ kind: "primary" });
      expect(newer.outcomes.get("other")).to.equal(1);
      expect(Math.min(...(await heads(same)))).to.equal(head);
      expect(outcome(same, "other")).to.equal(4);
    } finally {
      await newer.close();
    }
  });

  it("RR3, replica-reads.2: a primary that does not say its position costs a bounded wait, and the replica answers nothing", async () => {
    const position = (): Promise<Position> => new Promise(() => undefined);
    const silent = direct({ position, waitMs: WAIT_MS });
    try {
      const read = await silent.run(() => expect.fail("it must not be read"));
      expect(read).to.deep.equal({ kind: "primary" });
      expect(silent.state).to.equal("unverified");
    } finally {
      await silent.close();
    }
  });

  it("replica-reads.2: a replica that answered is behind, also when the time ends between two answers", async () => {
    const position = async (): Promise<Position> => ({
      ...(await positionOf(pair.primary.url)),
      lsn: "FFFFFFFF/0", // The replica never reaches it.
    });
    let now = 0;
    let end = (): void => undefined;
    const clock: Pick<Clock, "monotonic" | "after"> = {
      monotonic: () => now,
      after: (ms, run) => {
        if (ms === PATIENT_MS) end = run;
        else {
          run(); // The next look begins before the time ends, and its answer comes later.
          setImmediate(() => {
            now = PATIENT_MS;
            end();
          });
        }
        return { cancel: () => undefined };
      },
    };
    const lagging = direct({ position, clock });
    try {
      const read = await lagging.run(() => expect.fail("it must not be read"));
      expect(read).to.deep.equal({ kind: "primary" });
      expect(lagging.state).to.equal("behind");
    } finally {
      await lagging.close();
    }
  });

  it("RR3, replica-reads.5: a replica that vanishes without a reset fails the reads that it works on, and the primary answers them", async () => {
    await using road = await openRoad(Number(new URL(pair.standby.url).port));
    const states: ReplicaState[] = [];
    const store = open(road.urlOf(pair.standby.url), (state) => void states.push(state));
    await untilCurrent(store);
    road.vanish();
    for (let i = 0; i < 3; i++) expect(Math.min(...(await heads(store)))).to.equal(head);
    expect(states.at(-1)).to.equal("away");
    expect(byPrimary(store)).to.be.above(0);
  });

  it("RR3: without the replica the primary answers, and a replica that returns is used; without both a read is unavailable", async () => {
    const store = open();
    await untilCurrent(store);
    pair.standby.kill();
    await pair.standby.exited();
    await write(store);
    for (let i = 0; i < 3; i++) expect(Math.min(...(await heads(store)))).to.equal(head);
    pair.primary.kill();
    await pair.primary.exited();
    // A backend of a killed server can answer until it notices that the server is gone.
    await until(async () => (await store.range(ROOM, 1, 1)).kind === "unavailable", {
      ...WITHIN,
      what: "a read without a server",
    });
    await pair.primary.restart();
    await pair.standby.restart();
    await until(async () => (await store.range(ROOM, 1, 1)).kind === "ok", {
      ...WITHIN,
      what: "the primary",
    });
    await untilCurrent(store);
    expect(Math.min(...(await heads(store)))).to.equal(head);
  });

  function direct({
    position,
    waitMs = PATIENT_MS,
    clock = systemClock,
  }: {
    readonly position: () => Promise<Position>;
    readonly waitMs?: number;
    readonly clock?: Pick<Clock, "monotonic" | "after">;
  }): ReplicaReads {
    const url = pair.standby.url;
    return new ReplicaReads({ url, bounds: BOUNDS, clock, waitMs, position });
  }
});

function outcome(
  store: PostgresArchive,
  name: "replica" | "failed" | Exclude<ReplicaState, "current">,
): number {
  return store.replica?.outcomes.get(name) ?? 0;
}

/** Reads that the replica did not answer. */
function byPrimary(store: PostgresArchive): number {
  const all = [...(store.replica?.outcomes ?? [])];
  return all.reduce((sum, [name, count]) => sum + (name === "replica" ? 0 : count), 0);
}

async function connected(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  client.on("error", () => {}); // A test kills the server.
  await client.connect();
  return client;
}

async function stateOf(standby: Client): Promise<string> {
  const text = "select pg_get_wal_replay_pause_state() as state";
  return (await standby.query<{ state: string }>(text)).rows[0]?.state ?? "";
}

async function positionOf(url: string): Promise<Position> {
  const client = await connected(url);
  try {
    const text = "select pg_current_wal_flush_lsn()::text as lsn, 1 as timeline";
    const { rows } = await client.query<Position>(text);
    return rows[0] ?? { lsn: "0/0", timeline: 0 };
  } finally {
    await client.end();
  }
}
