// Raw baseline: a WebSocket broadcast with `ws` and nothing else: rooms in one process, no order
// across processes, no log, no ack, no auth. `shared`: one frame is built per message and the same
// bytes are written to every socket. `each`: ws.send per socket, as most servers do it.
// Prints its port as JSON on the IPC channel.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";

interface Member {
  readonly socket: Duplex;
  readonly client: WebSocket;
}

const isShared = process.argv[2] !== "each";
const rooms = new Map<string, Set<Member>>();
const server = createServer();
const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });

server.on("upgrade", (request, socket, head) => {
  const room = request.url ?? "/";
  sockets.handleUpgrade(request, socket, head, (client) => {
    const members = rooms.get(room) ?? new Set<Member>();
    const member = { socket, client };
    rooms.set(room, members.add(member));
    client.on("close", () => members.delete(member));
    client.on("error", () => client.terminate());
    client.on("message", (data: Buffer) => {
      if (isShared) writeShared(members, data);
      else for (const { client } of members) client.send(data, { binary: false });
    });
  });
});

function writeShared(members: ReadonlySet<Member>, data: Buffer): void {
  const frame = serverFrame(data);
  for (const { socket } of members) socket.write(frame);
}

function serverFrame(payload: Buffer): Buffer {
  const { length } = payload;
  const head =
    length < 126
      ? Buffer.from([0x81, length])
      : Buffer.from([0x81, 126, length >> 8, length & 255]);
  return Buffer.concat([head, payload]);
}

server.listen(0, "127.0.0.1", () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
process.on("disconnect", () => process.exit(0));
