import { expect } from "chai";
import type { MessageId, RoomId, UserId } from "#shared/protocol/ids.ts";
import type { HistoryRecord } from "../../checker/record.ts";
import { bothFiguresOf, withoutLostAcks } from "../both-figures.ts";
import { publishBoth } from "../both-results.ts";

const CUT = 10_000;
const PROMOTED = 17_000;

interface Sent {
  readonly client: string;
  readonly room: string;
  readonly via: string;
  readonly from: number;
  readonly to: number;
  readonly isStored?: boolean;
}

/** Each message has a connection of its own. */
function evidenceOf(sent: readonly Sent[]): Parameters<typeof bothFiguresOf>[0] {
  const records: HistoryRecord[] = [];
  const archive: string[] = [];
  for (const [conn, { client, room, via, from, to, isStored = true }] of sent.entries()) {
    const of = { client: client as UserId, conn, room: room as RoomId, id: `${conn}` as MessageId };
    const seq = conn + 1;
    records.push({ t: from, client: of.client, conn, op: "open", phase: "ok", via });
    records.push({ t: from, op: "send", phase: "invoke", ...of });
    records.push({ t: to, op: "send", phase: "ok", seq, ...of });
    if (isStored) archive.push(JSON.stringify({ room, seq, id: of.id }));
  }
  return {
    records: records.sort((one, two) => one.t - two.t),
    archive,
    cutAt: CUT,
    promotedAt: PROMOTED,
    lost: "west",
    homeOf: (room) => room.split("-")[0] ?? "",
    placeOf: (client) => client as "outside" | "in lost" | "in next",
  };
}

describe("Figures where both regions serve", () => {
  it("both-figures.1, both-figures.2: near and far, before the cut", () => {
    const { nearMs, farMs } = bothFiguresOf(
      evidenceOf([
        { client: "in next", room: "east-1", via: "east", from: 0, to: 30 },
        { client: "in next", room: "west-1", via: "east", from: 0, to: 50 },
        { client: "in lost", room: "east-1", via: "west", from: 5, to: 65 },
        { client: "in next", room: "west-1", via: "east", from: CUT - 1, to: CUT + 9_000 },
      ]),
    );
    expect(nearMs).to.deep.equal([30]);
    expect(farMs).to.deep.equal([50, 60]);
  });

  it("both-figures.3, both-figures.4, both-figures.5: waits of the other home, moved rooms and lost gateways", () => {
    const figures = bothFiguresOf(
      evidenceOf([
        { client: "in next", room: "east-1", via: "east", from: 100, to: 170 },
        { client: "in next", room: "east-1", via: "east", from: CUT - 10, to: CUT + 80 },
        { client: "outside", room: "east-1", via: "east", from: CUT + 1, to: CUT + 15_000 },
        { client: "in next", room: "west-1", via: "east", from: CUT + 5, to: CUT + 7_500 },
        { client: "in next", room: "west-1", via: "east", from: CUT + 6, to: CUT + 9_000 },
      ]),
    );
    expect(figures.otherBeforeMs).to.equal(70);
    expect(figures.otherAfterMs).to.equal(90);
    expect(figures.movedRtoMs).to.deep.equal([7_500]);
    expect(figures.gatewayRtoMs).to.deep.equal([15_000]);
  });

  it("counts lost acknowledgements by home, and the checker takes those of the lost home as uncertain", () => {
    const evidence = evidenceOf([
      {
        client: "in lost",
        room: "west-1",
        via: "west",
        from: CUT + 1,
        to: CUT + 9,
        isStored: false,
      },
      {
        client: "in next",
        room: "west-1",
        via: "east",
        from: CUT - 9,
        to: CUT - 1,
        isStored: false,
      },
      { client: "in next", room: "east-1", via: "east", from: CUT, to: CUT + 3, isStored: false },
      { client: "in next", room: "west-1", via: "east", from: PROMOTED, to: PROMOTED + 9 },
    ]);
    expect(bothFiguresOf(evidence)).to.deep.include({ rpo: 2, otherRpo: 1, acked: 4 });
    const ends = withoutLostAcks(evidence).flatMap((record) =>
      record.op === "send" && record.phase !== "invoke" ? [`${record.id} ${record.phase}`] : [],
    );
    expect(ends.sort()).to.deep.equal(["0 info", "1 info", "2 ok", "3 ok"]);
  });

  it("publishes a row", () => {
    const page = `a\n<!-- begin: make drill-region MODE=both -->\n<!-- end: make drill-region MODE=both -->\nb`;
    const round = {
      ...bothFiguresOf(evidenceOf([])),
      nearMs: [30],
      farMs: [52],
      movedRtoMs: [7_500],
      gatewayRtoMs: [15_600],
      violations: [],
      surprises: [],
      promotedMs: 6_700,
      rejoinedMs: 11_500,
    };
    const result = { mode: "both-asynchronous", rttMs: 20, cut: "both", rounds: [round] };
    expect(publishBoth(page, [result])).to.include(
      "| both-asynchronous | 20 ms | both | 1 | 30.0 ms / 30.0 ms | 52.0 ms / 52.0 ms | 0 of 0; a round at most 0 | 0 | " +
        "7.5 s / 7.5 s / 7.5 s | 15.6 s / 15.6 s / 15.6 s | 6.7 s / 6.7 s | 0 ms / 0 ms | 11.5 s / 11.5 s |",
    );
  });
});
