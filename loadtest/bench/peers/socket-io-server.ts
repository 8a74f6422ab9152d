// Socket.IO server: rooms over the Redis adapter, configured as in its documentation. It stores
// nothing. The ping interval is ten minutes, so that pings are not measured. Argument: the URL of
// Redis. Sends its port as JSON on the IPC channel.

import { createServer } from "node:http";
import { flushCompileCache } from "node:module";
import type { AddressInfo } from "node:net";
import { createAdapter } from "@socket.io/redis-adapter";
import { createClient } from "redis";
import { Server } from "socket.io";

const PING_INTERVAL_MS = 600_000;

const publisher = createClient({ url: process.argv[2] ?? "" });
const subscriber = publisher.duplicate();
await Promise.all([publisher.connect(), subscriber.connect()]);
const server = createServer();
const io = new Server(server, {
  adapter: createAdapter(publisher, subscriber),
  transports: ["websocket"],
  perMessageDeflate: false,
  pingInterval: PING_INTERVAL_MS,
  serveClient: false,
});

io.on("connection", (socket) => {
  socket.on("join", (room: string, done: () => void) => {
    void Promise.resolve(socket.join(room)).then(done);
  });
  socket.on("say", (room: string, id: string, text: string) => {
    io.to(room).emit("msg", { room, id, body: { text } });
  });
});

// The same backlog as Parley.
server.listen(0, "127.0.0.1", 4_096, () => {
  flushCompileCache(); // A kill ends the process and would discard the cache.
  process.send?.({ port: (server.address() as AddressInfo).port });
});
// A process without its parent has no task, and its server would keep it running.
process.on("disconnect", () => process.exit(0));
