// BothRound: one loss of a region where both serve, from the first message of new clients to the
// judgement of what they recorded.
//
// Each home is judged on its own: only the rooms of the lost home may have another birth, and only
// they have a fault. Owns: the order of the steps. Does not own: how a home moves (both-serve.ts),
// the rules (verify/checker).

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseObject } from "#shared/kit/json.ts";
import { homesOf, partitionsOfHome } from "#shared/protocol/homes.ts";
import { partitionOf } from "#shared/protocol/ids.ts";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import { until } from "#shared/testing/wait.ts";
import { runNow } from "../chaos/run-clock.ts";
import { check } from "../checker/check.ts";
import type { HistoryRecord } from "../checker/record.ts";
import type { LoggedEntry } from "../checker/tenures.ts";
import type { Violation } from "../checker/violation.ts";
import { archivedThrough, dumpArchive, dumpLog, dumpPages } from "../dumps/dump.ts";
import { devToken, socketUrlOf } from "../wire-client/dev-token.ts";
import { bothFiguresOf, withoutLostAcks } from "./both-figures.ts";
import type { BothFigures } from "./both-figures.ts";
import type { BothServe } from "./both-serve.ts";
import { ClientGroup } from "./client-group.ts";
import { other } from "./postgres-pair.ts";
import { REGIONS } from "./region-network.ts";
import type { Cut, PlaceName, RegionName, RegionNetwork } from "./region-network.ts";
import { RTO_MAX_MS } from "./round.ts";

export interface BothRoundOptions {
  readonly n: number;
  readonly network: RegionNetwork;
  readonly both: BothServe;
  readonly lost: RegionName;
  /** Of load before the cut. */
  readonly seconds: number;
  readonly cut: Cut;
  readonly dir: string;
}

export interface BothRoundResult extends BothFigures {
  readonly violations: readonly Violation[];
  readonly surprises: readonly string[];
  /** From the cut until the other region served the lost home, in ms. */
  readonly promotedMs: number;
  /** From the healed cables until the lost region followed in both homes, in ms. */
  readonly rejoinedMs: number;
}

/** Of each home. */
const ROOMS = 3;
/** Each client sends five messages a second. */
const PERIOD_MS = 200;
const AFTER_ACKS = 100;
const ARCHIVED_WITHIN_MS = 120_000;

export async function runBothRound(options: BothRoundOptions): Promise<BothRoundResult> {
  const { network, both, lost, seconds, n, cut } = options;
  const dir = join(options.dir, `round-${n}`);
  mkdirSync(dir, { recursive: true });
  const next = other(lost);
  const rooms = roomsOf(n, both.partitions);
  const groups = await openGroups(options, rooms, dir);
  const { outside, inLost, inNext } = groups;
  const all = [outside, inNext, inLost];
  try {
    await sleep(seconds * 1_000);
    const takenOver = both.takenOver(lost);
    takenOver.catch(() => undefined); // Awaited below.
    const cutAt = runNow();
    await network.cut(lost, cut);
    await takenOver;
    const promotedAt = runNow();
    await outside.backVia(next, cutAt);
    await inNext.ackedMore(AFTER_ACKS);
    const healedAt = runNow();
    await network.heal();
    await both.rejoin(lost);
    const rejoinedMs = runNow() - healedAt;
    await both.handBack(lost);
    for (const group of all) await group.ackedMore(AFTER_ACKS);
    for (const group of all) await group.finish();
    const dumps = new Map<RegionName, HomeDump>();
    for (const home of REGIONS) dumps.set(home, await dumpHome(both, home, rooms[home]));
    const heads = new Map([...dumps.values()].flatMap((dump) => [...dump.heads]));
    for (const group of all) await group.hasRead(heads);
    const surprises = all.flatMap((group) => group.surprises);
    const ended = await Promise.all(all.map((group) => group.close()));
    const records = ended.flat().sort((one, two) => one.t - two.t);
    const evidence = {
      records,
      archive: [...dumps.values()].flatMap(({ archive }) => archive),
      cutAt,
      promotedAt,
      lost,
      homeOf: (room: RoomId) => (rooms.east.includes(room) ? "east" : "west"),
      placeOf: (client: UserId) => placeOf(client, lost),
    };
    const judged = both.mayLose ? withoutLostAcks(evidence) : records;
    const marks = marksOf({ lost, cutAt, healedAt, rooms: rooms[lost], mayLose: both.mayLose });
    const violations = REGIONS.flatMap((home) => {
      const { log = [], archive = [], pages = [] } = dumps.get(home) ?? {};
      const own = [...judged, ...(home === lost ? marks : [])].filter(
        (record) => !("room" in record) || rooms[home].includes(record.room),
      );
      own.push({ t: runNow(), op: "mark", what: "end" });
      own.sort((one, two) => one.t - two.t);
      return check({ records: own, log, archive, pages }).violations;
    });
    return {
      ...bothFiguresOf(evidence),
      violations: [...violations, ...[...dumps.values()].flatMap(({ differs }) => differs)],
      surprises,
      promotedMs: promotedAt - cutAt,
      rejoinedMs,
    };
  } finally {
    for (const group of all) group[Symbol.dispose]();
  }
}

type RoomsOfHomes = Readonly<Record<RegionName, readonly RoomId[]>>;

