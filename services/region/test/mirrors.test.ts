// Mirrors on two real NATS servers that a leaf connection joins.

import { expect } from "chai";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import { RequestError } from "@nats-io/transport-node";
import type { NatsConnection } from "@nats-io/transport-node";
import {
  below,
  findRegionLogs,
  makeMirrors,
  promoteMirrors,
  trimMirror,
} from "#shared/adapters/nats-mirror.ts";
import { BUCKETS, provision } from "#shared/adapters/nats-provision.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import { until } from "#shared/testing/wait.ts";
import { TwoRegions } from "./two-regions.ts";

const PARTITIONS = 2;
const SIZES = { partitions: PARTITIONS, replicas: 1, logBytesMax: 64 << 20 };

async function append(connection: NatsConnection, p: number, count: number): Promise<number> {
  const stream = jetstream(connection);
  let last = 0;
  for (let n = 0; n < count; n++) {
    last = (await stream.publish(subjects.log(p), `entry ${n}`)).seq;
  }
  return last;
}

async function lastOf(connection: NatsConnection, p: number): Promise<number> {
  return (await findRegionLogs(connection, below(PARTITIONS)))[p]?.last ?? -1;
}

async function mirrored(connection: NatsConnection, p: number, seq: number): Promise<void> {
  await until(async () => (await lastOf(connection, p)) === seq, {
    withinMs: 20_000,
    what: `entry ${seq} in the mirror`,
  });
}

/** The mirror of the settings has `seq` entries. */
async function settingsMirrored(connection: NatsConnection, seq: number): Promise<void> {
  const { streams } = await jetstreamManager(connection);
  const name = `KV_${BUCKETS.config}`;
  await until(async () => (await streams.info(name)).state.last_seq === seq, {
    withinMs: 20_000,
    what: `setting ${seq} in the mirror`,
  });
}

describe("Mirrors of a region", () => {
  it("T9, link.1: commands, beats, lines and appends do not cross the leaf, reports do", async () => {
    await using regions = await TwoRegions.launch();
    const [east, west] = [await regions.connect("east"), await regions.connect("west")];
    const local = ["cmd.0", "cmd.0.7", "log.0", "node.room", "out.general", "region.grant"];
    const report = subjects.mirrored("west");
    const received = { east: [] as string[], west: [] as string[] };
    for (const [region, connection] of [["east", east] as const, ["west", west] as const]) {
      for (const subject of [...local, report]) {
        connection.subscribe(subject, {
          callback: (_, message) =>
            void received[region].push(`${message.subject} ${message.string()}`),
        });
      }
    }
    await Promise.all([east.flush(), west.flush()]);
    const reach = (from: NatsConnection, text: string, to: "east" | "west"): Promise<void> =>
      until(
        () => {
          from.publish(report, text);
          return received[to].includes(`${report} ${text}`);
        },
        { withinMs: 10_000, what: `a report in ${to}` },
      );
    // The interest in a subject crosses the leaf with a delay.
    await reach(west, "first", "east");
    await reach(east, "first", "west");
    for (const subject of local) {
      west.publish(subject, "from west");
      east.publish(subject, "from east");
    }
    await reach(west, "last", "east");
    await reach(east, "last", "west");
    const stayed = (region: "east" | "west"): string[] =>
      received[region].filter((text) => !text.startsWith(report)).sort();
    expect(stayed("east")).to.deep.equal(local.map((subject) => `${subject} from east`));
    expect(stayed("west")).to.deep.equal(local.map((subject) => `${subject} from west`));
  });

  it("T12, link.2: where both regions serve, commands and lines cross the leaf, appends and grants do not", async () => {
    await using regions = await TwoRegions.launch({ both: true });
    const [east, west] = [await regions.connect("east"), await regions.connect("west")];
    const crossing = ["cmd.0", "cmd.0.7", "gw.gw-1", "hist.0", "node.room", "out.general"];
    const local = ["log.0", "region.grant", "watermark.0", "ctl.status", "node.persistence"];
    const received: string[] = [];
    for (const subject of [...crossing, ...local]) {
      east.subscribe(subject, { callback: (_, message) => void received.push(message.subject) });
    }
    await east.flush();
    const isThere = (): boolean => {
      west.publish("cmd.0");
      return received.includes("cmd.0");
    };
    // The interest in a subject crosses the leaf with a delay.
    await until(isThere, { withinMs: 10_000, what: "a command in east" });
    for (const subject of [...local, ...crossing]) west.publish(subject);
    await until(() => received.includes("out.general"), { withinMs: 10_000, what: "a line" });
    expect([...new Set(received)].sort()).to.deep.equal(crossing.sort());
    // A far command without an owner is known at once, as a near one is.
    const refused = await west.request("cmd.1", "", { timeout: 5_000 }).catch((error) => error);
    expect(refused).to.be.instanceOf(RequestError);
    expect((refused as RequestError).isNoResponders()).to.equal(true);
  });

  it("nats-mirror.1: a mirror follows its log and becomes a log, in both directions", async () => {
    await using regions = await TwoRegions.launch();
    const [east, west] = [await regions.connect("east"), await regions.connect("west")];
    await provision(east, { ...SIZES, firstSeqOf: () => 100 });
    await (await new Kvm(east).open("config")).put("log.level", '"debug"');
    expect(await append(east, 0, 5)).to.equal(104);
    await makeMirrors(west, { ...SIZES, source: "east" });
    await mirrored(west, 0, 104);
    await mirrored(west, 1, 99); // A mirror of an empty log also takes over its next number.
    await settingsMirrored(west, 1);
    const [log] = await findRegionLogs(west, below(PARTITIONS));
    expect(log).to.deep.include({
      first: 100,
      last: 104,
      entries: 5,
      isMirror: true,
      hasHole: false,
    });
    await trimMirror(west, 0, 102);
    await trimMirror(west, 0, 999); // Never the last one.
    expect((await findRegionLogs(west, below(PARTITIONS)))[0]).to.deep.include({
      first: 104,
      last: 104,
    });

    await promoteMirrors(west, below(PARTITIONS));
    await promoteMirrors(west, below(PARTITIONS));
    expect(await append(west, 0, 1)).to.equal(105);
    expect(await lastOf(east, 0), "the log of the other region").to.equal(104);
    expect(await lastOf(west, 1)).to.equal(await lastOf(east, 1));
    const settings = await new Kvm(west).open("config");
    expect((await settings.get("log.level"))?.string()).to.equal('"debug"');
    await settings.put("log.level", '"info"');
    await provision(west, SIZES); // Changes nothing.

    await makeMirrors(east, { ...SIZES, source: "west" });
    await mirrored(east, 0, 105);
    expect(await findRegionLogs(east, below(PARTITIONS), "west")).to.deep.equal(
      await findRegionLogs(west, below(PARTITIONS)),
    );
    await append(west, 1, 3);
    await mirrored(east, 1, await lastOf(west, 1));
  });

  it("T14, nats-mirror.3: a log with missing entries has a hole", async () => {
    await using regions = await TwoRegions.launch();
    const east = await regions.connect("east");
    const manager = await jetstreamManager(east);
    await manager.streams.add({ name: subjects.stream(0), subjects: [subjects.log(0)] });
    await append(east, 0, 5);
    await manager.streams.purge(subjects.stream(0), { seq: 3 });
    expect((await findRegionLogs(east, [0]))[0]).to.deep.include({ first: 3, hasHole: false });
    await manager.streams.deleteMessage(subjects.stream(0), 4); // As a mirror that skips it.
    expect((await findRegionLogs(east, [0]))[0]).to.deep.include({ last: 5, hasHole: true });
  });
});
