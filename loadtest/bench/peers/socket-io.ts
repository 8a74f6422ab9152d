// Socket.IO peer: Socket.IO 4 with its Redis adapter on a real redis-server, the usual solution for
// several nodes.
//
// The bench sends what the Socket.IO client sends over WebSocket: Engine.IO 4 frames (first digit)
// with Socket.IO packets (second digit). 0 open · 40 connect · 42 event · 420/430 event with ack.

import { fork, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { choosePort } from "#infra/embedded/ports.ts";
import { ToolMissing, whichOn } from "#tools/programs/programs.ts";
import { until } from "#shared/testing/wait.ts";
import { peerEnv, pinServers } from "../peer.ts";
import type { Received, RunningPeer } from "../peer.ts";

const SERVER = fileURLToPath(new URL("socket-io-server.ts", import.meta.url));
const REDIS_READY_MS = 10_000;

export const SOCKET_IO = "Socket.IO + Redis";

/** Throws ToolMissing when redis-server is not installed; see whereIsRedis. */
export async function startSocketIo(): Promise<RunningPeer> {
  const dir = mkdtempSync(join(tmpdir(), "parley-redis-"));
  const port = await choosePort(0);
  const settings = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--dir", dir];
  const redis = spawn(whereIsRedis(), settings, { stdio: "ignore" });
  await until(() => answers(port), { withinMs: REDIS_READY_MS, what: "redis-server to listen" });
  const server = fork(SERVER, [`redis://127.0.0.1:${port}`], { env: peerEnv() });
  const [message] = (await once(server, "message")) as [{ port: number }];
  const pids = new Map([
    ["socket.io", server.pid ?? 0],
    ["redis", redis.pid ?? 0],
  ]);
  pinServers(pids.values());
  return {
    name: SOCKET_IO,
    port: message.port,
    pids,
    path: () => "/socket.io/?EIO=4&transport=websocket",
    enter: (room) =>
      Promise.resolve([
        { say: "", until: "0{" },
        { say: "40", until: "40{" },
        { say: `420${JSON.stringify(["join", room])}`, until: "430[" },
      ]),
    message: (room, id, text) => `42${JSON.stringify(["say", room, id, text])}`,
    joinsLines: false,
    read,
    async [Symbol.asyncDispose]() {
      await Promise.all([kill(server), kill(redis)]);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function read(frame: string): Received[] {
  if (!frame.startsWith("42[")) return [];
  const [, { body }] = JSON.parse(frame.slice(2)) as [string, { body: { text: string } }];
  return [{ kind: "event", text: body.text }];
}

export function whereIsRedis(env: NodeJS.ProcessEnv = process.env): string {
  const path = whichOn(env["PATH"] ?? "", "redis-server");
  if (path !== undefined) return path;
  throw new ToolMissing(
    "redis-server was not found; the bench needs it for the Socket.IO peer:\n" +
      "  apt-get install redis-server, or omit that peer: make bench PEERS=raw",
  );
}

async function answers(port: number): Promise<boolean> {
  const socket = connect({ port, host: "127.0.0.1" });
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false; // Not listening yet; the caller has a deadline.
  } finally {
    socket.destroy();
  }
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}
