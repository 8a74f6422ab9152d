// Members generator: holds many idle sinks of one gateway. A process of its own; members-process.ts
// starts it.
//
//   members-generator.1. `connect` opens all sinks, and keeps IN_FLIGHT of them on their way. So
//        the servers set the pace. A connection that fails counts, and is tried again.
//   members-generator.2. A sink that the gateway closes comes back. `back` waits until all are
//        connected, and answers with the times from the first close to each return.
//   members-generator.3. Sinks answer no pings, so each sends a pong in every KEEP_ALIVE_MS. A late
//        timer sends what it missed: otherwise a process that is busy with returns sends so few
//        that the gateway closes sinks as idle.
//   members-generator.4. A client signs no token: each user has one from its first connection on.

import { until } from "#shared/testing/wait.ts";
import { mintDevToken, openDevSecret } from "#shared/adapters/dev-token.ts";
import { comeBack } from "./come-back.ts";
import { Histogram } from "./histogram.ts";
import { percentiles } from "./run.ts";
import { Sink } from "./sink.ts";

export interface MembersOptions {
  readonly port: number;
  readonly secretFile: string;
  /** The number of its first user among those of all processes. */
  readonly first: number;
  readonly count: number;
  /** User n is a member of room n modulo `rooms`. */
  readonly rooms: number;
}

export type MembersCommand = { readonly t: "connect" | "closes" | "back" };

export interface MembersAnswer {
  readonly failure?: string;
  /** How many connections failed before they were ready. */
  readonly failed: number;
  /** How many sinks the gateway closed. */
  readonly closes: number;
  /** From the start of a connection to the end of its catch-up, in ms. */
  readonly readyMs: { readonly p50: number; readonly p99: number };
  /** members-generator.2, ascending, in ms. */
  readonly backMs: readonly number[];
}

const IN_FLIGHT = 8;
/** A gateway closes a socket that is silent for 50 s. */
const KEEP_ALIVE_MS = 20_000;
const ALIVE_SHARES = 100;
const BACK_WITHIN_MS = 300_000;
const TOKEN_TTL_S = 4 * 3_600;

const options = JSON.parse(process.argv[2] ?? "") as MembersOptions;
const peer = { port: options.port, protocol: "parley.v1", path: () => "/v1/ws" };
const secret = await openDevSecret(options.secretFile);
const sinks = new Set<Sink>();
const readyMs = new Histogram();
const backMs: number[] = [];
/** members-generator.4. */
const tokens = new Map<number, string>();
let failed = 0;
let closes = 0;
let closedAt = 0;

async function tokenOf(n: number): Promise<string> {
  const known = tokens.get(n);
  if (known !== undefined) return known;
  const token = await mintDevToken(secret, { user: `many-${n}` }, TOKEN_TTL_S);
  tokens.set(n, token);
  return token;
}

async function open(n: number): Promise<Sink> {
  const room = `many-${n % options.rooms}`;
  const token = await tokenOf(n);
  const frames = [
    { t: "hello", token, client: "bench/1" },
    { t: "join", ref: 1, room, tail: 0 },
  ];
  const say = frames.map((frame) => JSON.stringify(frame)).join("\n");
  const steps = [{ say, until: `"t":"caught-up"` }];
  const sink = new Sink(peer, { room, steps, onClose: () => void onClose(n, sink) });
  return sink;
}

/** A sink that was never ready is closed by `comeBack` or ends `connect`. */
async function onClose(n: number, sink: Sink): Promise<void> {
  if (!sinks.delete(sink)) return;
  if (closes++ === 0) closedAt = performance.now();
  sinks.add(await comeBack(() => open(n)));
  backMs.push(performance.now() - closedAt);
}

async function connect(): Promise<void> {
  let next = options.first;
  const end = options.first + options.count;
  const worker = async (): Promise<void> => {
    while (next < end) {
      const began = performance.now();
      const n = next++;
      const first = await open(n);
      const again = async (): Promise<Sink> => {
        failed++;
        first.close();
        return comeBack(() => open(n));
      };
      sinks.add(await first.ready.then(() => first, again));
      readyMs.add(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
}

async function perform({ t }: MembersCommand): Promise<void> {
  if (t === "connect") await connect();
  if (t !== "back") return;
  const isBack = (): boolean => sinks.size >= options.count;
  await until(isBack, { withinMs: BACK_WITHIN_MS, what: "all members to be back" });
}

const SHARE_MS = KEEP_ALIVE_MS / ALIVE_SHARES;
const shareAt = (): number => Math.floor(performance.now() / SHARE_MS);
let lastShare = shareAt();
setInterval(() => {
  const first = lastShare + 1;
  lastShare = shareAt();
  const due = lastShare - first + 1;
  let n = ALIVE_SHARES - (first % ALIVE_SHARES);
  for (const sink of sinks) if (n++ % ALIVE_SHARES < due) sink.sayAlive();
}, SHARE_MS).unref();

// The bench ended, also when it was killed. Sinks that come back would run on.
process.on("disconnect", () => process.exit(0));
process.on("message", (command: MembersCommand) => {
  const answer = (failure?: string): void => {
    const figures = { failed, closes, readyMs: percentiles(readyMs) };
    const more = { backMs: backMs.toSorted(ascending), ...(failure !== undefined && { failure }) };
    process.send?.({ ...figures, ...more } satisfies MembersAnswer);
  };
  perform(command).then(
    () => answer(),
    (error: unknown) => answer(String(error)),
  );
});

function ascending(a: number, b: number): number {
  return a - b;
}
