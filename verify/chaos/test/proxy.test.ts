// Proxy: bytes arrive whole and in order on every route, late on a slow one, and not at all while
// the route is cut.

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
  /** The echoes from the server behind the proxy. */
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
  it("proxy.1: a cut route passes no bytes and closes nothing; after it opens again, all bytes arrive", async () => {
    await using route = await open();
    route.client.write("a");
    await until(() => route.received === "a", { ...WITHIN, what: "the echo" });
    route.proxy.shape = { kind: "cut" };
    let isClosed = false;
    route.client.on("close", () => (isClosed = true));
    route.client.write("b");
    // An echo of later bytes on an open route takes the same way.
    await using other = await open();
    other.client.write("b");
    await until(() => other.received === "b", { ...WITHIN, what: "the echo of the other route" });
    expect([route.received, isClosed]).to.deep.equal(["a", false]);
    route.proxy.shape = { kind: "open" };
    await until(() => route.received === "ab", { ...WITHIN, what: "the held bytes" });
  });

  it("proxy.2: on a slow route with loss, bytes arrive late, whole and in order", async () => {
    await using route = await open();
    route.proxy.shape = { kind: "slow", delayMs: 20, jitterMs: 10, lossPercent: 20 };
    const began = performance.now();
    const parts = Array.from({ length: 30 }, (_, i) => `${i},`);
    for (const part of parts) {
      // The kernel has it, and then the proxy has a turn to read it as a chunk of its own.
      await new Promise((resolve) => route.client.write(part, resolve));
      await new Promise(setImmediate);
    }
    const all = parts.join("");
    await until(() => route.received.length >= all.length, { ...WITHIN, what: "the echoes" });
    expect(route.received).to.equal(all);
    expect(performance.now() - began).to.be.at.least(20);
  });

  it("proxy.2: the end of a connection follows its last byte", async () => {
    await using route = await open();
    route.proxy.shape = { kind: "slow", delayMs: 30, jitterMs: 0, lossPercent: 0 };
    const closed = once(route.client, "close");
    route.client.end("last");
    await closed;
    expect(route.received).to.equal("last");
  });
});
