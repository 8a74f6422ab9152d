// Watcher: a process in one place that reports when a server in another place is gone.
//
//   node verify/regions/watcher.ts <host> <port>
//
// It connects every PERIOD_MS. After MISSES_MAX failures in a row it sends one message and exits.
// Managers of PostgreSQL (Patroni, repmgr) decide in the same way; this one is part of the drill.

import { connect } from "node:net";

const PERIOD_MS = 1_000;
const MISSES_MAX = 5;

const [host = "", port = ""] = process.argv.slice(2);
let misses = 0;
// A process without its parent has no task, and its timer would keep it running.
process.on("disconnect", () => process.exit(0));
const timer = setInterval(() => {
  const socket = connect({ host, port: Number(port), timeout: PERIOD_MS });
  socket.on("connect", () => {
    misses = 0;
    socket.destroy();
  });
  socket.on("timeout", () => socket.destroy(new Error("timeout")));
  socket.on("error", () => {
    if (++misses < MISSES_MAX) return;
    clearInterval(timer);
    // The channel to the drill would keep the process running. The exit waits for the message.
    process.send?.("gone", undefined, {}, () => process.exit(0));
  });
}, PERIOD_MS);
