// HTTP hooks bench: the cost of each HTTP hook and of the whole chain.
//
// Method: Fastify's `inject`, without socket and kernel. The bare route is the baseline, and each
// figure is the difference to it. Variants alternate in short rounds, and the median round counts,
// so that other load affects all variants equally.
// Not measured: parsing of HTTP, TLS, schema checks of bodies, the RoomApi. `inject` itself costs
// more than all hooks together; only differences are meaningful.
//
//   node loadtest/bench/http-hooks.ts [rounds]

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fastify from "fastify";
import type { FastifyInstance } from "fastify";
import { pino } from "pino";
import { systemClock } from "#shared/adapters/clock-system.ts";
import { Gcra } from "#shared/kit/gcra.ts";
import { openAuthenticator } from "#shared/adapters/auth.ts";
import type { OpenedAuthenticator } from "#shared/adapters/auth.ts";
import { ClientAddresses, NO_PROXIES } from "../../services/gateway/adapters/client-address.ts";
import { originHook } from "../../services/gateway/adapters/cors.ts";
import { mintDevToken, openDevSecret } from "#shared/adapters/dev-token.ts";
import {
  authHook,
  logHook,
  rateHook,
  traceHook,
} from "../../services/gateway/adapters/http-hooks.ts";
import type { Rates } from "../../services/gateway/adapters/http-hooks.ts";

const REQUESTS = 1_000;
const ORIGIN = "http://app.example";

const rounds = Number(process.argv[2] ?? 7);
const dir = await mkdtemp(join(tmpdir(), "parley-bench-"));
try {
  const devSecretFile = join(dir, "dev-secret");
  const auth = await openAuthenticator({ auth: "dev", devSecretFile });
  const token = await mintDevToken(await openDevSecret(devSecretFile), { user: "ada" }, 3_600);
  await run(variants(auth), token);
} finally {
  await rm(dir, { recursive: true });
}

function variants(auth: OpenedAuthenticator): Map<string, FastifyInstance> {
  const logger = pino({ level: "info" });
  const addresses = new ClientAddresses(NO_PROXIES);
  // A burst that is never exhausted: the path of a refusal would be another measurement.
  const rate = { perSecond: 1e9, burst: 1e9 };
  const limiter = (): Gcra => new Gcra(rate, 1_000);
  const rates: Rates = {
    user: limiter(),
    service: limiter(),
    address: limiter(),
    failedTokens: limiter(),
  };
  const hooks: readonly (readonly [string, (app: FastifyInstance) => unknown])[] = [
    ["request id and trace", (app) => app.addHook("onRequest", traceHook())],
    ["log (level info: no output)", (app) => app.addHook("onResponse", logHook(logger, addresses))],
    ["origin", (app) => app.addHook("onRequest", originHook([ORIGIN]))],
    [
      "auth (HS256)",
      (app) => app.addHook("onRequest", authHook(auth, systemClock, rates, addresses)),
    ],
    ["rate limit", (app) => app.addHook("onRequest", rateHook(rates, systemClock, addresses))],
  ];
  return new Map([
    ["bare route", route([])],
    ...hooks.map(([name, add]): [string, FastifyInstance] => [name, route([add])]),
    ["all together", route(hooks.map(([, add]) => add))],
  ]);
}

function route(hooks: readonly ((app: FastifyInstance) => unknown)[]): FastifyInstance {
  const app = fastify({ logger: false });
  app.decorateRequest("identity", undefined);
  app.decorateRequest("trace", undefined);
  for (const add of hooks) add(app);
  app.get("/v1/rooms/:room/messages", { config: { access: "bearer", limited: true } }, () => "ok");
  return app;
}

async function run(apps: Map<string, FastifyInstance>, token: string): Promise<void> {
  const headers = {
    authorization: `Bearer ${token}`,
    origin: ORIGIN,
    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  };
  const taken = new Map([...apps.keys()].map((name): [string, number[]] => [name, []]));
  for (let round = -2; round < rounds; round++) {
    for (const [name, app] of apps) {
      const microseconds = await measure(app, headers);
      if (round >= 0) taken.get(name)?.push(microseconds); // The first two rounds are warm-up.
    }
  }
  const bare = median(taken.get("bare route") ?? []);
  for (const [name, all] of taken) {
    const cost = name === "bare route" ? median(all) : median(all) - bare;
    console.log(`${name.padEnd(32)} ${cost.toFixed(1).padStart(7)} µs`);
  }
}

async function measure(app: FastifyInstance, headers: Record<string, string>): Promise<number> {
  const start = process.cpuUsage();
  for (let n = 0; n < REQUESTS; n++) {
    const { statusCode } = await app.inject({ url: "/v1/rooms/general/messages", headers });
    if (statusCode !== 200) throw new Error(`status ${statusCode}`);
  }
  const { user, system } = process.cpuUsage(start);
  return (user + system) / REQUESTS;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
