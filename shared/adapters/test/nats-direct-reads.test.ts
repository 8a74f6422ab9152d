// Direct reads: of a real bucket, and of a host that does not answer.

import { headers } from "@nats-io/transport-node";
import type { Msg, NatsConnection } from "@nats-io/transport-node";
import { expect } from "chai";
import { openNatsBench } from "../../testing/nats-bench.ts";
import { readAll, readBatch } from "../nats-direct-reads.ts";
import { provision } from "../nats-provision.ts";
import type { ReplyHost } from "../nats-replies.ts";
import { openConfigBucket } from "../settings-nats.ts";

describe("Direct reads", () => {
  it("nats-direct-reads.1: reads side by side get their own messages, with one subscription", async () => {
    await using bench = await openNatsBench();
    const bus = await bench.connect();
    await provision(bus.connection, { partitions: 1, replicas: 1, logBytesMax: 1_024 * 1_024 });
    const bucket = await openConfigBucket(bus.connection);
    for (const key of ["a.1", "b.1", "a.2"]) await bucket.put(key, key);
    const subscribed: string[] = [];
    const connection = new Proxy(bus.connection, {
      get(target, name) {
        if (name !== "subscribe") return Reflect.get(target, name, target) as unknown;
        return (...args: Parameters<NatsConnection["subscribe"]>) => {
          subscribed.push(args[0]);
          return target.subscribe(...args);
        };
      },
    });
    const host: ReplyHost = {
      connection,
      inboxPrefix: bus.inboxPrefix,
      status: "connected",
      onStatus: (handler) => bus.onStatus(handler),
      guard: (handler) => bus.guard(handler),
    };
    const filters = ["$KV.config.a.>", "$KV.config.b.>", "$KV.config.none.>"];
    const reads = await Promise.all(filters.map((filter) => readAll(host, "KV_config", filter)));
    const again = await readAll(host, "KV_config", "$KV.config.>");
    const keys = [...reads, again].map((messages) => messages?.map((message) => message.string()));
    expect(keys).to.deep.equal([["a.1", "a.2"], ["b.1"], [], ["a.1", "b.1", "a.2"]]);
    expect(subscribed).to.have.length(1);
    const none = await readBatch(host, "KV_none", { from: 1, filter: ">" });
    expect(none, "there is no such stream").to.equal(undefined);
  });

  it("nats-direct-reads.2: a read without answers ends, and what comes later changes nothing", async () => {
    const replies: string[] = [];
    let deliver: (message: Msg) => void = () => expect.fail("nothing was subscribed");
    const connection = {
      subscribe: (_subject: string, { callback }: { callback: typeof deliver }) => {
        deliver = callback;
      },
      publish: (_subject: string, _data: string, { reply }: { reply: string }) => {
        replies.push(reply);
      },
    } as unknown as NatsConnection;
    const host: ReplyHost = {
      connection,
      inboxPrefix: "_INBOX.test",
      status: "connected",
      onStatus: () => ({ unsubscribe: () => undefined }),
      guard: (handler) => handler as unknown as ReturnType<ReplyHost["guard"]>,
    };
    const end = (subject: string): Msg =>
      ({ subject, headers: headers(404, "none") }) as unknown as Msg;
    const range = { from: 1, filter: ">" };
    expect(await readBatch(host, "KV_config", range)).to.equal(undefined);
    const second = readBatch(host, "KV_config", range);
    deliver(end(replies[0] ?? ""));
    deliver(end(replies[1] ?? ""));
    expect(await second).to.deep.equal([]);
    expect(new Set(replies)).to.have.length(2);
  });
});
