// Room traces: the trace contexts that the core passes on, and the spans of a room node.

import { expect } from "chai";
import { decodeEntry } from "#shared/protocol/entry.ts";
import type { CommandBatch, SendCommand } from "#shared/protocol/commands.ts";
import type { ResultWithLines } from "#shared/protocol/results.ts";
import type { Attributes, Span, SpanStart, Tracer } from "#shared/ports/tracer.ts";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import { TRACES_PER_ENTRY_MAX } from "../core/commit.ts";
import { OPEN_MAX, RoomTraces, UNANSWERED_MS } from "../runtime/room-traces.ts";
import { PartitionFixture, DEV, GENERAL, GW, only, send } from "./partition-fixture.ts";

const context = (n: number): string =>
  `00-${"a".repeat(32)}-${n.toString(16).padStart(15, "0")}b-01`;

describe("Room traces", () => {
  it("E2: the log entry and the broadcasts carry the contexts of their traced messages", () => {
    const fixture = new PartitionFixture().withRooms([GENERAL, DEV]);
    fixture.batch([
      send({ trace: context(1) }),
      send(),
      send({ room: DEV, trace: context(2) }),
      send({ trace: context(3) }),
    ]);
    const [append] = only(fixture.flush(), "append");
    const all = [context(1), context(2), context(3)];
    expect(append).to.deep.include({ events: 4, traces: all });
    expect(decodeEntry(append!.text)).to.deep.include({ traces: all });
    const [general, dev] = only(fixture.appended(1, { kind: "ok", seq: 2 }), "broadcast");
    expect(general!.traces).to.deep.equal([context(1), context(3)]);
    expect(dev!.traces).to.deep.equal([context(2)]);
  });

  it("E3: an entry without a traced message carries no contexts", () => {
    const fixture = new PartitionFixture().withRooms([GENERAL]);
    fixture.batch([send(), send({ trace: "00-not a context-01" })]);
    const [append] = only(fixture.flush(), "append");
    expect(append!.text).to.not.contain("trace");
    expect(only(fixture.appended(1, { kind: "ok", seq: 2 }), "broadcast")[0]).to.not.have.key(
      "traces",
    );
  });

  it("E2: bounds the contexts of one entry", () => {
    const fixture = new PartitionFixture().withRooms([GENERAL]);
    fixture.batch(Array.from({ length: 50 }, (_, n) => send({ trace: context(n + 1) })));
    const [append] = only(fixture.flush(), "append");
    expect(append!.traces).to.have.length(TRACES_PER_ENTRY_MAX);
  });
});

describe("Room traces: spans", () => {
  interface Seen extends SpanStart {
    ended?: Attributes;
    error?: string | undefined;
  }

  function tracesFixture() {
    const seen: Seen[] = [];
    const tracer: Tracer = {
      isOn: true,
      start: (_name, start): Span => {
        const span: Seen = { ...start };
        seen.push(span);
        return {
          traceparent: context(100 + seen.length),
          end: (attributes = {}, error) => Object.assign(span, { ended: attributes, error }),
        };
      },
    };
    const clock = new FakeClock();
    return { seen, clock, traces: new RoomTraces(3, tracer, clock) };
  }

  const batch = (commands: readonly SendCommand[]): CommandBatch => ({
    v: 1,
    gw: GW,
    lane: 1,
    n: 1,
    commands,
  });
  const traced = (n: number): SendCommand => send({ trace: context(n) }) as SendCommand;

  it("room-traces.1: the span of a command lasts from its arrival to its result", () => {
    const { seen, traces } = tracesFixture();
    const [command] = [traced(1)];
    const passed = traces.onBatch(batch([command])).commands[0] as SendCommand;
    expect(passed.trace).to.equal(context(101));
    expect(seen[0])
      .to.include({ parent: context(1) })
      .and.not.have.property("ended");
    traces.onResults(GW, [{ result: { c: command.c, ok: "sent", seq: 41, at: 0 } }]);
    expect(seen[0]!.ended).to.deep.equal({ "parley.seq": 41 });
  });

  it("room-traces.1: a resent command continues its span, and a span without a result ends after UNANSWERED_MS", () => {
    const { seen, clock, traces } = tracesFixture();
    const command = traced(1);
    traces.onBatch(batch([command]));
    const again = traces.onBatch(batch([command])).commands[0] as SendCommand;
    expect(again.trace).to.equal(context(101));
    expect(seen).to.have.length(1);
    clock.advance(UNANSWERED_MS + 1);
    traces.onBatch(batch([traced(2)]));
    expect(seen[0]).to.include({ error: "unanswered" });
  });

  it("room-traces.2: above the bound, commands keep the context that they arrived with", () => {
    const { seen, traces } = tracesFixture();
    const commands = Array.from({ length: OPEN_MAX + 1 }, (_, n) => traced(n + 1));
    const passed = traces.onBatch(batch(commands)).commands as SendCommand[];
    expect(seen).to.have.length(OPEN_MAX);
    expect(passed.at(-1)!.trace).to.equal(context(OPEN_MAX + 1));
  });

  it("E3: passes a batch without a traced command unchanged, without reading the clock or the results", () => {
    const { seen, clock, traces } = tracesFixture();
    clock.monotonic = () => {
      throw new Error("the clock was read");
    };
    const plain = batch([send() as SendCommand, send() as SendCommand]);
    expect(traces.onBatch(plain)).to.equal(plain);
    const unread = new Proxy<ResultWithLines[]>([], {
      get() {
        throw new Error("the results were read");
      },
    });
    traces.onResults(GW, unread);
    expect(traces.onAppend(undefined, 2)).to.equal(undefined);
    expect(seen).to.deep.equal([]);
    expect(() => traces.onBatch(batch([traced(1)]))).to.throw("the clock was read");
  });
});
