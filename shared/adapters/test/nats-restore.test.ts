// What a restore reads from a real NATS server of which each answer is late once, as while a
// restarted cluster has no leaders yet.

import { expect } from "chai";
import { errors } from "@nats-io/transport-node";
import type { NatsConnection } from "@nats-io/transport-node";
import { openNatsBench } from "../../testing/nats-bench.ts";
import { provision, wantPartitions } from "../nats-provision.ts";
import { findLogs, logsOf, partitionsOf } from "../nats-restore.ts";

const OPTIONS = { partitions: 2, replicas: 1, logBytesMax: 8 * 1_024 * 1_024 };

describe("NATS restore", () => {
  it("D8: its reads wait until the streams and buckets have a leader", async () => {
    await using bench = await openNatsBench();
    const { connection } = await bench.connect();
    await provision(connection, OPTIONS);
    await wantPartitions(connection, { count: 4, by: "test" });
    const late = lateOnce(connection);
    expect(await partitionsOf(late.connection)).to.equal(2);
    expect(await logsOf(late.connection, 2)).to.equal(4);
    expect((await findLogs(late.connection, 2)).map((log) => log?.last)).to.deep.equal([0, 0]);
    expect(late.subjects()).to.include.members([
      "$JS.API.INFO",
      "$JS.API.STREAM.INFO.KV_cluster",
      "$JS.API.STREAM.INFO.KV_config",
      "$JS.API.STREAM.INFO.LOG_0",
    ]);
  });
});

/** The first request to each subject gets a timeout, as from a stream without a leader. */
function lateOnce(connection: NatsConnection): {
  readonly connection: NatsConnection;
  readonly subjects: () => string[];
} {
  const seen = new Set<string>();
  const proxy = new Proxy(connection, {
    get(target, key) {
      const member: unknown = Reflect.get(target, key);
      if (typeof member !== "function") return member;
      if (key !== "request") return member.bind(target) as unknown;
      return async (subject: string, ...more: []) => {
        if (seen.has(subject)) return target.request(subject, ...more);
        seen.add(subject);
        throw new errors.TimeoutError();
      };
    },
  });
  return { connection: proxy, subjects: () => [...seen] };
}
