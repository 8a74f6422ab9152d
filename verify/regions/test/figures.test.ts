import { expect } from "chai";
import type { MessageId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { LOST } from "../../checker/record.ts";
import type { HistoryRecord } from "../../checker/record.ts";
import { acksOf, figuresOf, missingOf, spreadOf, withoutLostAcks } from "../figures.ts";

const ROOM = "hall" as RoomId;
const ADA = "ada-outside" as UserId;
const INSIDE = "ida" as UserId;

function open(t: number, client: UserId, conn: number, via: string): HistoryRecord {
  return { t, client, conn, op: "open", phase: "ok", via };
}

/** A message, sent and acknowledged. */
function sent(
  id: string,
  {
    client = ADA,
    conn,
    at,
    ackAt,
    seq,
  }: {
    readonly client?: UserId;
    readonly conn: number;
    readonly at: number;
    readonly ackAt: number;
    readonly seq: number;
  },
): HistoryRecord[] {
  const of = { client, conn, op: "send", room: ROOM, id: id as MessageId } as const;
  return [
    { ...of, t: at, phase: "invoke" },
    { ...of, t: ackAt, phase: "ok", seq },
  ];
}

function line(seq: number, id: string): string {
  return JSON.stringify({ room: ROOM, seq, id });
}

const RECORDS: readonly HistoryRecord[] = [
  open(0, ADA, 1, "east"),
  open(0, INSIDE, 1, "east"),
  ...sent("a", { conn: 1, at: 10, ackAt: 15, seq: 1 }),
  ...sent("b", { conn: 1, at: 20, ackAt: 40, seq: 2 }),
  // Cut at 100.
  ...sent("c", { client: INSIDE, conn: 1, at: 98, ackAt: 110, seq: 3 }),
  open(300, ADA, 2, "west"),
  ...sent("d", { conn: 2, at: 90, ackAt: 320, seq: 4 }),
  ...sent("e", { conn: 2, at: 150, ackAt: 340, seq: 5 }),
  ...sent("f", { conn: 2, at: 360, ackAt: 370, seq: 6 }),
  // The region rejoined at 500.
  ...sent("g", { client: INSIDE, conn: 1, at: 130, ackAt: 600, seq: 7 }),
];
const ARCHIVE = ["a", "b", "c", "d", "e", "f", "g"].map((id, index) => line(index + 1, id));
const EVIDENCE = {
  records: RECORDS,
  archive: ARCHIVE,
  cutAt: 100,
  lost: "east",
  servesBoth: true,
  isOutside: (client: UserId) => client === ADA,
  isSdk: (client: UserId) => client === ADA,
  rejoinedAt: 500,
};

describe("Figures of the region drill", () => {
  it("regions/figures.1: the recovery time ends with the first message that was sent after the cut", () => {
    expect(figuresOf(EVIDENCE)).to.deep.include({ rtoMs: [240], sdkRtoMs: [240] });
    expect(figuresOf({ ...EVIDENCE, isSdk: () => false }).sdkRtoMs).to.deep.equal([]);
  });

  it("regions/figures.2: an acknowledged message is missing when its number has another message or none", () => {
    expect(figuresOf(EVIDENCE).rpo).to.equal(0);
    const archive = [line(1, "a"), line(2, "x"), ...ARCHIVE.slice(3)];
    expect(missingOf(acksOf(RECORDS), archive).map(({ id }) => id)).to.deep.equal(["b", "c"]);
  });

  it("regions/figures.3: an acknowledgement belongs to the region of its connection", () => {
    const { lastOldMs, firstNewMs } = figuresOf(EVIDENCE);
    expect(lastOldMs).to.equal(10);
    expect(firstNewMs).to.equal(220);
    const inside = sent("h", { client: "wes" as UserId, conn: 1, at: 101, ackAt: 105, seq: 8 });
    const records = [open(0, "wes" as UserId, 1, "west"), ...RECORDS, ...inside];
    expect(figuresOf({ ...EVIDENCE, records }).firstNewMs).to.equal(220);
    expect(figuresOf({ ...EVIDENCE, records, servesBoth: false }).firstNewMs).to.equal(5);
    expect(figuresOf({ ...EVIDENCE, lost: "north" }).lastOldMs).to.equal(undefined);
  });

  it("regions/figures.5: the acknowledgement of a lost message is an uncertain outcome", () => {
    const archive = ARCHIVE.filter((text) => !text.includes('"b"') && !text.includes('"e"'));
    const see = { client: ADA, conn: 1, op: "see", room: ROOM, seq: 2, id: "b" } as const;
    const records = [...RECORDS, { ...see, t: 41, id: see.id as MessageId }];
    const left = withoutLostAcks({ ...EVIDENCE, archive, records });
    expect(left).to.have.length(records.length);
    expect(
      left.filter(({ op }) => op === "see"),
      "the checker judges it",
    ).to.have.length(1);
    const lost = left.find((record) => record.op === "send" && record.phase === "info");
    expect(lost).to.deep.include({ t: 40, id: "b", err: LOST });
    expect(acksOf(left).map(({ id }) => id))
      .to.include("e")
      .and.not.include("b");
  });

  it("regions/figures.4: the latency counts the messages that were acknowledged before the cut", () => {
    expect(figuresOf(EVIDENCE).ackMs).to.deep.equal([5, 20]);
    expect(spreadOf([3, 1, 2])).to.deep.equal({ p50: 2, p99: 3, max: 3 });
  });
});
