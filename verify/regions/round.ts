// Round: one loss of a region, from the first message of new clients to the judgement of what they
// recorded.
//
// The clients of a round use rooms of their own, so the checker can judge the round alone. Owns:
// the order of the steps. Does not own: how a region fails over (RegionPair), the rules
// (verify/checker).

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseObject } from "#shared/kit/json.ts";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import { until } from "#shared/testing/wait.ts";
import { runNow } from "../chaos/run-clock.ts";
import { check } from "../checker/check.ts";
import type { HistoryRecord } from "../checker/record.ts";
import type { LoggedEntry } from "../checker/tenures.ts";
import type { Violation } from "../checker/violation.ts";
import { archivedThrough, dumpArchive, dumpLog, dumpPages } from "../dumps/dump.ts";
import { devToken, socketUrlOf } from "../wire-client/dev-token.ts";
import { ClientGroup } from "./client-group.ts";
import type { ClientsOptions } from "./clients.ts";
import { figuresOf, withoutLostAcks } from "./figures.ts";
import type { RoundFigures } from "./figures.ts";
import { other } from "./postgres-pair.ts";
import type { Cut, PlaceName, RegionName, RegionNetwork } from "./region-network.ts";
import type { RegionPair } from "./region-pair.ts";

export interface RoundOptions {
  readonly n: number;
  readonly network: RegionNetwork;
  readonly pair: RegionPair;
  /** The region that serves the clients, and that the round cuts off. */
  readonly lost: RegionName;
  /** Of load before the cut. */
  readonly seconds: number;
  readonly cut: Cut;
  readonly dir: string;
}

export interface RoundResult extends RoundFigures {
  readonly violations: readonly Violation[];
  readonly surprises: readonly string[];
  /** What an operator read who promoted the other region before the cut, and right after it. */
  readonly refusals: readonly string[];
  /** From the cut until the other region was promoted, in ms. */
  readonly promotedMs: number;
  /** From the healed cables until the lost region followed again, in ms. */
  readonly rejoinedMs: number;
}

/** Goal of the recovery time, 99 % of the clients. */
export const RTO_MAX_MS = 30_000;
const ROOMS = 8;
const CLIENTS_PER_ROOM = 2;
/** Each client sends five messages a second: 80 messages a second in all. */
const PERIOD_MS = 200;
const AFTER_ACKS = 200;
const ARCHIVED_WITHIN_MS = 120_000;

export async function runRound(options: RoundOptions): Promise<RoundResult> {
  const { network, pair, lost, seconds, n, cut } = options;
  const dir = join(options.dir, `round-${n}`);
  mkdirSync(dir, { recursive: true });
  const next = other(lost);
  const groups = await openGroups(options, dir);
  const { outside, inLost, inNext } = groups;
  try {
    await sleep(seconds * 1_000);
    const { byHand } = pair;
    const refusals: string[] = [];
    if (byHand !== undefined) refusals.push(refused(await byHand.command(next)));
    const failedOver = pair.failOver(lost);
    failedOver.catch(() => undefined); // Awaited below.
    const cutAt = runNow();
    await network.cut(lost, cut);
    if (byHand !== undefined) {
      const refusal = await byHand.request(next);
      if (runNow() - cutAt < byHand.leaseMs) refusals.push(refused(refusal));
    }
    await failedOver;
    const promotedMs = runNow() - cutAt;
    await outside.backVia(next, cutAt);
    await outside.ackedMore(AFTER_ACKS);
    const healedAt = runNow();
    await network.heal();
    await pair.rejoin(lost);
    const rejoinedMs = runNow() - healedAt;
    // A region that does not serve acknowledges nothing, so its own client keeps its messages.
    const answered = pair.servesBoth ? [outside, inNext, inLost] : [outside, inNext];
    for (const group of answered) await group.finish();
    const { log, archive, pages, heads } = await dumpRooms(pair, next, n);
    for (const group of answered) await group.hasRead(heads);
    const all = [outside, inNext, inLost];
    const surprises = all.flatMap((group) => group.surprises);
    const ended = await Promise.all(all.map((group) => group.close()));
    const records = [
      ...ended.flat(),
      ...marksOf({ n, lost, cutAt, healedAt, mayLose: pair.mayLose }),
    ].sort((one, two) => one.t - two.t);
    const isOutside = (client: UserId): boolean => client.includes("-outside-");
    const isSdk = (client: UserId): boolean => client.endsWith("-sdk");
    const { servesBoth } = pair;
    const rejoinedAt = healedAt;
    const evidence = { records, archive, cutAt, lost, servesBoth, isOutside, isSdk, rejoinedAt };
    const judged = pair.mayLose ? withoutLostAcks(evidence) : records;
    const { violations } = check({ records: judged, log, archive, pages });
    const figures = figuresOf(evidence);
    return {
      ...figures,
      violations: [...violations, ...overlapOf(pair, figures)],
      surprises,
      refusals,
      promotedMs,
      rejoinedMs,
    };
  } finally {
    for (const group of [outside, inNext, inLost]) group[Symbol.dispose]();
  }
}

function refused(refusal: string | undefined): string {
  if (refusal !== undefined) return refusal;
  throw new Error("a region was promoted while the other one may still serve");
}

