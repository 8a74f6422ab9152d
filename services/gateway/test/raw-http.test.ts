// RawHttp: a peer keeps its answer when the server resets its connection.

import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { expect } from "chai";
import { until } from "#shared/testing/wait.ts";
import { openPeer } from "./raw-http.ts";

describe("RawHttp", () => {
  it("raw-http.1: a reset by the server ends a peer with what it read", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const accepted = once(server, "connection") as Promise<[Socket]>;
    const peer = await openPeer(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const [socket] = await accepted;
    const closed = peer.untilClosed();
    socket.write("HTTP/1.1 400 Bad Request\r\n\r\n");
    await until(() => peer.read() !== "", { withinMs: 5_000, what: "the answer" });
    socket.resetAndDestroy();
    expect(await closed).to.equal("HTTP/1.1 400 Bad Request\r\n\r\n");
    server.close();
    await once(server, "close");
  });
});
