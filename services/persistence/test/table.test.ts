// Tables: a server and followers on one memory bus, with a source that the test changes.

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
/** The time that E4 allows. */
const SECOND = 1_000;

class TableFixture {
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

  /** All data of the store are lost; it is created again. */
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

  /** Advances virtual time, and waits for everything that becomes due. */
  async pass(ms: number): Promise<void> {
    for (let at = 0; at < ms; at += 50) {
      await settle();
      this.clock.advance(50);
    }
    await settle();
  }
}

/** Messages of the memory bus take a few microtasks. */
async function settle(): Promise<void> {
  for (let i = 0; i < 200; i++) await Promise.resolve();
}

describe("Tables over the bus", () => {
  it("E4: a follower gets the present rows, then each change, also a removed row, within a second", async () => {
    const tables = new TableFixture();
    tables.put("all.log.level", "warn");
    tables.serve();
    const { inForce } = tables.follow();
    await tables.pass(SECOND);
    expect(inForce()).to.deep.equal({ "all.log.level": "warn" });
    tables.put("all.log.level", "debug");
    tables.put("room.log.level", "error");
    await tables.pass(SECOND);
    expect(inForce()).to.deep.equal({ "all.log.level": "debug", "room.log.level": "error" });
    tables.put("room.log.level", undefined);
    await tables.pass(SECOND);
    expect(inForce()).to.deep.equal({ "all.log.level": "debug" });
  });

  it("settings-store.3: a follower learns once that it has got every present row", async () => {
    const tables = new TableFixture();
    for (let n = 0; n < 100; n++) tables.put(`all.${n}`, "x");
    const bus = tables.broker.connect();
    const seen: number[] = [];
    let rows = 0;
    const store = openBusTable({ name: "settings", bus, clock: tables.clock });
    store.watch(
      () => rows++,
      () => seen.push(rows),
    );
    await tables.pass(SECOND);
    expect(seen, "no process serves the table").to.deep.equal([]);
    tables.serve();
    await tables.pass(2 * SECOND);
    tables.put("all.new", "x");
    await tables.pass(SECOND);
    expect([seen, rows]).to.deep.equal([[100], 101]);
  });

  it("E4: changes that a disconnected follower missed take effect within a second of its reconnect", async () => {
    const tables = new TableFixture();
    tables.serve();
    const { bus, inForce } = tables.follow();
    await tables.pass(SECOND);
    bus.disconnect();
    tables.put("all.log.level", "warn");
    await tables.pass(5 * SECOND);
    expect(inForce()).to.deep.equal({});
    bus.reconnect();
    await tables.pass(SECOND);
    expect(inForce()).to.deep.equal({ "all.log.level": "warn" });
  });

  it("E4: a change made while no server ran takes effect within a second of a server's start", async () => {
    const tables = new TableFixture();
    const first = tables.serve();
    const { inForce } = tables.follow();
    await tables.pass(SECOND);
    first.stop();
    tables.put("all.log.level", "warn");
    const late = tables.follow(); // It begins before any server runs.
    await tables.pass(5 * SECOND);
    tables.serve();
    await tables.pass(SECOND);
    expect(inForce()).to.deep.equal({ "all.log.level": "warn" });
    expect(late.inForce()).to.deep.equal({ "all.log.level": "warn" });
  });

  it("E4: a server that lags behind another one never sets a value back", async () => {
    const tables = new TableFixture();
    tables.put("all.log.level", "warn");
    const old = tables.table;
    tables.serve({ read: () => Promise.resolve({ kind: "ok", table: old }) });
    tables.serve();
    const { changes } = tables.follow();
    await tables.pass(SECOND);
    tables.put("all.log.level", "debug");
    await tables.pass(10 * SECOND);
    expect(changes.map(({ text }) => text)).to.deep.equal(["warn", "debug"]);
  });

  it("E4: a recreated bucket removes the values of the old one", async () => {
    const tables = new TableFixture();
    tables.put("all.log.level", "warn");
    tables.put("all.trace.ratio", "1");
    tables.serve();
    const { inForce } = tables.follow();
    await tables.pass(SECOND);
    tables.lose("2026-11-29T11:00:00Z");
    tables.put("all.trace.ratio", "0");
    await tables.pass(2 * SECOND);
    expect(inForce()).to.deep.equal({ "all.trace.ratio": "0" });
  });

  it("E4: a server answers nothing before its first complete read, so that a new server removes no value", async () => {
    const tables = new TableFixture();
    tables.put("all.log.level", "warn");
    tables.serve().stop();
    const { inForce, changes } = tables.follow();
    tables.isAway = true;
    tables.serve();
    await tables.pass(5 * SECOND);
    expect(changes).to.deep.equal([]);
    tables.isAway = false;
    await tables.pass(2 * SECOND);
    expect(inForce()).to.deep.equal({ "all.log.level": "warn" });
  });

  it("E4: a table of many pages, and a change of more rows than a message holds, arrive whole", async () => {
    const tables = new TableFixture();
    for (let i = 0; i < 100; i++) tables.put(`all.name-${i}`, `${i}`);
    tables.serve();
    const { inForce } = tables.follow();
    await tables.pass(SECOND);
    expect(Object.keys(inForce())).to.have.length(100);
    for (let i = 0; i < 70; i++) tables.put(`all.name-${i}`, "new");
    await tables.pass(2 * SECOND);
    expect(Object.values(inForce()).filter((text) => text === "new")).to.have.length(70);
  });

  it("N5: bytes that are not a change, and a change of another version, alter nothing", async () => {
    const tables = new TableFixture();
    tables.put("all.log.level", "warn");
    tables.serve();
    const { inForce } = tables.follow();
    await tables.pass(SECOND);
    const stranger = tables.broker.connect();
    const row = { key: "all.log.level", text: "loud", revision: 9 };
    const forged = encodeTableChange({ born: BORN, revision: 9, previous: 1, rows: [row] });
    for (const text of ["", "null", '{"v":1}', forged.replace('"v":1', '"v":2')]) {
      stranger.publish(subjects.tableChanged("settings"), text);
    }
    await tables.pass(2 * SECOND);
    expect(inForce()).to.deep.equal({ "all.log.level": "warn" });
  });

  it("E4: a closed watch reports nothing, and neither side leaves a timer behind", async () => {
    const tables = new TableFixture();
    const server = tables.serve();
    const { watch, changes } = tables.follow();
    await tables.pass(SECOND);
    watch.unsubscribe();
    tables.put("all.log.level", "warn");
    await tables.pass(2 * SECOND);
    server.stop();
    await tables.pass(SECOND);
    expect(changes).to.deep.equal([]);
    expect(tables.clock.armed).to.equal(0);
  });
});
