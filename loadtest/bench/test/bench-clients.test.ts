// The clients of the bench against incorrect servers: an undetected error would make figures wrong.

import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { expect } from "chai";
import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";
import { until } from "#shared/testing/wait.ts";
import { BenchClients } from "../bench-clients.ts";
import { MarkCounter } from "../mark-counter.ts";
import type { Peer } from "../peer.ts";
import { openLoop } from "../schedule.ts";
import { MARKER, Sink } from "../sink.ts";

const MESSAGES = 40;
const MEMBERS = 4;

/** The bytes that a member receives for the n-th message. */
type Lie = (n: number, member: number, text: string) => readonly string[];

async function complaintsUnder(lie: Lie): Promise<Record<string, number>> {
  const members: WebSocket[] = [];
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
  let n = 0;
  let sent = 0;
  server.on("connection", (client) => {
    members.push(client);
    client.on("message", (data: Buffer) => {
      n++;
      for (const [i, member] of members.entries()) {
        for (const text of lie(n, i, data.toString())) {
          sent++;
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
  const clients = await BenchClients.open(peer, { rooms: 1, members: MEMBERS });
  await openLoop({ count: MESSAGES, perSecond: 2_000 }, clients);
  await until(() => n === MESSAGES && clients.received === sent, {
    withinMs: 10_000,
    what: "all messages of the server",
  });
  const complaints = Object.fromEntries(clients.complaints());
  clients.close();
  server.close();
  return complaints;
}

describe("BenchClients", () => {
  it("bench-clients.2: reports nothing for a correct server", async () => {
    expect(await complaintsUnder((_n, _member, text) => [text])).to.deep.equal({});
  });

  it("bench-clients.2: reports one message that one sink lost", async () => {
    const lie: Lie = (n, member, text) => (n === 20 && member === 3 ? [] : [text]);
    expect(await complaintsUnder(lie)).to.deep.equal({ missing: 1 });
  });

  it("bench-clients.2: a lost message of one client and a duplicate of another do not cancel out", async () => {
    const lie: Lie = (n, member, text) => {
      if (n !== 20 || member < 2) return [text];
      return member === 2 ? [] : [text, text];
    };
    expect(await complaintsUnder(lie)).to.deep.equal({ missing: 1, duplicated: 1 });
  });

  it("bench-clients.2: the probe detects a swap and a gap", async () => {
    const held: string[] = [];
    const lie: Lie = (n, member, text) => {
      if (member !== 0 || n < 20 || n > 21) return [text];
      held.push(text);
      return n === 21 ? held.toReversed() : [];
    };
    expect(await complaintsUnder(lie)).to.deep.equal({ gap: 2, "repeat or swap": 1 });
  });
});

describe("Sink", () => {
  it("sink.1: the length of a frame is no message", () => {
    // 0x5e is the code of "^".
    const length = 0x5e5e;
    const payload = Buffer.alloc(length, "x");
    payload.write(`{"text":"${MARKER}1.2"}`);
    const frame = Buffer.concat([Buffer.from([0x81, 126, 0x5e, 0x5e]), payload]);
    expect(new MarkCounter(MARKER).count(frame)).to.equal(1);
  });

  it("bench-clients.2: counts a message once that arrives in two pieces", async () => {
    const message = Buffer.from(`\u0081\u0008xx${MARKER}1.2.xx${MARKER}y^x`, "latin1");
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
