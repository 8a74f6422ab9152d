// Bus reconnect: what an owner publishes after its own connection to the bus was lost and is back.

import { expect } from "chai";
import type { RoomId } from "#shared/protocol/ids.ts";
import { QUIET_MS } from "../core/tenure.ts";
import { UNDELIVERED_MS } from "../core/room-table.ts";
import {
  PartitionFixture,
  commitEntry,
  DEV,
  GENERAL,
  linesOf,
  only,
  send,
} from "./partition-fixture.ts";

describe("Tenure: after a reconnect to the bus", () => {
  const headsOf = (fixture: PartitionFixture, awayMs: number): [RoomId, number][] =>
    only(fixture.step({ kind: "reconnected", awayMs }), "repeat-head").map((effect) => [
      effect.room,
      effect.head,
    ]);

  it("O10: repeats the heads of rooms that were used shortly before the disconnect", () => {
    const fixture = new PartitionFixture().withRooms([GENERAL, DEV]);
    fixture.batch([send()]);
    fixture.flush();
    fixture.appended(1, { kind: "ok", seq: 2 });
    fixture.tick(QUIET_MS);
    expect(headsOf(fixture, 0)).to.deep.equal([[GENERAL, 1]]); // DEV has no events.
    fixture.tick(60_000);
    expect(headsOf(fixture, 60_000)).to.deep.equal([[GENERAL, 1]]);
    expect(headsOf(fixture, 60_000 + QUIET_MS - UNDELIVERED_MS)).to.deep.equal([[GENERAL, 1]]);
    // The room was quiet for long enough before.
    expect(headsOf(fixture, 60_000 - UNDELIVERED_MS)).to.deep.equal([]);
  });

  it("O10: repeats the heads of replayed rooms that have had no command since", () => {
    const fixture = new PartitionFixture();
    fixture.serve({ claim: 2, epoch: 0, entries: { 1: commitEntry(0, [linesOf(GENERAL, 1, 3)]) } });
    fixture.tick(600_000);
    expect(headsOf(fixture, 0)).to.deep.equal([[GENERAL, 3]]);
  });
});
