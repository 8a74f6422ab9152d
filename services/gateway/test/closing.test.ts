// After the close: a gateway accepts bytes of the socket for a while, and no frame.

import { once } from "node:events";
import { expect } from "chai";
import { until } from "#shared/testing/wait.ts";
import { CLOSING_BYTES_MAX } from "../core/bounds.ts";
import { bareClose, bareSocket, clientFrame } from "./bare-socket.ts";
import { SocketFixture } from "./socket-fixture.ts";

const PING = clientFrame(0x81, Buffer.from('{"t":"ping","ref":1}'));
const MANY_PINGS = Buffer.concat(Array.from({ length: 2_000 }, () => PING));
const BINARY = clientFrame(0x82, Buffer.from("{}"));

describe("WebSocket: after the close", () => {
  it("F9: no frame is decoded after the server has closed", async () => {
    await using fixture = await SocketFixture.open();
    const { stats } = fixture.gateway;
    const socket = await bareSocket(fixture);
    socket.write(clientFrame(0x81, Buffer.from('{"t":"hello","token":"ada"}')));
    await until(() => stats.framesIn === 1, { withinMs: 5_000, what: "the hello" });
    const closed = bareClose(socket);
    socket.write(Buffer.concat([BINARY, MANY_PINGS]));
    await once(socket, "data");
    for (let n = 0; n < 10 && socket.writable; n++) socket.write(MANY_PINGS);
    socket.end();
    expect(await closed).to.equal(1_008);
    expect(stats.framesIn).to.equal(1);
  });

  it("F9: a peer that continues to send is cut off after CLOSING_BYTES_MAX", async () => {
    await using fixture = await SocketFixture.open();
    const socket = await bareSocket(fixture);
    let taken = 0;
    const closed = bareClose(socket);
    const chunk = Buffer.concat(Array.from({ length: 20 }, () => MANY_PINGS));
    const pump = (): void => {
      if (!socket.writable || taken > 20 * CLOSING_BYTES_MAX) return;
      taken += chunk.length;
      socket.write(chunk, (error) => {
        if (error === undefined || error === null) pump();
      });
    };
    socket.write(BINARY);
    pump();
    await closed;
    // The kernels of both sides hold some more.
    expect(taken).to.be.lessThan(2 * CLOSING_BYTES_MAX + (16 << 20));
  });

  it("F9: a client that answers the close sees its code at once", async () => {
    await using fixture = await SocketFixture.open();
    const ada = await fixture.connect("ada");
    const began = performance.now();
    ada.socket.send(Buffer.from("{}"));
    expect((await ada.closed).code).to.equal(1_008);
    expect(performance.now() - began).to.be.lessThan(2_500);
  });
});
