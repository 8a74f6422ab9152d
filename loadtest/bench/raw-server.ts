// Raw baseline: the least that a WebSocket broadcast can cost with `ws`: rooms in one process, one
// frame built per message, the same bytes written to every socket. No order across processes, no
// log, no ack, no auth. Prints its port as JSON on the IPC channel.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";

const rooms = new Map<string, Set<Duplex>>();
const server = createServer();
const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });

server.on("upgrade", (request, socket, head) => {
  const room = request.url ?? "/";
  sockets.handleUpgrade(request, socket, head, (client) => {
    const members = rooms.get(room) ?? new Set<Duplex>();
    rooms.set(room, members.add(socket));
    client.on("close", () => members.delete(socket));
    client.on("error", () => client.terminate());
    client.on("message", (data: Buffer) => {
      const frame = serverFrame(data);
      for (const member of members) member.write(frame);
    });
  });
});

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
