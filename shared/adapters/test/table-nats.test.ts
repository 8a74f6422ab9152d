// NatsTable: reads from a real bucket.

import { jetstreamManager } from "@nats-io/jetstream";
import { expect } from "chai";
import { openNatsBench } from "../../testing/nats-bench.ts";
import { TABLE_TEXT_UNITS_MAX } from "../../protocol/tables.ts";
import { provision } from "../nats-provision.ts";
import { openConfigBucket } from "../settings-nats.ts";
import { openNatsTable, STATE_READS } from "../table-nats.ts";

const PUTS_AT_ONCE = 40;

describe("Table on a bucket of JetStream", () => {
  it("E4: a read has the newest value of each key and the removed keys, and omits texts that are too long", async () => {
    await using bench = await openNatsBench();
    const bus = await bench.connect();
    const table = openNatsTable(bus, "config");
    expect((await table.read(undefined)).kind).to.equal("unavailable");
    await provision(bus.connection, { partitions: 1, replicas: 1, logBytesMax: 1_024 * 1_024 });
    const empty = await table.read(undefined);
    expect(empty).to.deep.include({ kind: "ok" });
    const bucket = await openConfigBucket(bus.connection);
    await bucket.put("all.log.level", "warn");
    await bucket.put("all.log.level", "debug");
    await bucket.put("room.log.level", "error");
    await bucket.delete("room.log.level");
    await bucket.put("all.long", "x".repeat(TABLE_TEXT_UNITS_MAX + 1));
    const read = await table.read(empty.kind === "ok" ? empty.table : undefined);
    if (read.kind !== "ok") throw new Error(`the read was ${read.kind}`);
    expect(read.table).to.deep.include({ revision: 5, omitted: 1 });
    expect(read.table.rows).to.deep.equal([
      { key: "all.log.level", text: "debug", revision: 2 },
      { key: "room.log.level", text: undefined, revision: 4 },
    ]);
    expect(await table.read(read.table)).to.deep.equal({ kind: "same" });
  });

  it("table-nats.3: notices within STATE_READS reads that the bucket was created again, with fewer messages", async () => {
    await using bench = await openNatsBench();
    const bus = await bench.connect();
    const table = openNatsTable(bus, "config");
    const options = { partitions: 1, replicas: 1, logBytesMax: 1_024 * 1_024 };
    await provision(bus.connection, options);
    const bucket = await openConfigBucket(bus.connection);
    for (const text of ["1", "2", "3"]) await bucket.put("all.log.level", text);
    const before = await table.read(undefined);
    if (before.kind !== "ok") throw new Error(`the read was ${before.kind}`);
    await (await jetstreamManager(bus.connection)).streams.delete("KV_config");
    await provision(bus.connection, options);
    const reads = [];
    for (let n = 0; n < STATE_READS; n++) reads.push(await table.read(before.table));
    const news = reads.flatMap((read) => (read.kind === "ok" ? [read.table] : []));
    expect(news).to.have.length(1);
    expect(news[0]).to.include({ revision: 0 });
    expect(news[0]?.born).not.to.equal(before.table.born);
  });

  it("E4: reads a bucket completely when it has more keys than one batch", async () => {
    await using bench = await openNatsBench();
    const bus = await bench.connect();
    await provision(bus.connection, { partitions: 1, replicas: 1, logBytesMax: 1_024 * 1_024 });
    const bucket = await openConfigBucket(bus.connection);
    // In groups: NATS writes each entry to disk before it answers, and a busy machine would not
    // answer 1,200 of them within the timeout of one.
    for (let first = 0; first < 1_200; first += PUTS_AT_ONCE) {
      const keys = Array.from({ length: PUTS_AT_ONCE }, (_, i) => first + i);
      await Promise.all(keys.map((i) => bucket.put(`k.${i}`, `${i}`)));
    }
    const read = await openNatsTable(bus, "config").read(undefined);
    expect(read.kind === "ok" && read.table.rows.length).to.equal(1_200);
  });
});
