// Hostile batches: how a room node reacts to messages on `cmd.<p>` that no correct gateway sends.

import { expect } from "chai";
import type { ProcessId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { partitionOf } from "#shared/protocol/ids.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import { idAt, send, T0 } from "./partition-fixture.ts";
import { PARTITIONS, TestLane, RoomCluster } from "./room-cluster.ts";

const ALPHA = "alpha" as RoomId;
const P = partitionOf(ALPHA, PARTITIONS);
const VICTIM = `gw-p${P}` as ProcessId;

const deep = (levels: number): unknown => {
  let body: unknown = {};
  for (let i = 0; i < levels; i++) body = { body };
  return body;
};

const good = send({ room: ALPHA, id: idAt(T0, 7_000) });
const range = { c: 1, op: "range", room: ALPHA, first: 1, last: 9 };

/** Each comes after a valid send, which must be refused too. */
const BROKEN_COMMANDS: readonly unknown[] = [
  null,
  [],
  "send",
  {},
  { ...good, op: undefined },
  { ...good, op: 7 },
  { ...good, c: undefined },
  { ...good, c: -1 },
  { ...good, c: 1.5 },
  { ...good, c: 2 ** 60 },
  { ...good, room: "a.b" },
  { ...good, room: "a".repeat(65) },
  { ...good, room: { toString: "alpha" } },
  { ...good, from: "" },
  { ...good, from: "\u0000" },
  { ...good, from: "a".repeat(129) },
  { ...good, id: "7" },
  { ...good, id: 7 },
  { ...good, body: null },
  { ...good, body: [] },
  { ...good, body: "text" },
  { ...good, body: deep(20_000) },
  { ...good, body: { text: "\ud800" } },
  { ...good, body: { text: "a".repeat(17_000) } },
  { ...good, replyTo: "1" },
  { ...good, replyTo: -1 },
  { ...good, late: 1 },
  { ...good, trace: {} },
  { ...range, first: 0 },
  { ...range, first: "1" },
  { ...range, last: null },
  { c: 1, op: "join", room: ALPHA },
  { c: 1, op: "leave", room: ALPHA, user: {} },
  { c: 1, op: "head", room: null },
  { c: 1, op: "sync" },
  { c: 1, op: "sync", rooms: {} },
  { c: 1, op: "sync", rooms: [null] },
  { c: 1, op: "sync", rooms: [[ALPHA, 0]] },
  { c: 1, op: "sync", rooms: [[ALPHA, 0, [null]]] },
  { c: 1, op: "sync", rooms: [[ALPHA, -1, []]] },
  { c: 1, op: "sync", rooms: Array.from({ length: 2_000 }, (_, i) => [`r${i}`, 0, []]) },
];

async function openCluster() {
  const cluster = new RoomCluster();
  cluster.start();
  await cluster.pass(1_000);
  const lane = new TestLane(cluster, P);
  await cluster.settle();
  const bus = cluster.broker.connect();
  const forge = async (batch: unknown): Promise<void> => {
    // JSON.stringify overflows the stack on deep nesting.
    const text = typeof batch === "string" ? batch : JSON.stringify(batch);
    bus.publish(subjects.commands(P), text, subjects.results(VICTIM));
    await cluster.pass(50);
  };
  /** Expects that the owner decides a send of the real gateway. */
  const works = async (n: number): Promise<void> => {
    const command = send({ room: ALPHA, id: idAt(T0, n) });
    lane.send(command);
    await cluster.pass(500);
    expect(lane.acked.has(command.c), "the send of the real gateway is acknowledged").to.equal(
      true,
    );
  };
  return { cluster, forge, works };
}

describe("Room node against hostile batches", () => {
  it("N5: refuses a batch with one malformed command as a whole, and changes nothing", async () => {
    const { cluster, forge, works } = await openCluster();
    await works(1);
    for (const [i, command] of BROKEN_COMMANDS.entries()) {
      const gw = `gw-evil${i}` as ProcessId;
      const joins = { c: 2, op: "join", room: ALPHA, user: "eve" as UserId };
      let text: string;
      try {
        text = JSON.stringify({ v: 1, gw, lane: 1, n: 1, commands: [good, joins, command] });
      } catch {
        // Too deep for JSON.stringify, but JSON.parse accepts it.
        const body = `${'{"b":'.repeat(20_000)}1${"}".repeat(20_000)}`;
        const bad = JSON.stringify(good).replace(/"body":\{.*?\}/, `"body":${body}`);
        text = `{"v":1,"gw":"${gw}","lane":1,"n":1,"commands":[${bad}]}`;
      }
      await forge(text);
      expect(cluster.faults, text.slice(0, 300)).to.deep.equal([]);
    }
    await works(2);
    expect(cluster.lines(ALPHA)).to.have.length(2);
  });

  it("N6: an unknown command of a newer gateway is refused alone, and the lane goes on", async () => {
    const { cluster, forge, works } = await openCluster();
    const gw = "gw-newer" as ProcessId;
    const results: unknown[] = [];
    const bus = cluster.broker.connect();
    bus.subscribe(subjects.results(gw), ({ data }) => {
      const text = new TextDecoder().decode(data);
      results.push(...(JSON.parse(text.split("\n")[0] ?? "") as { results: unknown[] }).results);
    });
    await bus.flush();
    const commands = [
      {
        c: 1,
        op: "of-a-newer-version",
        room: ALPHA,
        from: "eve",
        id: idAt(T0, 8_000),
        body: { text: "later" },
      },
      { ...good, c: 2 },
      { c: 3, op: "__proto__" },
    ];
    await forge(JSON.stringify({ v: 1, gw, lane: 1, n: 1, commands }));
    await works(2);
    expect(results).to.have.deep.members([
      { c: 1, error: "unknown_type" },
      { c: 3, error: "unknown_type" },
      results.find((result) => (result as { c: number }).c === 2),
    ]);
    expect(results).to.have.length(3);
    expect(cluster.lines(ALPHA)).to.have.length(2);
  });

  it("N5: refuses a batch with a malformed header", async () => {
    const { cluster, forge, works } = await openCluster();
    const batch = { v: 1, gw: "gw-evil", lane: 1, n: 1, commands: [good] };
    for (const header of [
      { v: 2 },
      { gw: undefined },
      { gw: "gw-*" },
      { gw: "__proto__" },
      { lane: "1" },
      { lane: 1.5 },
      { lane: -1 },
      { lane: 2 ** 53 },
      { n: 0 },
      { n: "1" },
      { commands: {} },
      { commands: undefined },
    ]) {
      await forge({ ...batch, ...header });
    }
    for (const text of ["", "null", "[]", "{", "\u0000", '{"v":1}']) await forge(text);
    expect(cluster.faults).to.deep.equal([]);
    await works(1);
    expect(cluster.lines(ALPHA)).to.have.length(1);
  });

  it("P8: a forged incarnation of another gateway delays that gateway only for a moment", async () => {
    const { cluster, forge, works } = await openCluster();
    await works(1);
    let n = 1;
    for (const lane of [9, 2 ** 31, 2 ** 45]) {
      await forge({ v: 1, gw: VICTIM, lane, n: 1, commands: [] });
      await works(++n);
    }
    expect(cluster.faults).to.deep.equal([]);
    expect(cluster.lines(ALPHA)).to.have.length(n);
  });

  it("N5: counts refused messages, and reports them at most once a second", async () => {
    const { cluster, forge } = await openCluster();
    const before = cluster.reports.length;
    for (let i = 0; i < 200; i++) await forge("null");
    const reports = cluster.reports.slice(before).filter((event) => event.includes("refused"));
    expect(reports.length).to.be.within(1, 12);
  });
});