/** Names of new rooms in each home. */
function roomsOf(n: number, partitions: number): RoomsOfHomes {
  const homes = homesOf(REGIONS, partitions);
  const ofHome = (home: RegionName): RoomId[] => {
    const ps = partitionsOfHome(homes, home);
    const found: RoomId[] = [];
    for (let i = 0; found.length < ROOMS; i++) {
      const room = `round-${n}-${home}-${i}` as RoomId;
      if (ps.includes(partitionOf(room, partitions))) found.push(room);
    }
    return found;
  };
  return { east: ofHome("east"), west: ofHome("west") };
}

function placeOf(client: UserId, lost: RegionName): "outside" | "in lost" | "in next" {
  if (client.endsWith("-clients")) return "outside";
  return client.endsWith(`-${lost}`) ? "in lost" : "in next";
}

function marksOf(options: {
  readonly lost: RegionName;
  readonly cutAt: number;
  readonly healedAt: number;
  readonly rooms: readonly RoomId[];
  readonly mayLose: boolean;
}): HistoryRecord[] {
  const { lost, cutAt, healedAt, rooms, mayLose } = options;
  const loss: HistoryRecord[] = mayLose ? [{ t: cutAt, op: "mark", what: "loss" }] : [];
  const fault = { op: "fault", n: 1 } as const;
  const scope = { kind: "rooms", rooms } as const;
  const what = {
    fault: "region",
    target: lost,
    scope,
    backMs: RTO_MAX_MS,
    since: "start",
  } as const;
  return [
    ...loss,
    { ...fault, t: cutAt, phase: "invoke", ...what },
    { ...fault, t: healedAt, phase: "ok" },
  ];
}

interface Groups {
  /** Clients outside both regions, which use the gateway of the lost region first. */
  readonly outside: ClientGroup;
  /** Clients in each region, which reach only its gateway. All groups have rooms of both homes. */
  readonly inLost: ClientGroup;
  readonly inNext: ClientGroup;
}

async function openGroups(
  { network, both, lost }: BothRoundOptions,
  rooms: RoomsOfHomes,
  dir: string,
): Promise<Groups> {
  const open = async (at: PlaceName, regions: readonly RegionName[]): Promise<ClientGroup> => {
    const [first = lost] = regions;
    const clients = await Promise.all(
      [...rooms.east, ...rooms.west].map(async (room, index) => {
        const user = `${room}-${at}` as UserId;
        const isSdk = at === "clients" && index % 2 === 0;
        return { user, room, isSdk, token: await devToken(both.gateway(first), user) };
      }),
    );
    const endpoints = regions.map((name) => ({ name, url: socketUrlOf(both.gateway(name)) }));
    const file = join(dir, `${at}.jsonl`);
    const options = { clients, endpoints, periodMs: PERIOD_MS, file };
    const group = ClientGroup.start(network.place(at), options);
    await group.joined();
    return group;
  };
  const [outside, inLost, inNext] = await Promise.all([
    open("clients", [lost, other(lost)]),
    open(lost, [lost]),
    open(other(lost), [other(lost)]),
  ]);
  return { outside, inLost, inNext };
}

interface HomeDump {
  readonly log: readonly LoggedEntry[];
  readonly archive: readonly string[];
  readonly pages: readonly string[];
  readonly heads: ReadonlyMap<RoomId, number>;
  /** The archives of the two regions are not equal. */
  readonly differs: readonly Violation[];
}

/** Log and archive of a home in its region; history from the far gateway. */
async function dumpHome(
  both: BothServe,
  home: RegionName,
  rooms: readonly RoomId[],
): Promise<HomeDump> {
  const ps = partitionsOfHome(homesOf(REGIONS, both.partitions), home);
  const isOurs = (line: string): boolean => rooms.includes(parseObject(line)?.["room"] as RoomId);
  const log: LoggedEntry[] = [];
  const lasts = await dumpLog(both.nats(home), both.partitions, ({ p, seq, text }) => {
    const [head = "", ...lines] = text.split("\n");
    if (ps.includes(p)) log.push({ p, seq, text: [head, ...lines.filter(isOurs)].join("\n") });
  });
  const archives = new Map<RegionName, string[]>();
  const heads = new Map<RoomId, number>();
  for (const region of REGIONS) {
    const database = both.databaseUrl(region);
    await until(
      async () => {
        const watermarks = await archivedThrough(database);
        return ps.every((p) => (watermarks.get(p) ?? 0) >= (lasts[p] ?? 0));
      },
      { withinMs: ARCHIVED_WITHIN_MS, what: `the archive of ${region} to have home ${home}` },
    );
    const archive: string[] = [];
    const all = await dumpArchive(database, (line) => isOurs(line) && archive.push(line));
    archives.set(region, archive);
    if (region !== home) continue;
    for (const [room, head] of all) if (rooms.includes(room)) heads.set(room, head);
  }
  const pages: string[] = [];
  const gateway = both.gateway(other(home));
  const token = await devToken(gateway, "reader");
  await dumpPages(gateway, token, heads.keys(), (line) => pages.push(line));
  const archive = archives.get(home) ?? [];
  const copy = new Set(archives.get(other(home)));
  const isEqual = copy.size === archive.length && archive.every((line) => copy.has(line));
  const detail = `home ${home}: its archive has ${archive.length} lines, the other one ${copy.size}`;
  return { log, archive, pages, heads, differs: isEqual ? [] : [{ invariant: "I3", detail }] };
}
