// What an owner says when its own connection to the bus was lost and is back.

import { expect } from "chai";
import type { RoomId } from "#shared/protocol/ids.ts";
import { QUIET_MS } from "../core/tenure.ts";
import { UNHEARD_MS } from "../core/room-table.ts";
import { Bench, commitEntry, DEV, GENERAL, linesOf, only, send } from "./partition-fixture.ts";

describe("Tenure: back on the bus", () => {
  const headsOf = (bench: Bench, awayMs: number): [RoomId, number][] =>
    only(bench.step({ kind: "reconnected", awayMs }), "repeat-head").map((effect) => [
      effect.room,
      effect.head,
    ]);

  it("O10: the heads of rooms that were active before the connection broke are repeated", () => {
    const bench = new Bench().withRooms([GENERAL, DEV]);
    bench.batch([send()]);
    bench.flush();
    bench.appended(1, { kind: "ok", seq: 2 });
    bench.tick(QUIET_MS);
    expect(headsOf(bench, 0)).to.deep.equal([[GENERAL, 1]]); // DEV holds nothing to miss.
    bench.tick(60_000);
    expect(headsOf(bench, 60_000)).to.deep.equal([[GENERAL, 1]]);
    expect(headsOf(bench, 60_000 + QUIET_MS - UNHEARD_MS)).to.deep.equal([[GENERAL, 1]]);
    expect(headsOf(bench, 60_000 - UNHEARD_MS)).to.deep.equal([]); // Told long before.
  });

  it("O10: so are those of replayed rooms that nobody asked for since", () => {
    const bench = new Bench();
    bench.serve({ claim: 2, epoch: 0, entries: { 1: commitEntry(0, [linesOf(GENERAL, 1, 3)]) } });
    bench.tick(600_000);
    expect(headsOf(bench, 0)).to.deep.equal([[GENERAL, 3]]);
  });
});
