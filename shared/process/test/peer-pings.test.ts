import { expect } from "chai";
import type { RequestOutcome } from "#shared/ports/bus.ts";
import type { ProcessId } from "#shared/protocol/ids.ts";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import { PeerPings } from "../peer-pings.ts";

const PEER = "pers-b" as ProcessId;

/** Pings of one peer; each request is answered as the peer is when it is sent. */
class PingFixture {
  readonly clock = new FakeClock();
  readonly pings: PeerPings;
  peer: "answers" | "silent" | "gone" = "answers";
  requests = 0;
  dead: ProcessId[] = [];

  constructor() {
    const request = (
      _: string,
      __: unknown,
      { timeoutMs }: { readonly timeoutMs: number },
    ): Promise<RequestOutcome> => {
      this.requests++;
      if (this.peer === "gone") return Promise.resolve({ kind: "no-responders" });
      if (this.peer === "answers") return Promise.resolve({ kind: "ok", data: new Uint8Array() });
      return new Promise((resolve) =>
        this.clock.after(timeoutMs, () => resolve({ kind: "timeout" })),
      );
    };
    const bus = {
      request,
      publish: () => "ok",
      subscribe: () => ({ unsubscribe: () => undefined }),
    };
    this.pings = new PeerPings({
      self: "pers-a" as ProcessId,
      subjectOf: (peer) => `ping.${peer}`,
      bus: bus as never,
      clock: this.clock,
      onDead: (peer) => this.dead.push(peer),
    });
    this.pings.start();
  }

  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 10) {
      this.clock.advance(10);
      for (let i = 0; i < 20; i++) await Promise.resolve();
    }
  }
}

describe("PeerPings", () => {
  it("D15, peer-pings.2: a ping that is lost with the killed process delays its detection by 200 ms only", async () => {
    const fixture = new PingFixture();
    fixture.peer = "silent"; // The ping reaches the process, which is killed before it answers.
    fixture.pings.report(PEER);
    await fixture.pass(20);
    fixture.peer = "gone";
    await fixture.pass(170);
    expect(fixture.dead).to.deep.equal([]);
    await fixture.pass(150);
    expect(fixture.dead).to.deep.equal([PEER]);
  });

  it("P16, peer-pings.2: a peer that does not answer is not declared dead, and gets two pings for each case", async () => {
    const fixture = new PingFixture();
    fixture.peer = "silent";
    fixture.pings.report(PEER);
    fixture.pings.report(PEER);
    await fixture.pass(2_000);
    expect(fixture.dead).to.deep.equal([]);
    expect(fixture.requests).to.equal(2);
    fixture.pings.report(PEER);
    await fixture.pass(20);
    expect(fixture.requests, "the case is closed").to.equal(3);
  });

  it("P16, peer-pings.2: an answer ends a case with one ping", async () => {
    const fixture = new PingFixture();
    fixture.pings.report(PEER);
    await fixture.pass(1_500);
    expect([fixture.requests, fixture.dead.length, fixture.clock.armed]).to.deep.equal([1, 0, 0]);
  });
});