/** Only one region acknowledges at a time, where regions have a term. */
function overlapOf(pair: RegionPair, { lastOldMs, firstNewMs }: RoundFigures): Violation[] {
  if (pair.servesBoth || lastOldMs === undefined || firstNewMs === undefined) return [];
  if (lastOldMs < firstNewMs) return [];
  const detail = `the lost region acknowledged until ${lastOldMs} ms after the cut, the other one from ${firstNewMs} ms on`;
  return [{ invariant: "I10", detail }];
}

/** The records of the drill itself. */
function marksOf(options: {
  readonly n: number;
  readonly lost: RegionName;
  readonly cutAt: number;
  readonly healedAt: number;
  readonly mayLose: boolean;
}): HistoryRecord[] {
  const { n, lost, cutAt, healedAt, mayLose } = options;
  const loss: HistoryRecord[] = mayLose ? [{ t: cutAt, op: "mark", what: "loss" }] : [];
  const fault = { op: "fault", n: 1 } as const;
  return [
    ...loss,
    {
      ...fault,
      t: cutAt,
      phase: "invoke",
      fault: "region",
      target: lost,
      scope: { kind: "rooms", rooms: roomsOf(n) },
      backMs: RTO_MAX_MS,
      since: "start",
    },
    { ...fault, t: healedAt, phase: "ok" },
    { t: runNow(), op: "mark", what: "end" },
  ];
}

function roomsOf(n: number): RoomId[] {
  return Array.from({ length: ROOMS }, (_, i) => `round-${n}-${i}` as RoomId);
}

function isOfRound(room: unknown, n: number): boolean {
  return typeof room === "string" && room.startsWith(`round-${n}-`);
}

interface Groups {
  /** Clients outside both regions. */
  readonly outside: ClientGroup;
  /** One client in the lost region, and one in the other, which can reach only their region. */
  readonly inLost: ClientGroup;
  readonly inNext: ClientGroup;
}

async function openGroups({ network, pair, lost, n }: RoundOptions, dir: string): Promise<Groups> {
  const open = async (
    at: PlaceName,
    regions: readonly RegionName[],
    clients: readonly Pick<ClientsOptions["clients"][number], "user" | "room" | "isSdk">[],
  ): Promise<ClientGroup> => {
    const withTokens = await Promise.all(
      clients.map(async (client) => {
        return { ...client, token: await devToken(pair.gateway(lost), client.user) };
      }),
    );
    const endpoints = regions.map((name) => ({ name, url: socketUrlOf(pair.gateway(name)) }));
    const file = join(dir, `${at}.jsonl`);
    const options = { clients: withTokens, endpoints, periodMs: PERIOD_MS, file };
    const group = ClientGroup.start(network.place(at), options);
    if (regions.includes(lost) || pair.servesBoth) await group.joined();
    return group;
  };
  const inside = (region: RegionName): Promise<ClientGroup> => {
    const room = `round-${n}-in-${region}` as RoomId;
    return open(region, [region], [{ user: `${room}-client` as UserId, room, isSdk: false }]);
  };
  const members = roomsOf(n).flatMap((room) =>
    Array.from({ length: CLIENTS_PER_ROOM }, (_, i) => {
      const isSdk = i === 0;
      return { user: `${room}-outside-${isSdk ? "sdk" : i}` as UserId, room, isSdk };
    }),
  );
  const [outside, inLost, inNext] = await Promise.all([
    open("clients", [lost, other(lost)], members),
    inside(lost),
    inside(other(lost)),
  ]);
  return { outside, inLost, inNext };
}

interface RoundDump {
  readonly log: readonly LoggedEntry[];
  readonly archive: readonly string[];
  readonly pages: readonly string[];
  readonly heads: ReadonlyMap<RoomId, number>;
}

/** Log, archive and history of a region, without the lines of other rounds. */
async function dumpRooms(pair: RegionPair, region: RegionName, n: number): Promise<RoundDump> {
  const [log, archive, pages]: [LoggedEntry[], string[], string[]] = [[], [], []];
  const isOurs = (line: string): boolean => isOfRound(parseObject(line)?.["room"], n);
  const lasts = await dumpLog(pair.nats(region), pair.partitions, ({ p, seq, text }) => {
    const [head = "", ...lines] = text.split("\n");
    log.push({ p, seq, text: [head, ...lines.filter(isOurs)].join("\n") });
  });
  const database = pair.databaseUrl(region);
  await until(
    async () => {
      const watermarks = await archivedThrough(database);
      return lasts.every((last, p) => last === 0 || (watermarks.get(p) ?? 0) >= last);
    },
    { withinMs: ARCHIVED_WITHIN_MS, what: `the archive of ${region} to have the whole log` },
  );
  const all = await dumpArchive(database, (line) => isOurs(line) && archive.push(line));
  const heads = new Map([...all].filter(([room]) => isOfRound(room, n)));
  const gateway = pair.gateway(region);
  await dumpPages(gateway, await devToken(gateway, "reader"), heads.keys(), (line) =>
    pages.push(line),
  );
  return { log, archive, pages, heads };
}
