// Proxy: bytes arrive whole and in order however bad the route is, late when it is slow, and not at
// all while it is cut.

import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { expect } from "chai";
import { seededRandom } from "#shared/kit/random.ts";
import { until } from "#shared/testing/wait.ts";
import { Proxy } from "../proxy.ts";

const WITHIN = { withinMs: 10_000 };

class Route implements AsyncDisposable {
  readonly proxy: Proxy;
  readonly client: Socket;
  /** What the server behind the proxy echoed. */
  received = "";
  readonly #close: () => void;

  constructor(proxy: Proxy, client: Socket, close: () => void) {
    this.proxy = proxy;
    this.client = client;
    this.#close = close;
    client.on("data", (bytes) => (this.received += bytes.toString()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.client.destroy();
    this.proxy.close();
    this.#close();
    return Promise.resolve();
  }
}

async function open(): Promise<Route> {
  const server = createServer((socket) => socket.pipe(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const random = seededRandom(1);
  const { port } = server.address() as AddressInfo;
  const share = (): number => random.next32() / 0x1_0000_0000;
  const proxy = new Proxy({ host: "127.0.0.1", port }, share);
  const client = connect(await proxy.listen(), "127.0.0.1");
  await once(client, "connect");
  return new Route(proxy, client, () => server.close());
}

describe("Chaos proxy", () => {
  it("proxy.1: a cut passes nothing and closes nothing; opened again, all of it arrives", async () => {
    await using route = await open();
    route.client.write("a");
    await until(() => route.received === "a", { ...WITHIN, what: "the echo" });
    route.proxy.shape = { kind: "cut" };
    let isClosed = false;
    route.client.on("close", () => (isClosed = true));
    route.client.write("b");
    // That nothing happens has no condition to wait for; longer than an echo takes is all one can do.
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect([route.received, isClosed]).to.deep.equal(["a", false]);
    route.proxy.shape = { kind: "open" };
    await until(() => route.received === "ab", { ...WITHIN, what: "what was held" });
  });

  it("proxy.2: a slow route is late, and bytes stay whole and in order under loss", async () => {
    await using route = await open();
    route.proxy.shape = { kind: "slow", delayMs: 20, jitterMs: 10, lossPercent: 20 };
    const began = performance.now();
    const parts = Array.from({ length: 30 }, (_, i) => `${i},`);
    for (const part of parts) {
      route.client.write(part);
      // Not a wait for a result: it spreads the writes, so that they come as chunks of their own.
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const all = parts.join("");
    await until(() => route.received.length >= all.length, { ...WITHIN, what: "the echoes" });
    expect(route.received).to.equal(all);
    expect(performance.now() - began).to.be.at.least(20);
  });

  it("proxy.2: the end of a connection passes behind its last byte", async () => {
    await using route = await open();
    route.proxy.shape = { kind: "slow", delayMs: 30, jitterMs: 0, lossPercent: 0 };
    const closed = once(route.client, "close");
    route.client.end("last");
    await closed;
    expect(route.received).to.equal("last");
  });
});
