// Raw peers: the minimum cost of a broadcast with `ws`, and the usual implementation.

import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { parseObject } from "#shared/kit/json.ts";
import { peerEnv, pinServers } from "../peer.ts";
import type { Received, RunningPeer } from "../peer.ts";

const SERVER = fileURLToPath(new URL("raw-server.ts", import.meta.url));

export const RAW_SHARED = "raw ws, one shared buffer";
export const RAW_EACH = "raw ws, ws.send each";

/** Also checks tokens of this key before it answers with history. */
export const RAW_JWT = "raw ws with a JWT check";

export type RawMode = "shared" | "each" | "jwt";
const NAMES: Readonly<Record<RawMode, string>> = {
  shared: RAW_SHARED,
  each: RAW_EACH,
  jwt: RAW_JWT,
};

export async function startRaw(mode: RawMode = "shared", secret = ""): Promise<RunningPeer> {
  const child = fork(SERVER, [mode, secret], { env: peerEnv() });
  const [{ port }] = (await once(child, "message")) as [{ port: number }];
  const pid = child.pid ?? 0;
  pinServers([pid]);
  return {
    name: NAMES[mode],
    port,
    pids: new Map([["raw", pid]]),
    path: (room) => `/${room}`,
    enter: () => Promise.resolve([]),
    message: (room, id, text) => JSON.stringify({ t: "msg", room, id, body: { text } }),
    joinsLines: false,
    read,
    async [Symbol.asyncDispose]() {
      // A saturated server reads its channel only after seconds of writes.
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

function read(frame: string): Received[] {
  const { text } = (parseObject(frame)?.["body"] ?? {}) as { text?: string };
  return text === undefined ? [] : [{ kind: "event", text }];
}
