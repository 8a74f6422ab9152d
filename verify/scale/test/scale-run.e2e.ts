// The simulation beside the model: a small cluster for ten virtual minutes, every kind of message
// within 10 %. `make sim-scale` does the same with 100 gateways and 50 room nodes.

import { expect } from "chai";
import { describeRow, isWithin, rowsOf } from "../compare.ts";
import { fixedMs, runScale } from "../scale-run.ts";
import type { ScaleResult, Size } from "../scale-run.ts";

const MINUTE_MS = 60_000;
const IDLE_MS = 100_000;
const ROOM_NODES = 4;
const SIZE: Size = {
  seed: 1,
  gateways: 6,
  roomNodes: ROOM_NODES,
  persistence: 2,
  partitions: 32,
  rooms: 100,
  members: 6,
  roomsPerUser: 2,
  messagesPerSecond: 5,
  idleMs: IDLE_MS,
  loadMs: 10 * MINUTE_MS - IDLE_MS - fixedMs({ roomNodes: ROOM_NODES }),
};
const BRIEF = { ...SIZE, idleMs: 2_000, loadMs: 10_000 };

describe("Simulation at scale", () => {
  let result: ScaleResult;

  before("ten virtual minutes", async () => {
    result = await runScale(SIZE);
  });

  it("scale-users.1: every member receives every message once and in order", () => {
    expect(result.findings).to.deep.equal([]);
    expect(result.users).to.equal(300);
    expect(result.virtualMs).to.equal(10 * MINUTE_MS);
  });

  it("scale-users.2: messages come at the mean rate of the size", () => {
    expect(result.messagesPerSecond).to.be.within(4.5, 5.5);
  });

  it("scale/model.1: every kind of message is within 10 % of the model", () => {
    const rows = rowsOf(result);
    expect(rows.filter((row) => !isWithin(row)).map(describeRow)).to.deep.equal([]);
    const phases = new Set(rows.map(({ phase }) => phase));
    expect(phases.size).to.equal(4);
    expect(rows.length).to.be.above(40);
  });

  it("scale/model.2: no ping, report or presence frame passes the bus while nothing fails", () => {
    for (const kind of ["ping", "suspect", "presence"] as const) {
      expect(result.idle[kind].in, kind).to.equal(0);
      expect(result.loaded[kind].in, kind).to.equal(0);
    }
  });

  it("scale-run.2 and lighter-nodes.1: a run is the same again, also without the short cuts", async () => {
    const first = await runScale(BRIEF);
    const plain = await runScale(BRIEF, { isLight: false });
    expect(first.sent).to.be.above(20);
    expect(plain.fingerprint).to.equal(first.fingerprint);
    const other = await runScale({ ...BRIEF, seed: 2 });
    expect(other.fingerprint).not.to.equal(first.fingerprint);
  });
});
