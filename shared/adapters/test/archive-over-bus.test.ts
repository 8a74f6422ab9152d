// ArchiveReader over the bus: reads whose request or answer is lost.

import { expect } from "chai";
import type { Read } from "#shared/ports/archive.ts";
import type { RequestOutcome } from "#shared/ports/bus.ts";
import { encodeReply } from "#shared/protocol/history.ts";
import type { RoomId } from "#shared/protocol/ids.ts";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import { openArchiveReader } from "../archive-over-bus.ts";

const REPLY = encodeReply({ ok: true, op: "watermark", watermark: 7, epoch: 3 });
const OK: RequestOutcome = { kind: "ok", data: new TextEncoder().encode(REPLY) };

/** A read whose requests the test answers one by one. */
class ReadFixture {
  readonly clock = new FakeClock();
  readonly timeouts: number[] = [];
  readonly #answers: ((outcome: RequestOutcome) => void)[] = [];
  result: Read<unknown> | undefined;

  constructor(op: "watermark" | "snapshot" = "watermark") {
    const request = (_: string, __: unknown, { timeoutMs }: { timeoutMs: number }) => {
      this.timeouts.push(timeoutMs);
      return new Promise<RequestOutcome>((resolve) => this.#answers.push(resolve));
    };
    const reader = openArchiveReader({ request }, this.clock);
    const read =
      op === "watermark" ? reader.watermark(0, 1) : reader.snapshot(0, "general" as RoomId, 0);
    void read.then((result) => (this.result = result));
  }

  async answer(request: number, outcome: RequestOutcome): Promise<void> {
    this.#answers[request]?.(outcome);
    for (let i = 0; i < 10; i++) await Promise.resolve();
  }
}

describe("ArchiveReader over the bus", () => {
  it("D15: a lost request is repeated, and the answer to the second one counts", async () => {
    const read = new ReadFixture();
    read.clock.advance(199);
    expect(read.timeouts).to.deep.equal([3_000]);
    read.clock.advance(1);
    expect(read.timeouts).to.deep.equal([3_000, 2_800]);
    await read.answer(1, OK);
    expect(read.result).to.deep.equal({ kind: "ok", value: { seq: 7, epoch: 3 } });
    await read.answer(0, { kind: "timeout" });
    expect(read.result?.kind).to.equal("ok");
  });

  it("D15: a read for which one room waits is repeated later than a watermark", () => {
    const read = new ReadFixture("snapshot");
    read.clock.advance(499);
    expect(read.timeouts).to.deep.equal([3_000]);
    read.clock.advance(1);
    expect(read.timeouts).to.deep.equal([3_000, 2_500]);
  });

  it("archive-over-bus.1: a slow answer to the first request counts too, whatever became of the second", async () => {
    const read = new ReadFixture();
    read.clock.advance(500);
    await read.answer(1, { kind: "no-responders" });
    expect(read.result).to.equal(undefined);
    await read.answer(0, OK);
    expect(read.result?.kind).to.equal("ok");
  });

  it("archive-over-bus.1: an answer in time is the only one, and a refusal at once is final", async () => {
    for (const outcome of [OK, { kind: "no-responders" } as const]) {
      const read = new ReadFixture();
      await read.answer(0, outcome);
      read.clock.advance(3_000);
      expect(read.timeouts).to.deep.equal([3_000]);
      expect(read.result?.kind).to.equal(outcome.kind === "ok" ? "ok" : "unavailable");
    }
  });

  it("archive-over-bus.1: a read whose requests all failed is unavailable", async () => {
    const read = new ReadFixture();
    read.clock.advance(500);
    await read.answer(0, { kind: "timeout" });
    await read.answer(1, { kind: "timeout" });
    expect(read.result).to.deep.equal({ kind: "unavailable", reason: "watermark: timeout" });
    expect(read.timeouts).to.have.length(2);
  });
});
