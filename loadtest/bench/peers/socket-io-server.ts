// Socket.IO peer: rooms over the Redis adapter, as its own documentation sets it up. Nothing is
// stored. Pings are seldom (ten minutes), so that they are not what is measured.
// Argument: the URL of Redis. Prints its port as JSON on the IPC channel.

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

// As many as Parley lets wait.
server.listen(0, "127.0.0.1", 4_096, () => {
  flushCompileCache(); // It is killed in the end, and would keep nothing.
  process.send?.({ port: (server.address() as AddressInfo).port });
});
process.on("disconnect", () => process.exit(0));
