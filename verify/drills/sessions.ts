// `make drill-sessions`: kills a gateway that holds many sessions, and measures when each of them
// has its end in the bucket of sessions (SL3).
//
//   node verify/drills/sessions.ts [sessions]
//
// Judged: every session starts once, and ends once with `gateway-lost` within 12 s of the kill -9.
// The time of an end is that of its entry by NATS, which runs on the same machine. Not measured:
// webhooks that report the ends (verify/e2e/examples.e2e.ts).

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WebSocket } from "ws";
import { openNatsBus } from "#shared/adapters/bus-nats.ts";
import { readAll } from "#shared/adapters/nats-direct-reads.ts";
import { createLogger } from "#shared/process/logger.ts";
import { decodeSessionEvent } from "#shared/protocol/session-records.ts";
import { until } from "#shared/testing/wait.ts";
import { startCluster } from "#infra/embedded/cluster.ts";
import { devToken, socketUrlOf } from "../wire-client/dev-token.ts";
import { percentile } from "./acks.ts";

const SESSIONS_PER_USER = 20;
/** Sockets that are opened at once. */
const AT_ONCE = 50;
/** SL3. */
const ENDED_WITHIN_MS = 12_000;
const WAIT = { withinMs: 120_000, everyMs: 500 };

const count = Number(process.argv[2] ?? 10_000);
const dataDir = mkdtempSync(join(tmpdir(), "parley-drill-sessions-"));
const say = (line: string): void => console.error(`  ${line}`);
const cluster = await startCluster({
  dataDir,
  port: 0,
  gateways: 2,
  persistence: 2,
  partitions: 4,
  limits: "off",
  say,
});
const logger = createLogger({ name: "drill", level: "silent" });
const access = { ...cluster.natsAccess, name: "drill", inboxPrefix: "_INBOX_drill", logger };
const bus = await openNatsBus(access);
const sockets: WebSocket[] = [];
try {
  const url = cluster.info().gateways[0]?.url ?? "";
  const beganAt = performance.now();
  await Promise.all(Array.from({ length: AT_ONCE }, (_, n) => openEach(url, n)));
  const seconds = (performance.now() - beganAt) / 1_000;
  await until(async () => (await events()).started.length === count, { ...WAIT, what: "starts" });
  console.log(`${count} sessions at one gateway, opened in ${seconds.toFixed(1)} s`);

  const killedAt = Date.now();
  await cluster.kill("gateway-1");
  await until(async () => (await events()).ended.length >= count, {
    ...WAIT,
    what: "the end of every session",
  }).catch(() => undefined);
  const { started, ended } = await events();
  const took = ended.map(({ at }) => at - killedAt).sort((a, b) => a - b);
  const once = new Set(ended.map(({ session }) => session)).size;
  const others = ended.filter(({ reason }) => reason !== "gateway-lost").length;
  const [p50, last] = [percentile(took, 0.5), took.at(-1) ?? NaN];
  console.log(
    `killed: ${once} of ${started.length} sessions ended, ${ended.length - once} of them twice, ${others} with another reason; p50 ${p50} ms, the last after ${last} ms (allowed ${ENDED_WITHIN_MS})`,
  );
  const isComplete = started.length === count && once === count && ended.length === count;
  const isPassed = isComplete && others === 0 && last <= ENDED_WITHIN_MS;
  console.log(isPassed ? "passed" : "FAILED");
  if (!isPassed) process.exitCode = 1;
} finally {
  for (const socket of sockets) socket.terminate();
  await bus.close();
  await cluster.stop();
  rmSync(dataDir, { recursive: true, force: true });
}

/** Opens every `AT_ONCE`-th session, from the `n`-th on. */
async function openEach(url: string, n: number): Promise<void> {
  let token = "";
  for (let i = n, own = 0; i < count; i += AT_ONCE, own++) {
    if (own % SESSIONS_PER_USER === 0) token = await devToken(url, `user-${n}-${own}`);
    const socket = new WebSocket(socketUrlOf(url), "parley.v1");
    sockets.push(socket);
    await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
    const welcome = new Promise((resolve) => socket.once("message", resolve));
    socket.on("error", () => undefined);
    socket.send(JSON.stringify({ t: "hello", token }));
    await welcome;
  }
}

interface Events {
  readonly started: readonly string[];
  readonly ended: readonly {
    readonly session: string;
    readonly reason: string;
    /** In ms since 1970. */
    readonly at: number;
  }[];
}

/** What the bucket has. A read that was not complete has no events. */
async function events(): Promise<Events> {
  const messages = (await readAll(bus, "KV_sessions", "$KV.sessions.>")) ?? [];
  const started: string[] = [];
  const ended: Events["ended"][number][] = [];
  for (const message of messages) {
    const key = message.headers?.get("Nats-Subject").slice("$KV.sessions.".length) ?? "";
    const event = decodeSessionEvent(key, message.string());
    if (event?.t === "started") started.push(event.session);
    if (event?.t !== "ended") continue;
    const at = Date.parse(message.headers?.get("Nats-Time-Stamp") ?? "");
    ended.push({ session: event.session, reason: event.reason, at });
  }
  return { started, ended };
}
