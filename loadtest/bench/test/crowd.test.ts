// The bench against servers that lie: what it does not notice would be a figure that means nothing.

import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { expect } from "chai";
import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";
import { until } from "#shared/testing/wait.ts";
import { Crowd } from "../crowd.ts";
import type { Peer } from "../peer.ts";
import { openLoop } from "../schedule.ts";
import { Sink } from "../sink.ts";

const MESSAGES = 40;
const MEMBERS = 4;

/** What a member gets of the n-th message. */
type Lie = (n: number, member: number, text: string) => readonly string[];

async function complaintsUnder(lie: Lie): Promise<Record<string, number>> {
  const members: WebSocket[] = [];
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
  let n = 0;
  let told = 0;
  server.on("connection", (client) => {
    members.push(client);
    client.on("message", (data: Buffer) => {
      n++;
      for (const [i, member] of members.entries()) {
        for (const text of lie(n, i, data.toString())) {
          told++;
          member.send(text);
        }
      }
    });
  });
  await until(() => server.address() !== null, { withinMs: 5_000, what: "the server" });
  const peer: Peer = {
    name: "liar",
    port: (server.address() as AddressInfo).port,
    pids: new Map(),
    path: (room) => `/${room}`,
    enter: () => Promise.resolve([]),
    message: (_room, _id, text) => text,
    joinsLines: false,
    read: (frame) => [{ kind: "event", text: frame }],
  };
  const crowd = await Crowd.open(peer, { rooms: 1, members: MEMBERS });
  await openLoop({ count: MESSAGES, perSecond: 2_000 }, crowd);
  await until(() => n === MESSAGES && crowd.received === told, {
    withinMs: 10_000,
    what: "all that the server said",
  });
  const complaints = Object.fromEntries(crowd.complaints());
  crowd.close();
  server.close();
  return complaints;
}

describe("Crowd", () => {
  it("crowd.2: an honest server gets no complaint", async () => {
    expect(await complaintsUnder((_n, _member, text) => [text])).to.deep.equal({});
  });

  it("crowd.2: one message lost by one sink is missing", async () => {
    const lie: Lie = (n, member, text) => (n === 20 && member === 3 ? [] : [text]);
    expect(await complaintsUnder(lie)).to.deep.equal({ missing: 1 });
  });

  it("crowd.2: lost by one and doubled for another never cancel each other", async () => {
    const lie: Lie = (n, member, text) => {
      if (n !== 20 || member < 2) return [text];
      return member === 2 ? [] : [text, text];
    };
    expect(await complaintsUnder(lie)).to.deep.equal({ missing: 1, doubled: 1 });
  });

  it("crowd.2: a swap and a hole are seen by the probe", async () => {
    const held: string[] = [];
    const lie: Lie = (n, member, text) => {
      if (member !== 0 || n < 20 || n > 21) return [text];
      held.push(text);
      return n === 21 ? held.toReversed() : [];
    };
    expect(await complaintsUnder(lie)).to.deep.equal({ hole: 2, "repeat or swap": 1 });
  });
});

describe("Sink", () => {
  it("crowd.2: a message cut in two anywhere is counted once", async () => {
    const message = Buffer.from("\u0081\u0008xx^^1.2.xx^^y^x", "latin1");
    for (let cut = 1; cut < message.length; cut++) {
      const sockets: Socket[] = [];
      const server = createServer((socket) => {
        sockets.push(socket);
        socket.setNoDelay(true);
        socket.once("data", () => socket.write("HTTP/1.1 101 Switching\r\n\r\n"));
      });
      await new Promise<void>((resolve) => {
        server.listen(0, "127.0.0.1", resolve);
      });
      const { port } = server.address() as AddressInfo;
      const sink = new Sink({ port, path: () => "/" }, { room: "r", steps: [] });
      await sink.ready;
      const before = sink.bytes;
      sockets[0]?.write(message.subarray(0, cut));
      await until(() => sink.bytes === before + cut, { withinMs: 5_000, what: "the first half" });
      sockets[0]?.write(message.subarray(cut));
      const all = before + message.length;
      await until(() => sink.bytes === all, { withinMs: 5_000, what: "the second half" });
      expect(sink.received, `cut at ${cut}`).to.equal(2);
      sink.close();
      server.close();
    }
  });
});
