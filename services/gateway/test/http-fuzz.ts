// HttpFuzz: structured requests, mostly well formed with one fault, against the whole HTTP side in
// process, and the checks of every answer.
//
// node services/gateway/test/http-fuzz.ts 1000000 [seed]
//
// It prints requests per second, answers by status, and the live heap at the start and the end.

import { performance } from "node:perf_hooks";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { InjectOptions, LightMyRequestResponse } from "fastify";
import { seededRandom } from "#shared/kit/random.ts";
import { ERRORS } from "#shared/protocol/errors.ts";
import { openHttpFixture, PROBLEM } from "./http-fixture.ts";
import type { HttpFixture } from "./http-fixture.ts";

type Chance = () => number;
const pick = <T>(chance: Chance, items: readonly T[]): T =>
  items[Math.floor(chance() * items.length)]!;

const METHODS = [
  ...Array.from({ length: 12 }, (_, n) => (n % 3 === 0 ? "GET" : "POST")),
  "HEAD",
  "OPTIONS",
  "PUT",
  "DELETE",
  "TRACE",
  "QUERY",
];
const ROOMS = [
  "general",
  "a",
  "a".repeat(64),
  "a".repeat(65),
  "a.b",
  ">",
  "%2e%2e",
  "%00",
  "%E0%A4%A",
  "ä",
  "..",
  "",
  "*",
  "%ff",
  "a%2Fb",
  "__proto__",
];
const PATHS = [
  "/healthz",
  "/readyz",
  "/openapi.json",
  "/docs",
  "/",
  "/v1/ws",
  "/v1/dev/token",
  "/nowhere",
  "//",
  "/%",
  "/v1/rooms",
  "/v1/rooms//messages",
  "/assets/x.js",
  "*",
  "/v1/rooms/general/messages/",
];
const NUMBERS = [
  "0",
  "1",
  "-1",
  "1.5",
  "1e2",
  "",
  " 1",
  "9007199254740991",
  "9007199254740993",
  "99999999999999999999",
  "0x1",
  "null",
  "[]",
  "%00",
  "NaN",
];
const TEXTS = [
  "hi",
  "",
  "\u0000",
  "\ud800",
  "é",
  "🎉",
  "<script>",
  "x".repeat(200),
  "\u2028",
  '"',
  "\\",
];
const LITERALS = [
  "1",
  "-0",
  "1e400",
  "9007199254740993",
  "1.0",
  "null",
  "true",
  '"x"',
  '"\\u0000"',
  '"\\ud800"',
  "[]",
  "{}",
  "01",
  "1.",
  "NaN",
  "'x'",
  "{",
  "]",
  "",
];
const KEYS = ["a", "b", "__proto__", "constructor", "toString", "", "a", "\u0000", "id", "body"];
const ORIGINS = ["http://app.example", "http://evil.example", "null", "", "http://app.example:80"];
const TYPES = [
  "application/json",
  "application/json; charset=utf-8",
  "text/plain",
  "",
  "application/json;",
  "APPLICATION/JSON",
  "multipart/form-data",
  "application/json, text/plain",
];
const IDS = [
  "0199d3c0-0000-7000-8000-000000000001",
  "8e03978e-40d5-43e6-bc93-6894a57f9324",
  "",
  "x",
  '"q"',
  '""',
  "k".repeat(255),
  "k".repeat(256),
  "f".repeat(600),
];

function value(chance: Chance, depth: number): string {
  const kind = chance();
  if (depth > 4 || kind < 0.4) return pick(chance, LITERALS);
  if (kind < 0.55) return JSON.stringify(pick(chance, TEXTS));
  const items = Array.from({ length: Math.floor(chance() * 4) }, () => value(chance, depth + 1));
  if (kind < 0.7) return `[${items.join(",")}]`;
  return `{${items.map((item) => `${JSON.stringify(pick(chance, KEYS))}:${item}`).join(",")}}`;
}

function body(chance: Chance): string {
  const kind = chance();
  if (kind < 0.1) return value(chance, 0);
  if (kind < 0.13) return "[".repeat(30_000);
  if (kind < 0.15) return `{"body":{"a":"${"x".repeat(Math.floor(chance() * 80_000))}"}}`;
  const fields: string[] = [];
  const add = (key: string, text: string, often: number): void => {
    if (chance() < often) fields.push(`"${key}":${text}`);
  };
  add(
    "body",
    chance() < 0.7 ? `{"text":${JSON.stringify(pick(chance, TEXTS))}}` : value(chance, 1),
    0.9,
  );
  add("id", JSON.stringify(pick(chance, IDS)), 0.3);
  add("replyTo", pick(chance, LITERALS), 0.2);
  add("user", JSON.stringify(pick(chance, TEXTS)), 0.2);
  add("body", value(chance, 1), 0.05);
  const text = `{${fields.join(",")}}`;
  return chance() < 0.05 ? text.slice(0, Math.floor(chance() * text.length)) : text;
}

