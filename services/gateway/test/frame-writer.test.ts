// Prepared frames at a real client, for every length form and between writes of `ws`.

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { expect } from "chai";
import { WebSocket, WebSocketServer } from "ws";
import { until } from "#shared/testing/wait.ts";
import { stringFrame, textFrame } from "../adapters/frame-writer.ts";

interface Pair extends AsyncDisposable {
  readonly ws: WebSocket;
  readonly socket: Socket;
  readonly client: WebSocket;
  readonly got: string[];
}

async function openPair(): Promise<Pair> {
  const server = createServer();
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  const served = new Promise<{ ws: WebSocket; socket: Socket }>((resolve) => {
    server.on("upgrade", (request, socket, head) => {
      sockets.handleUpgrade(request, socket, head, (ws) => {
        resolve({ ws, socket: socket as Socket });
      });
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const got: string[] = [];
  client.on("message", (data: Buffer) => got.push(data.toString()));
  await once(client, "open");
  return {
    ...(await served),
    client,
    got,
    async [Symbol.asyncDispose]() {
      client.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const bytes = (text: string): Uint8Array => Buffer.from(text);

describe("Prepared frames", () => {
  it("F1: every length form arrives complete: 7 bits, 16 bits, 64 bits", async () => {
    await using pair = await openPair();
    const lengths = [0, 1, 125, 126, 127, 65_535, 65_536, 1_000_000];
    for (const length of lengths) {
      pair.socket.write(textFrame([bytes("x".repeat(length))]));
      pair.socket.write(stringFrame("y".repeat(length)));
    }
    const what = "all frames";
    await until(() => pair.got.length === 2 * lengths.length, { withinMs: 10_000, what });
    expect(pair.got.map((text) => text.length)).to.deep.equal(lengths.flatMap((n) => [n, n]));
  });

  it("F1: parts are joined by line breaks, in UTF-8", async () => {
    await using pair = await openPair();
    pair.socket.write(textFrame([bytes("äöü"), bytes("👍"), bytes("")]));
    pair.socket.write(stringFrame("äöü\n👍"));
    await until(() => pair.got.length === 2, { withinMs: 5_000, what: "two frames" });
    expect(pair.got).to.deep.equal(["äöü\n👍\n", "äöü\n👍"]);
  });

  it("F1: prepared frames and those of ws arrive intact, in the order of their writes", async () => {
    await using pair = await openPair();
    let pongs = 0;
    pair.ws.on("pong", () => pongs++);
    const expected: string[] = [];
    for (let n = 0; n < 200; n++) {
      const text = `${n} `.repeat(n * 13);
      if (n % 3 === 0) pair.ws.send(text);
      else if (n % 3 === 1) pair.socket.write(textFrame([bytes(text)]));
      else {
        pair.socket.cork();
        pair.socket.write(stringFrame(text));
        pair.ws.ping();
        pair.socket.uncork();
      }
      expected.push(text);
    }
    await until(() => pair.got.length === 200 && pongs > 0, { withinMs: 10_000, what: "all" });
    expect(pair.got).to.deep.equal(expected);
  });

  it("F7: one buffer is written to many sockets and does not change", async () => {
    await using one = await openPair();
    await using two = await openPair();
    const frame = textFrame([bytes("the same"), bytes("for all")]);
    const before = Buffer.from(frame);
    for (const pair of [one, two, one]) pair.socket.write(frame);
    await until(() => one.got.length + two.got.length === 3, { withinMs: 5_000, what: "three" });
    expect([...one.got, ...two.got]).to.deep.equal(Array(3).fill("the same\nfor all"));
    expect(frame.equals(before)).to.equal(true);
  });
});
