// The promises of the SDK under a wire that loses, cuts and stalls, against the model gateway. What
// the client sees must be what the model has, whatever happened on the way.

import { expect } from "chai";
import * as fc from "fast-check";
import { DEV, GENERAL, World } from "./client-fixture.ts";

type Move =
  | { readonly kind: "send" | "other"; readonly room: number; readonly count: number }
  | { readonly kind: "up" | "down"; readonly count: number }
  | { readonly kind: "cut" | "lose-event" | "repeat-last" | "reconnect" }
  | { readonly kind: "refuse"; readonly afterMs: number }
  | { readonly kind: "pass"; readonly ms: number };

const ROOMS = [GENERAL, DEV];

const move: fc.Arbitrary<Move> = fc.oneof(
  fc.record({
    kind: fc.constantFrom("send" as const, "send" as const, "other" as const),
    room: fc.constantFrom(0, 0, 0, 1),
    count: fc.integer({ min: 1, max: 6 }),
  }),
  fc.record({
    kind: fc.constantFrom("up" as const, "down" as const),
    count: fc.integer({ min: 1, max: 8 }),
  }),
  fc.record({
    kind: fc.constantFrom("cut", "lose-event", "repeat-last", "reconnect"),
  }) as fc.Arbitrary<Move>,
  fc.record({ kind: fc.constant("refuse" as const), afterMs: fc.constantFrom(0, 300, 2_000) }),
  fc.record({ kind: fc.constant("pass" as const), ms: fc.integer({ min: 1, max: 4_000 }) }),
);

interface Run {
  readonly world: World;
  readonly sent: { readonly id: string; readonly room: string }[];
  hasRefused: boolean;
}

function play(run: Run, step: Move): void {
  const { world, sent } = run;
  const room = "room" in step ? ROOMS[step.room]! : GENERAL;
  if (step.kind === "send") {
    // Below OUTBOX_MAX, beyond which a send is refused at once.
    for (let i = 0; i < step.count && sent.length < 200; i++) {
      sent.push({ id: world.send(room, `mine ${sent.length}`), room });
    }
  } else if (step.kind === "other") world.other(room, "theirs");
  else if (step.kind === "up") for (let i = 0; i < step.count; i++) world.moveUp();
  else if (step.kind === "down") for (let i = 0; i < step.count; i++) world.moveDown();
  else if (step.kind === "cut") world.cut();
  else if (step.kind === "pass") world.pass(step.ms, () => undefined);
  else if (step.kind === "reconnect") world.wire?.session.say({ t: "reconnect", afterMs: 700 });
  else if (step.kind === "lose-event") {
    const down = world.wire?.down ?? [];
    const index = down.findIndex((item) => "line" in item && item.line.startsWith('{"t":"msg"'));
    if (index >= 0) down.splice(index, 1);
  } else if (step.kind === "repeat-last") {
    const last = world.wire?.down.at(-1);
    if (last !== undefined && "line" in last) world.wire?.down.push(last);
  } else if (step.kind === "refuse") {
    run.hasRefused = true;
    const { afterMs } = step;
    let left = 2;
    world.gateway.refuse = (frame) =>
      frame["t"] === "send" && left-- > 0 ? { name: "busy", afterMs } : undefined;
  }
}

function heal(world: World): void {
  world.gateway.refuse = () => undefined;
  for (let i = 0; i < 40; i++) world.settle().pass(1_000);
  // A gateway never loses the last event silently (O10); this wire may, so one more shows the hole.
  for (const room of ROOMS) world.other(room, "last");
  for (let i = 0; i < 5; i++) world.settle().pass(1_000);
}

describe("Delivery over a bad wire", () => {
  it("K3: every event once and in order, K2: every send exactly one number, in the order they were made", () => {
    let cuts = 0;
    let refusals = 0;
    fc.assert(
      fc.property(fc.array(move, { minLength: 20, maxLength: 120 }), (moves) => {
        const world = new World();
        const run: Run = { world, sent: [], hasRefused: false };
        for (const room of ROOMS) world.step({ kind: "join", room, after: 0 });
        world.step({ kind: "connect" });
        for (const step of moves) play(run, step);
        heal(world);

        for (const room of ROOMS) {
          const truth = world.gateway.room(room).events.map(({ seq, id }) => `${seq} ${id}`);
          const seen = world.events.filter((event) => event.room === room);
          expect(seen.map(({ seq, id }) => `${seq} ${id}`)).to.deep.equal(truth);
          expect(world.client.room(room)?.completeThrough).to.equal(truth.length);
          expect(world.client.room(room)?.status).to.equal("live");
        }
        for (const { id, room } of run.sent) {
          const stored = world.gateway.room(room).events.filter((event) => event.id === id);
          expect(stored).to.have.length(1);
          const { seq, at } = stored[0]!;
          expect(world.results.get(id)).to.have.length(1);
          expect(world.results.get(id)![0]).to.include({ kind: "acked", seq });
          expect(at).to.be.a("number");
        }
        expectOrder(run);
        cuts += moves.filter(({ kind }) => kind === "cut").length;
        refusals += run.hasRefused ? 1 : 0;
      }),
      { numRuns: 300 },
    );
    expect(cuts).to.be.greaterThan(100); // The run was worth something.
    expect(refusals).to.be.greaterThan(100);
  });
});

/** O4: its sends stand in the order in which it made them, whatever was refused. */
function expectOrder({ world, sent }: Run): void {
  for (const room of ROOMS) {
    const made = sent.filter((one) => one.room === room).map(({ id }) => id);
    const stored = world.gateway
      .room(room)
      .events.filter(({ from }) => from === "ada")
      .map(({ id }) => id);
    expect(stored).to.deep.equal(made);
  }
}
