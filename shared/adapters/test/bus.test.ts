// The bus contract on both implementations, and the behaviour of one implementation alone.

import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { expect } from "chai";
import * as fc from "fast-check";
import { createLogger } from "../../process/logger.ts";
import { heapBytes } from "../../testing/heap.ts";
import { busContract } from "../../testing/bus.contract.ts";
import type { BusBench } from "../../testing/bus.contract.ts";
import { openNatsBench } from "../../testing/nats-bench.ts";
import { until } from "../../testing/wait.ts";
import { MemoryBroker } from "../bus-memory.ts";
import type { MemoryBus } from "../bus-memory.ts";
import { NatsPayloadTooSmall, openNatsBus } from "../bus-nats.ts";
import { NatsUnreachable } from "../nats-unreachable.ts";

busContract("memory", openMemoryBench);
busContract("NATS", openNatsBench);

function openMemoryBench(): Promise<BusBench> {
  const broker = new MemoryBroker({ onHandlerError: () => {} });
  const buses: MemoryBus[] = [];
  return Promise.resolve({
    connect() {
      const bus = broker.connect();
      buses.push(bus);
      return Promise.resolve(bus);
    },
    cut() {
      for (const bus of buses) bus.disconnect();
      return Promise.resolve();
    },
    heal() {
      for (const bus of buses) bus.reconnect();
      return Promise.resolve();
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(buses.map((bus) => bus.close()));
    },
  });
}

describe("Memory bus under a custom scheduler", () => {
  it("ports/bus.2: keeps the order for any order in which the steps run", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 200 }), fc.nat(30), (choices, count) => {
        const steps: (() => void)[] = [];
        const broker = new MemoryBroker({ schedule: (run) => steps.push(run) });
        const [publisher, subscriber] = [broker.connect(), broker.connect()];
        const seen: string[] = [];
        subscriber.subscribe("s", (message) => seen.push(new TextDecoder().decode(message.data)));
        while (steps.length > 0) steps.shift()?.();
        const sent = Array.from({ length: count }, (_, i) => String(i));
        for (const text of sent) publisher.publish("s", text);
        for (let i = 0; steps.length > 0; i++) {
          const [step] = steps.splice((choices[i] ?? 0) % steps.length, 1);
          step?.();
        }
        expect(seen).to.deep.equal(sent);
      }),
    );
  });

  it("ports/bus.1: loses the messages in flight when a connection is cut", () => {
    const steps: (() => void)[] = [];
    const broker = new MemoryBroker({ schedule: (run) => steps.push(run) });
    const [publisher, subscriber] = [broker.connect(), broker.connect()];
    let calls = 0;
    subscriber.subscribe("s", () => calls++);
    while (steps.length > 0) steps.shift()?.();
    publisher.publish("s", "on its way");
    publisher.disconnect();
    publisher.reconnect();
    while (steps.length > 0) steps.shift()?.();
    expect(calls).to.equal(0);
  });
});

describe("NATS bus with many subscriptions", () => {
  it("bus-nats.1: a subscription needs less than 1,000 bytes", async () => {
    await using bench = await openNatsBench();
    const bus = await bench.connect();
    const seen: string[] = [];
    const subscribe = (from: number, count: number): void => {
      for (let n = from; n < from + count; n++) {
        bus.subscribe(`room-${n}`, ({ subject }) => seen.push(subject));
      }
    };
    subscribe(0, 1_000); // The tables of the library grow in steps.
    await bus.flush();
    const before = heapBytes();
    subscribe(1_000, 4_000);
    await bus.flush();
    expect((heapBytes() - before) / 4_000).to.be.below(1_000);
    bus.publish("room-4000", "");
    await until(() => seen.length > 0, { withinMs: 10_000, what: "the message" });
    expect(seen).to.deep.equal(["room-4000"]);
  });
});

describe("NATS bus at its first connect", () => {
  const options = {
    name: "test",
    inboxPrefix: "_INBOX.test",
    logger: createLogger({ name: "test", level: "silent" }),
  };

  it("ports/bus.1: an unreachable server is one error that names it, without its password", async () => {
    const error = await openNatsBus({ ...options, url: "nats://ada:secret@127.0.0.1:9" }).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).to.be.instanceOf(NatsUnreachable);
    expect(error).to.have.property("code", "nats_unreachable");
    expect(error).to.have.property("message").that.includes("nats://127.0.0.1:9");
    expect(error).to.have.property("message").that.does.not.include("secret");
  });

  it("ports/bus.7: a server with a smaller max_payload than ours is one error with both numbers", async () => {
    const info = {
      server_id: "s",
      version: "2.14.4",
      proto: 1,
      headers: true,
      max_payload: 65_536,
    };
    const small = createServer((socket) => {
      socket.write(`INFO ${JSON.stringify(info)}\r\n`);
      socket.on("data", (data) => {
        if (data.includes("PING")) socket.write("PONG\r\n");
      });
      socket.on("error", () => undefined);
    });
    await new Promise<void>((resolve) => {
      small.listen(0, "127.0.0.1", resolve);
    });
    const { port } = small.address() as AddressInfo;
    const error = await openNatsBus({ ...options, url: `nats://127.0.0.1:${port}` }).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    small.close();
    expect(error).to.be.instanceOf(NatsPayloadTooSmall);
    expect(error).to.have.property("message").that.includes("65536");
  });

  it("ports/bus.1: a server that accepts and stays silent times out within seconds", async () => {
    const accepted: Socket[] = [];
    const silent = createServer((socket) => accepted.push(socket));
    await new Promise<void>((resolve) => {
      silent.listen(0, "127.0.0.1", resolve);
    });
    const { port } = silent.address() as AddressInfo;
    const began = performance.now();
    const error = await openNatsBus({ ...options, url: `nats://127.0.0.1:${port}` }).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    // The library ends the attempt but leaves its socket open, which would keep mocha running.
    for (const socket of accepted) socket.destroy();
    silent.close();
    expect(error).to.be.instanceOf(NatsUnreachable);
    // An attempt may take 2 s. Ten times that would still end.
    expect(performance.now() - began).to.be.lessThan(30_000);
  });

  it("ports/bus.1: a server that stops answering is left, and the bus connects again", async () => {
    const info = {
      server_id: "s",
      version: "2.14.4",
      proto: 1,
      headers: true,
      max_payload: 1 << 20,
    };
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      const isFirst = sockets.push(socket) === 1;
      let pings = 0;
      socket.write(`INFO ${JSON.stringify(info)}\r\n`);
      socket.on("data", (data) => {
        // The first connection answers the ping of its start only.
        if (data.includes("PING") && (!isFirst || pings++ === 0)) socket.write("PONG\r\n");
      });
      socket.on("error", () => undefined);
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    const { port } = server.address() as AddressInfo;
    const bus = await openNatsBus({ ...options, url: `nats://127.0.0.1:${port}` });
    const statuses: string[] = [];
    await new Promise<void>((resolve) => {
      bus.onStatus((status) => {
        statuses.push(status);
        if (status === "connected") resolve();
      });
    });
    expect(statuses).to.deep.equal(["disconnected", "connected"]);
    await bus.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
});
