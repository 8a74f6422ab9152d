// `make drill-proxy`: clients behind a real HAProxy, each with its own address, and row F17 of the
// fault table: all of them lose their connection at once.
//
//   node verify/drills/proxy.ts [clients]
//
// HAProxy uses the file of the compose cluster with other addresses. Gateways count clients by the
// PROXY header, and limits are on. Judged: every client connects; after a kill -9 of HAProxy 95 %
// are back within 20 s and all within 60 s. Not measured: messages meanwhile (make chaos), more
// clients than this machine has descriptors for.

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { WebSocket } from "ws";
import { Parley } from "#client/sdk/parley.ts";
import { freePort } from "#shared/testing/ports.ts";
import { until } from "#shared/testing/wait.ts";
import { startCluster } from "#infra/embedded/cluster.ts";
import { ToolMissing, whichOn } from "#tools/programs/programs.ts";
import { percentile } from "./acks.ts";

const CONFIG = fileURLToPath(new URL("../../infra/docker/haproxy.cfg", import.meta.url));
const GATEWAYS = 2;
const ONLINE_WITHIN_MS = 120_000;
/** F17. */
const MOST_WITHIN_MS = 20_000;
const ALL_WITHIN_MS = 60_000;
/** Between two connects. All at once would measure the limits of this machine. */
const CONNECT_EVERY_MS = 5;

const count = Number(process.argv[2] ?? 1_200);
const program = whichOn(`${process.env["PATH"] ?? ""}:/usr/sbin`, "haproxy");
if (program === undefined) throw new ToolMissing("no haproxy (Debian: apt-get install haproxy)");
const dataDir = mkdtempSync(join(tmpdir(), "parley-proxy-"));
const say = (line: string): void => console.error(`  ${line}`);
const cluster = await startCluster({
  dataDir,
  port: 0,
  gateways: GATEWAYS,
  partitions: 4,
  env: { TRUSTED_PROXIES: "127.0.0.1", PROXY_PROTOCOL: "on" },
  say,
});
const port = await freePort();
const config = join(dataDir, "haproxy.cfg");
writeFileSync(config, configFor(cluster.info().gateways.map(({ url }) => new URL(url ?? "").host)));
let proxy = start();
const clients: Parley[] = [];
try {
  await until(isUp, { withinMs: ONLINE_WITHIN_MS, what: "the proxy to reach its gateways" });
  for (let n = 0; n < count; n++) {
    const from = `127.${1 + Math.floor(n / 62_500)}.${Math.floor(n / 250) % 250}.${1 + (n % 250)}`;
    const token = await tokenFor(`client-${n}`, from);
    clients.push(open(token, from));
    await new Promise((resolve) => setTimeout(resolve, CONNECT_EVERY_MS));
  }
  await until(() => online() === count, {
    withinMs: ONLINE_WITHIN_MS,
    what: "every client to be online",
  }).catch(() => undefined);
  console.log(`${online()} of ${count} clients, each with its own address, are online`);

  proxy.kill("SIGKILL");
  await until(() => online() === 0, {
    withinMs: ALL_WITHIN_MS,
    what: "every client to be offline",
  });
  const cutAt = performance.now();
  proxy = start();
  const back = await returns(cutAt);
  const [p95, last] = [percentile(back, 0.95), Math.max(...back)];
  console.log(
    `F17: all connections lost; ${back.length} clients back, 95 % within ${Math.round(p95)} ms, the last after ${Math.round(last)} ms`,
  );
  const isPassed = back.length === count && p95 <= MOST_WITHIN_MS && last <= ALL_WITHIN_MS;
  console.log(isPassed ? "passed" : "FAILED");
  if (!isPassed) process.exitCode = 1;
} finally {
  for (const client of clients) client.close();
  proxy.kill("SIGTERM");
  await cluster.stop();
  rmSync(dataDir, { recursive: true, force: true });
}

/** The file of the compose cluster with the ports of this machine, without Docker's resolver. */
function configFor(gateways: readonly string[]): string {
  const text = readFileSync(CONFIG, "utf8")
    .replace(/^resolvers[^]*?(?=^frontend)/m, "")
    .replaceAll(/ resolvers docker init-addr none/g, "")
    .replace("bind :8080", `bind 127.0.0.1:${port}`);
  return gateways.reduce((result, host, n) => result.replace(`gateway-${n + 1}:8080`, host), text);
}

function start(): ChildProcess {
  return spawn(program ?? "", ["-f", config, "-db"], { stdio: ["ignore", "ignore", "inherit"] });
}

function online(): number {
  return clients.filter(({ state }) => state === "online").length;
}

/** Milliseconds from the loss until each client was online again. */
async function returns(cutAt: number): Promise<number[]> {
  const back: number[] = [];
  await until(
    () => {
      const now = performance.now();
      while (back.length < online()) back.push(now - cutAt);
      return back.length === count;
    },
    { withinMs: 2 * ALL_WITHIN_MS, what: "every client to be online again" },
  ).catch(() => undefined);
  return back;
}

function open(token: string, from: string): Parley {
  const webSocket = class extends WebSocket {
    constructor(url: string, protocols: string | string[]) {
      super(url, protocols, { localAddress: from });
    }
  } as unknown as typeof globalThis.WebSocket;
  const client = new Parley({ url: `ws://127.0.0.1:${port}/v1/ws`, token, webSocket });
  client.connect();
  return client;
}

async function isUp(): Promise<boolean> {
  return (await ask("GET", "/healthz", "127.0.0.1").catch(() => ({ status: 0 }))).status === 200;
}

async function tokenFor(user: string, from: string): Promise<string> {
  const { status, text } = await ask("POST", "/v1/dev/token", from, JSON.stringify({ user }));
  if (status !== 200) throw new Error(`no token for ${from}: ${status} ${text}`);
  return (JSON.parse(text) as { token: string }).token;
}

function ask(
  method: string,
  path: string,
  from: string,
  body = "",
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const headers = body === "" ? {} : { "content-type": "application/json" };
    const options = {
      host: "127.0.0.1",
      port,
      localAddress: from,
      method,
      path,
      headers,
      agent: false,
    };
    const sent = request(options, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => (text += chunk.toString("utf8")));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
