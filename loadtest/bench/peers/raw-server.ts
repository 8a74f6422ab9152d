// Raw server: a WebSocket broadcast with only `ws`: rooms in one process, no order across
// processes, no log, no acks, no authentication. `shared`: builds one frame for each message and
// writes the same bytes to every socket. `each`: calls ws.send for each socket, as most servers do.
// `jwt`: checks the first message as a token and answers with the newest 20 messages of the room.
// Sends its port as JSON on the IPC channel.

import { createServer } from "node:http";
import { flushCompileCache } from "node:module";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { jwtVerify } from "jose";
import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";

interface Member {
  readonly socket: Duplex;
  readonly client: WebSocket;
}

const HISTORY = 20;
const [, , mode = "shared", secret = ""] = process.argv;
const key = Buffer.from(secret, "base64url");
const history = Array.from({ length: HISTORY }, (_, seq) => historyLine(seq)).join("\n");
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
      if (mode === "jwt") void admit(client, data.toString());
      else if (mode === "shared") writeShared(members, data);
      else for (const { client } of members) client.send(data, { binary: false });
    });
  });
});

async function admit(client: WebSocket, token: string): Promise<void> {
  await jwtVerify(token, key);
  client.send(`${history}\n{"t":"caught-up"}`);
}

function historyLine(seq: number): string {
  const body = { text: "x".repeat(112) };
  return JSON.stringify({ t: "msg", room: "r", seq, id: "i".repeat(36), from: "ada", at: 1, body });
}

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

// The same backlog as Parley.
server.listen(0, "127.0.0.1", 4_096, () => {
  flushCompileCache(); // A kill ends the process and would discard the cache.
  process.send?.({ port: (server.address() as AddressInfo).port });
});
// A process without its parent has no task, and its server would keep it running.
process.on("disconnect", () => process.exit(0));