/** One request; `token` is a valid one. */
export function oddRequest(chance: Chance, token: string): InjectOptions {
  const url =
    chance() < 0.6
      ? `/v1/rooms/${chance() < 0.6 ? "general" : pick(chance, ROOMS)}/messages`
      : pick(chance, PATHS);
  const query: string[] = [];
  for (const name of ["before", "after", "limit", "token", "limit", "__proto__", "limit[]"]) {
    if (chance() < 0.08) query.push(`${name}=${pick(chance, NUMBERS)}`);
  }
  const headers: Record<string, string | string[]> = {};
  const set = (name: string, often: number, text: () => string): void => {
    if (chance() < often) headers[name] = text();
  };
  set("authorization", 0.9, () =>
    chance() < 0.85
      ? `Bearer ${token}`
      : pick(chance, ["Bearer x", "", "Basic eA==", `Bearer ${token}x`, "bearer ", token]),
  );
  set("origin", 0.2, () => (chance() < 0.6 ? ORIGINS[0]! : pick(chance, ORIGINS)));
  set("idempotency-key", 0.2, () => pick(chance, IDS));
  set("traceparent", 0.1, () =>
    pick(chance, ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "x", "00-00-00-00"]),
  );
  set("expect", 0.02, () => pick(chance, ["100-continue", "200-ok"]));
  set("x-forwarded-for", 0.05, () => pick(chance, ["1.1.1.1", "x", ",,,", "::1"]));
  if (chance() < 0.02) for (let n = 0; n < 70; n++) headers[`x-${n}`] = "1";
  const method = pick(chance, METHODS) as "GET";
  const withBody = method === ("POST" as string) || chance() < 0.1;
  if (withBody)
    set("content-type", 0.97, () => (chance() < 0.9 ? "application/json" : pick(chance, TYPES)));
  return {
    method,
    url: query.length === 0 ? url : `${url}?${query.join("&")}`,
    headers,
    ...(withBody && { payload: body(chance) }),
  };
}

type Answer = LightMyRequestResponse;

/** The fault of an answer; undefined when it has none. */
export function faultOf(answer: Answer, { method }: InjectOptions): string | undefined {
  const { statusCode, headers, payload } = answer;
  if (statusCode >= 500) return `status ${statusCode}`;
  for (const name of ["x-request-id", "x-content-type-options", "content-security-policy"]) {
    if (headers[name] === undefined) return `no ${name}`;
  }
  if (statusCode < 400 || method === "HEAD") return undefined;
  if (/\bat .*\.(?:ts|js):\d|node_modules|script/.test(payload))
    return "it contains text of the request or of the server's insides";
  if (headers["content-type"] !== PROBLEM) return `content type ${headers["content-type"]}`;
  const problem = JSON.parse(payload) as { status?: unknown; name?: string };
  if (problem.status !== statusCode) return "another status in the body";
  if (!Object.hasOwn(ERRORS, problem.name ?? "")) return "a name that is not in the error table";
  if (statusCode === 405 && headers["allow"] === undefined) return "405 without Allow";
  return undefined;
}

export interface FuzzCount {
  readonly statuses: ReadonlyMap<number, number>;
  readonly stored: number;
}

/** Throws with the request that got a wrong answer. A stored body must equal the sent one. */
export async function fuzzHttp(
  fixture: HttpFixture,
  count: number,
  seed: number,
): Promise<FuzzCount> {
  const random = seededRandom(seed);
  const chance = (): number => random.next32() / 2 ** 32;
  const token = await fixture.token();
  const statuses = new Map<number, number>();
  let stored = 0;
  for (let n = 0; n < count; n++) {
    const request = oddRequest(chance, token);
    const sentBefore = fixture.roomApi.sends.length;
    const answer = await fixture.inject(request);
    const fault = faultOf(answer, request) ?? lostBody(fixture, sentBefore, request);
    if (fault !== undefined) {
      const text = JSON.stringify(request).slice(0, 500);
      throw new Error(
        `seed ${seed}, request ${n}: ${fault}\n${text}\n${answer.payload.slice(0, 300)}`,
      );
    }
    statuses.set(answer.statusCode, (statuses.get(answer.statusCode) ?? 0) + 1);
    stored += fixture.roomApi.sends.length - sentBefore;
    if (n % 1_000 === 999) fixture.roomApi.forget();
  }
  return { statuses, stored };
}

/** The body that reached the RoomApi must equal the text of the request without its outer parts. */
function lostBody(
  fixture: HttpFixture,
  from: number,
  { payload }: InjectOptions,
): string | undefined {
  const sent = fixture.roomApi.sends.at(from);
  if (sent === undefined) return undefined;
  const again = (JSON.parse(typeof payload === "string" ? payload : "{}") as { body: unknown })
    .body;
  return sent.frame.t !== "send" || JSON.stringify(again) === JSON.stringify(sent.frame.body)
    ? undefined
    : "the stored body differs from the sent one";
}

if (import.meta.main) {
  const print = (line: string): void => void process.stdout.write(`${line}\n`);
  const count = Number(process.argv[2] ?? 1_000_000);
  const seed = Number(process.argv[3] ?? 1);
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const liveMiB = (): number => {
    collect();
    return Math.round(process.memoryUsage().heapUsed / 1024 / 1024);
  };
  await using fixture = await openHttpFixture({ config: { limits: false }, logLevel: "silent" });
  await fuzzHttp(fixture, 5_000, seed);
  const before = liveMiB();
  const began = performance.now();
  const { statuses, stored } = await fuzzHttp(fixture, count, seed + 1);
  const seconds = (performance.now() - began) / 1_000;
  const after = liveMiB();
  const list = [...statuses].toSorted(([a], [b]) => a - b).map(([status, n]) => `${status}: ${n}`);
  print(
    `${count} requests in ${Math.round(seconds)} s (${Math.round(count / seconds)}/s); ${list.join(", ")}`,
  );
  print(`${stored} reached the roomApi; live heap ${before} MiB before, ${after} MiB after`);
}
