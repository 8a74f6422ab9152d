// Figures: what one round of the region drill shows, from the records of its clients. Pure.
//
//   regions/figures.1. RTO: from the cut to the first acknowledgement, in the other region, of a
//        message that the client first sent after the cut. One value for each client.
//   regions/figures.2. RPO: the acknowledged messages that the archive of the other region does not
//        have at their sequence number.
//   regions/figures.3. An acknowledgement belongs to the region of the connection on which it
//        arrived.
//   regions/figures.4. Latency: from the first send to the acknowledgement, of messages that were
//        acknowledged before the cut.
//   regions/figures.5. In a round that may lose messages, the checker takes the acknowledgement of
//        a lost message as an uncertain outcome: the lost region gave it, and the archive does not
//        have the message. The checker itself judges what clients received (births.4).

import { parseObject } from "#shared/kit/json.ts";
import type { MessageId, RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import { percentile } from "../checker/faults.ts";
import { LOST } from "../checker/record.ts";
import type { HistoryRecord } from "../checker/record.ts";

export interface Ack {
  readonly t: number;
  readonly sentAt: number;
  readonly client: UserId;
  readonly room: RoomId;
  readonly id: MessageId;
  readonly seq: Seq;
  /** The region. */
  readonly via: string;
}

export interface Spread {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface RoundFigures {
  /** In ms, one value for each client outside the regions. */
  readonly rtoMs: readonly number[];
  /** The part of them that belongs to clients with the SDK. */
  readonly sdkRtoMs: readonly number[];
  /** Messages. */
  readonly rpo: number;
  readonly acked: number;
  readonly ackMs: readonly number[];
  /** From the cut to the last acknowledgement that a client got from the lost region, in ms. */
  readonly lastOldMs: number | undefined;
  /**
   * From the cut to the first one from the other region. Where both regions serve, only clients
   * outside count: those of the other region notice nothing.
   */
  readonly firstNewMs: number | undefined;
}

/** The acknowledgements in their order. */
export function acksOf(records: Iterable<HistoryRecord>): Ack[] {
  const vias = new Map<string, string>();
  const sentAt = new Map<MessageId, number>();
  const acks: Ack[] = [];
  for (const record of records) {
    if (record.op === "open") vias.set(`${record.client} ${record.conn}`, record.via);
    if (record.op !== "send") continue;
    const { t, client, conn, room, id } = record;
    if (record.phase === "invoke" && !sentAt.has(id)) sentAt.set(id, t);
    if (record.phase !== "ok") continue;
    const via = vias.get(`${client} ${conn}`) ?? ""; // regions/figures.3
    acks.push({ t, sentAt: sentAt.get(id) ?? t, client, room, id, seq: record.seq, via });
  }
  return acks;
}

export interface RoundEvidence {
  readonly records: readonly HistoryRecord[];
  /** The lines of the archive that serves after the round. */
  readonly archive: readonly string[];
  readonly cutAt: number;
  readonly lost: string;
  readonly servesBoth: boolean;
  /** Clients outside both regions: they can reach either one. */
  readonly isOutside: (client: UserId) => boolean;
  readonly isSdk: (client: UserId) => boolean;
  /** From here on the lost region may acknowledge again. */
  readonly rejoinedAt: number;
}

export function figuresOf(evidence: RoundEvidence): RoundFigures {
  const { cutAt, lost, isOutside, isSdk, servesBoth, rejoinedAt } = evidence;
  const acks = acksOf(evidence.records);
  const back = new Map<UserId, number>();
  for (const { t, sentAt, client, via } of acks) {
    if (sentAt < cutAt || via === lost || !isOutside(client) || back.has(client)) continue;
    back.set(client, t - cutAt); // regions/figures.1
  }
  const from = (isOf: (ack: Ack) => boolean): number[] =>
    acks.filter(isOf).map(({ t }) => t - cutAt);
  const old = from(({ via, t }) => via === lost && t < rejoinedAt);
  const fresh = from(
    ({ via, t, client }) => via !== lost && t > cutAt && (!servesBoth || isOutside(client)),
  );
  return {
    rtoMs: [...back.values()],
    sdkRtoMs: [...back].flatMap(([client, ms]) => (isSdk(client) ? [ms] : [])),
    rpo: missingOf(acks, evidence.archive).length,
    acked: acks.length,
    // regions/figures.4
    ackMs: acks.filter(({ t }) => t < cutAt).map(({ t, sentAt }) => t - sentAt),
    lastOldMs: old.length === 0 ? undefined : Math.max(...old),
    firstNewMs: fresh.length === 0 ? undefined : Math.min(...fresh),
  };
}

/** regions/figures.5. */
export function withoutLostAcks({ records, archive, lost }: RoundEvidence): HistoryRecord[] {
  const stored = storedOf(archive);
  const vias = new Map<string, string>();
  return records.map((record): HistoryRecord => {
    if (record.op === "open") vias.set(`${record.client} ${record.conn}`, record.via);
    if (record.op !== "send" || record.phase !== "ok") return record;
    if (vias.get(`${record.client} ${record.conn}`) !== lost) return record;
    if (stored.get(`${record.room} ${record.seq}`) === record.id) return record;
    const { t, client, conn, op, room, id } = record;
    return { t, client, conn, op, room, id, phase: "info", err: LOST };
  });
}

/** regions/figures.2. */
export function missingOf(acks: readonly Ack[], archive: readonly string[]): Ack[] {
  const stored = storedOf(archive);
  return acks.filter(({ room, seq, id }) => stored.get(`${room} ${seq}`) !== id);
}

/** By room and sequence number: the message. */
function storedOf(archive: readonly string[]): ReadonlyMap<string, unknown> {
  return new Map(
    archive.map((line) => {
      const { room, seq, id } = parseObject(line) ?? {};
      return [`${String(room)} ${String(seq)}`, id];
    }),
  );
}

export function spreadOf(values: readonly number[]): Spread {
  const ascending = values.toSorted((a, b) => a - b);
  const [p50, p99] = [percentile(ascending, 0.5), percentile(ascending, 0.99)];
  return { p50, p99, max: ascending.at(-1) ?? 0 };
}
