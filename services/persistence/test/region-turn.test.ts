import { expect } from "chai";
import { MemoryArchive } from "#shared/adapters/archive-memory.ts";
import { MemoryBroker } from "#shared/adapters/bus-memory.ts";
import { systemRandom } from "#shared/adapters/clock-system.ts";
import { MemoryLog } from "#shared/adapters/log-memory.ts";
import type { ArchiveBatch } from "#shared/ports/archive.ts";
import type { RegionRight } from "#shared/process/region-grants.ts";
import type { Grant, GrantFor, Right } from "#shared/protocol/regions.ts";
import type { ProcessId } from "#shared/protocol/ids.ts";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import { LIMITS } from "../core/archiver-io.ts";
import { ArchiveRunner } from "../runtime/archive-runner.ts";
import { PersistenceNode } from "../runtime/persistence-node.ts";
import { HomeTurns, onNextTerm, whenArchiving } from "../runtime/region-turn.ts";

/** One term for the whole region. */
class OneRight implements RegionRight {
  now: GrantFor = "nothing";
  grant: Grant | undefined;
  readonly #listeners = new Set<() => void>();

  allows(): GrantFor {
    return this.now;
  }

  rightOf(): Right | undefined {
    return this.grant?.homes?.[0] ?? this.grant;
  }

  takesClients(): boolean {
    return this.now === "everything";
  }

  onChange(handler: () => void): { unsubscribe(): void } {
    this.#listeners.add(handler);
    return { unsubscribe: () => void this.#listeners.delete(handler) };
  }

  set(now: GrantFor, term: number): void {
    this.give(now, { v: 1, n: 1, term, for: now, leftMs: 1, mirror: null });
  }

  give(now: GrantFor, grant: Grant): void {
    this.now = now;
    this.grant = grant;
    for (const listener of this.#listeners) listener();
  }
}

describe("Persistence in a region", () => {
  it("T7: waits for the right to archive, and ends when another term begins", async () => {
    const right = new OneRight();
    let turn: number | undefined;
    const waiting = whenArchiving(right).then((term) => {
      turn = term;
    });
    right.set("nothing", 3);
    await new Promise((resolve) => setImmediate(resolve));
    expect(turn).to.equal(undefined);
    right.set("archive", 4);
    await waiting;
    expect(turn).to.equal(4);
    let ends = 0;
    onNextTerm(right, 4, () => ends++);
    right.set("everything", 4);
    right.set("nothing", 4); // The lease has ended: the same archive continues.
    expect(ends).to.equal(0);
    right.set("nothing", 5);
    right.set("nothing", 6);
    expect(ends).to.equal(1);
  });

  it("T12: where both regions serve, begins at once, and writes only while the home's right holds", async () => {
    const right = new OneRight();
    const homes = (allowed: GrantFor): Grant => {
      const one = { term: 4, leftMs: 1, mirror: null };
      const home = { home: "east", partitions: [0], ...one, for: allowed };
      return { v: 1, n: 1, ...one, for: "nothing", homes: [home] };
    };
    const waiting = whenArchiving(right);
    right.give("nothing", homes("nothing"));
    await waiting;
    const turns = new HomeTurns(right);
    const written: number[] = [];
    const store = turns.guarded({
      write: (batch: ArchiveBatch) => {
        written.push(batch.to);
        return Promise.resolve({ kind: "ok", quarantined: 0 } as const);
      },
    });
    const batch = { p: 0, from: 0, to: 1, epoch: 1, events: [] };
    expect((await store.write(batch)).kind).to.equal("unavailable");
    expect([turns.archives(0), turns.serves(0)]).to.deep.equal([undefined, false]);
    right.give("follow", homes("follow"));
    expect((await store.write({ ...batch, to: 2 })).kind).to.equal("ok");
    expect([turns.archives(0), turns.serves(0)]).to.deep.equal([4, false]);
    right.give("everything", homes("everything"));
    expect(turns.serves(0)).to.equal(true);
    expect(written).to.deep.equal([2]);
  });

  it("T12, persistence-node.4: each term of a home has a runner of its own", async () => {
    const log = new MemoryLog();
    const terms = new Map<number, number>([[0, 3]]);
    const begun: number[] = [];
    const bus = new MemoryBroker().connect();
    const clock = new FakeClock();
    const node = new PersistenceNode({
      id: "pers-1" as ProcessId,
      partitions: 2,
      version: "test",
      bus,
      clock,
      termOf: (p) => terms.get(p),
      createRunner: (p) => {
        begun.push(p);
        const ports = { log, store: new MemoryArchive(), bus, clock, random: systemRandom };
        const limits = { ...LIMITS, keepEntries: 1, keepShare: 0.5 };
        return new ArchiveRunner(p, { ...ports, onReport: () => undefined }, limits);
      },
    });
    node.start();
    expect(begun).to.deep.equal([0]);
    node.onTermsChanged();
    expect(begun, "the same term").to.deep.equal([0]);
    terms.set(0, 4).set(1, 9);
    node.onTermsChanged();
    expect(begun).to.deep.equal([0, 0, 1]);
    terms.delete(0);
    node.onTermsChanged();
    expect(node.watermarkOf(0)).to.equal(undefined);
    terms.set(0, 4);
    node.onTermsChanged();
    expect(begun).to.deep.equal([0, 0, 1, 0]);
    await node.leave();
  });
});
