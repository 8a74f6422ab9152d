// BothFigures: what one round shows where both regions serve, from the records of its clients.
// Pure.
//
//   both-figures.1. Wait: from the first send of a message to its acknowledgement.
//   both-figures.2. Near: the client's gateway is in the region that serves the room. Far: it is in
//        the other one. Of messages that were acknowledged before the cut.
//   both-figures.3. The rooms of the other home notice what their longest wait after the cut has
//        above the longest one before it, at clients whose gateway was not lost. Rejoin and return
//        of the home count, too.
//   both-figures.4. RTO of a moved room: from the cut to the first acknowledgement of a message
//        that a client of the other region's gateway first sent after the cut. One value for each
//        client.
//   both-figures.5. RTO of a lost gateway: the same for a client outside both regions that used the
//        lost one, in any room.

import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import { LOST } from "../checker/record.ts";
import type { HistoryRecord } from "../checker/record.ts";
import { acksOf, missingOf } from "./figures.ts";
import type { Ack } from "./figures.ts";

export interface BothEvidence {
  readonly records: readonly HistoryRecord[];
  /** The lines of the archive of each home's region, together. */
  readonly archive: readonly string[];
  readonly cutAt: number;
  readonly promotedAt: number;
  /** The region, and its home. */
  readonly lost: string;
  readonly homeOf: (room: RoomId) => string;
  /** Where the client is. */
  readonly placeOf: (client: UserId) => "outside" | "in lost" | "in next";
}

export interface BothFigures {
  readonly nearMs: readonly number[];
  readonly farMs: readonly number[];
  /** both-figures.3: the longest wait before the cut, and after it. */
  readonly otherBeforeMs: number;
  readonly otherAfterMs: number;
  readonly movedRtoMs: readonly number[];
  readonly gatewayRtoMs: readonly number[];
  /** Lost acknowledged messages of the lost home, and of the other one. */
  readonly rpo: number;
  readonly otherRpo: number;
  readonly acked: number;
}

export function bothFiguresOf(evidence: BothEvidence): BothFigures {
  const { cutAt, lost, homeOf, placeOf } = evidence;
  const acks = acksOf(evidence.records);
  const isBefore = ({ t }: Ack): boolean => t < cutAt;
  const isNear = ({ room, via }: Ack): boolean => homeOf(room) === via;
  const ofOther = acks.filter((ack) => {
    return placeOf(ack.client) === "in next" && homeOf(ack.room) !== lost;
  });
  const missing = missingOf(acks, evidence.archive);
  const rpo = missing.filter(({ room }) => homeOf(room) === lost).length;
  return {
    nearMs: acks.filter((ack) => isBefore(ack) && isNear(ack)).map(waitOf), // both-figures.2
    farMs: acks.filter((ack) => isBefore(ack) && !isNear(ack)).map(waitOf),
    otherBeforeMs: longest(ofOther.filter(isBefore)),
    otherAfterMs: longest(ofOther.filter((ack) => !isBefore(ack))),
    movedRtoMs: firstAcks(
      acks.filter(({ client, room }) => placeOf(client) === "in next" && homeOf(room) === lost),
      cutAt,
    ),
    gatewayRtoMs: firstAcks(
      acks.filter(({ client, via }) => placeOf(client) === "outside" && via !== lost),
      cutAt,
    ),
    rpo,
    otherRpo: missing.length - rpo,
    acked: acks.length,
  };
}

/**
 * The checker takes the acknowledgement of a lost message as an uncertain outcome: it is of the
 * lost home, from before its promotion, and the archive does not have it.
 */
export function withoutLostAcks(evidence: BothEvidence): HistoryRecord[] {
  const { records, archive, lost, homeOf, promotedAt } = evidence;
  const isLost = new Set(
    missingOf(acksOf(records), archive)
      .filter(({ t, room }) => homeOf(room) === lost && t < promotedAt)
      .map(({ id }) => id),
  );
  return records.map((record): HistoryRecord => {
    if (record.op !== "send" || record.phase !== "ok" || !isLost.has(record.id)) return record;
    if (record.t >= promotedAt) return record;
    const { t, client, conn, op, room, id } = record;
    return { t, client, conn, op, room, id, phase: "info", err: LOST };
  });
}

function waitOf({ t, sentAt }: Ack): number {
  return t - sentAt;
}

function longest(acks: readonly Ack[]): number {
  return acks.reduce((max, ack) => Math.max(max, waitOf(ack)), 0);
}

/** Of each client: from the cut to the first acknowledgement of a message sent after it. */
function firstAcks(acks: readonly Ack[], cutAt: number): number[] {
  const firsts = new Map<UserId, number>();
  for (const { t, sentAt, client } of acks) {
    if (sentAt >= cutAt && !firsts.has(client)) firsts.set(client, t - cutAt);
  }
  return [...firsts.values()];
}
