// Tables: a server and followers on one bus in memory, with a source that the test changes by hand.

import { expect } from "chai";
import { MemoryBroker } from "#shared/adapters/bus-memory.ts";
import { openBusTable } from "#shared/adapters/table-over-bus.ts";
import type { SettingChange } from "#shared/ports/settings-store.ts";
import type { TableRead, TableSource, WholeTable } from "#shared/ports/table-source.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import { encodeTableChange } from "#shared/protocol/tables.ts";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import { TableServer } from "../adapters/table-server.ts";

const BORN = "2026-11-29T10:00:00Z";
/** A second: what E4 allows. */
const SECOND = 1_000;

class World {
  readonly clock = new FakeClock();
  readonly broker = new MemoryBroker({ after: (delayMs, run) => this.clock.after(delayMs, run) });
  readonly #rows = new Map<
    string,
    { readonly text: string | undefined; readonly revision: number }
  >();
  born = BORN;
  revision = 0;
  isAway = false;
  reads = 0;

  put(key: string, text: string | undefined): void {
    this.#rows.set(key, { text, revision: ++this.revision });
  }

  /** All data of the store are lost; it is made anew. */
  lose(born: string): void {
    this.#rows.clear();
    this.born = born;
    this.revision = 0;
  }

  get table(): WholeTable {
    const rows = [...this.#rows].map(([key, row]) => ({ key, ...row }));
    rows.sort((a, b) => (a.key < b.key ? -1 : 1));
    return { born: this.born, revision: this.revision, rows, omitted: 0 };
  }

  serve(source: TableSource = { read: () => Promise.resolve(this.read()) }): TableServer {
    const { clock, broker } = this;
    const server = new TableServer({ name: "settings", source, bus: broker.connect(), clock });
    server.start();
    return server;
  }

  read(): TableRead {
    this.reads++;
    if (this.isAway) return { kind: "unavailable", reason: "away" };
    return { kind: "ok", table: this.table };
  }

  follow() {
    const bus = this.broker.connect();
    const changes: SettingChange[] = [];
    const store = openBusTable({ name: "settings", bus, clock: this.clock });
    const watch = store.watch((change) => changes.push(change));
    const inForce = (): Record<string, string> => {
      const found = new Map<string, string>();
      for (const { key, text } of changes) {
        if (text === undefined) found.delete(key);
        else found.set(key, text);
      }
      return Object.fromEntries(found);
    };
    return { bus, changes, watch, inForce };
  }

  /** Virtual time, with all that it sets in motion. */
  async pass(ms: number): Promise<void> {
    for (let at = 0; at < ms; at += 50) {
      await settle();
      this.clock.advance(50);
    }
    await settle();
  }
}

/** Messages of the bus in memory take a few microtasks. */
async function settle(): Promise<void> {
  for (let i = 0; i < 200; i++) await Promise.resolve();
}

describe("Tables over the bus", () => {
  it("E4: a follower has what is there, then each change, also a row taken back, within a second", async () => {
    const world = new World();
    world.put("all.log.level", "warn");
    world.serve();
    const { inForce } = world.follow();
    await world.pass(SECOND);
    expect(inForce()).to.deep.equal({ "all.log.level": "warn" });
    world.put("all.log.level", "debug");
    world.put("room.log.level", "error");
    await world.pass(SECOND);
    expect(inForce()).to.deep.equal({ "all.log.level": "debug", "room.log.level": "error" });
    world.put("room.log.level", undefined);
    await world.pass(SECOND);
    expect(inForce()).to.deep.equal({ "all.log.level": "debug" });
  });

  it("E4: what a follower missed while it was cut off is in force within a second of its return", async () => {
    const world = new World();
    world.serve();
    const { bus, inForce } = world.follow();
    await world.pass(SECOND);
    bus.disconnect();
    world.put("all.log.level", "warn");
    await world.pass(5 * SECOND);
    expect(inForce()).to.deep.equal({});
    bus.reconnect();
    await world.pass(SECOND);
    expect(inForce()).to.deep.equal({ "all.log.level": "warn" });
  });

  it("E4: a change made while no server ran is in force within a second of a server's start", async () => {
    const world = new World();
    const first = world.serve();
    const { inForce } = world.follow();
    await world.pass(SECOND);
    first.stop();
    world.put("all.log.level", "warn");
    const late = world.follow(); // It begins with nobody to ask.
    await world.pass(5 * SECOND);
    world.serve();
    await world.pass(SECOND);
    expect(inForce()).to.deep.equal({ "all.log.level": "warn" });
    expect(late.inForce()).to.deep.equal({ "all.log.level": "warn" });
  });

  it("E4: a server that lags behind another one never sets a value back", async () => {
    const world = new World();
    world.put("all.log.level", "warn");
    const old = world.table;
    world.serve({ read: () => Promise.resolve({ kind: "ok", table: old }) });
    world.serve();
    const { changes } = world.follow();
    await world.pass(SECOND);
    world.put("all.log.level", "debug");
    await world.pass(10 * SECOND);
    expect(changes.map(({ text }) => text)).to.deep.equal(["warn", "debug"]);
  });

  it("E4: a bucket that was lost and made anew takes back what the old one held", async () => {
    const world = new World();
    world.put("all.log.level", "warn");
    world.put("all.trace.ratio", "1");
    world.serve();
    const { inForce } = world.follow();
    await world.pass(SECOND);
    world.lose("2026-11-29T11:00:00Z");
    world.put("all.trace.ratio", "0");
    await world.pass(2 * SECOND);
    expect(inForce()).to.deep.equal({ "all.trace.ratio": "0" });
  });

  it("E4: no answer before the first whole read, so that nothing is taken back by a server that begins", async () => {
    const world = new World();
    world.put("all.log.level", "warn");
    world.serve().stop();
    const { inForce, changes } = world.follow();
    world.isAway = true;
    world.serve();
    await world.pass(5 * SECOND);
    expect(changes).to.deep.equal([]);
    world.isAway = false;
    await world.pass(2 * SECOND);
    expect(inForce()).to.deep.equal({ "all.log.level": "warn" });
  });

  it("E4: a table of many pages, and a change of more rows than a message holds, arrive whole", async () => {
    const world = new World();
    for (let i = 0; i < 100; i++) world.put(`all.name-${i}`, `${i}`);
    world.serve();
    const { inForce } = world.follow();
    await world.pass(SECOND);
    expect(Object.keys(inForce())).to.have.length(100);
    for (let i = 0; i < 70; i++) world.put(`all.name-${i}`, "new");
    await world.pass(2 * SECOND);
    expect(Object.values(inForce()).filter((text) => text === "new")).to.have.length(70);
  });

  it("N5: bytes that are no change, and a change of another version, alter nothing", async () => {
    const world = new World();
    world.put("all.log.level", "warn");
    world.serve();
    const { inForce } = world.follow();
    await world.pass(SECOND);
    const stranger = world.broker.connect();
    const row = { key: "all.log.level", text: "loud", revision: 9 };
    const forged = encodeTableChange({ born: BORN, revision: 9, previous: 1, rows: [row] });
    for (const text of ["", "null", '{"v":1}', forged.replace('"v":1', '"v":2')]) {
      stranger.publish(subjects.tableChanged("settings"), text);
    }
    await world.pass(2 * SECOND);
    expect(inForce()).to.deep.equal({ "all.log.level": "warn" });
  });

  it("E4: a closed watch reports nothing, and neither side leaves a timer behind", async () => {
    const world = new World();
    const server = world.serve();
    const { watch, changes } = world.follow();
    await world.pass(SECOND);
    watch.unsubscribe();
    world.put("all.log.level", "warn");
    await world.pass(2 * SECOND);
    server.stop();
    await world.pass(SECOND);
    expect(changes).to.deep.equal([]);
    expect(world.clock.armed).to.equal(0);
  });
});
