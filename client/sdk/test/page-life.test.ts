// A sleep, a page that comes back, a network that comes back: what is noticed, and what follows.

import { expect } from "chai";
import { SUSPENDED_MS, WAKE_ANSWER_MS } from "../core/bounds.ts";
import { Client } from "../core/client.ts";
import type { Effect } from "../core/effects.ts";
import { watchPage } from "../page-life.ts";
import { halfRandom } from "./half-random.ts";

class FakePage extends EventTarget {
  readonly document = Object.assign(new EventTarget(), { visibilityState: "visible" });

  fire(name: string, persisted = false): void {
    this.dispatchEvent(Object.assign(new Event(name), { persisted }));
  }
  show(visibilityState: string): void {
    this.document.visibilityState = visibilityState;
    this.document.dispatchEvent(new Event("visibilitychange"));
  }
}

describe("PageLife", () => {
  it("page-life.1 and page-life.2: reports each cause, and nothing after its end", () => {
    const page = new FakePage();
    const seen: string[] = [];
    const end = watchPage({
      onWake: () => seen.push("wake"),
      onSuspend: () => seen.push("suspend"),
      events: page,
    });
    const causes: (() => void)[] = [
      () => page.fire("online"),
      () => page.show("hidden"),
      () => page.show("visible"),
      () => page.fire("pagehide"),
      () => page.fire("pagehide", true),
      () => page.fire("pageshow"),
      () => page.fire("pageshow", true),
    ];
    for (const cause of causes) cause();
    expect(seen).to.deep.equal(["wake", "wake", "suspend", "wake"]);
    end();
    for (const cause of causes) cause();
    expect(seen).to.have.length(4);
  });

  it("page-life.1: a jump of the wall clock is a sleep; Node has no page", async function () {
    this.timeout(30_000);
    let now = 1_000;
    const woke = new Promise<void>((resolve) => {
      const end = watchPage({
        onWake: () => (end(), resolve()),
        onSuspend: () => undefined,
        events: {},
        now: () => (now += 200_000),
      });
    });
    // The check does not hold a process; this test waits for it.
    const hold = setInterval(() => undefined, 1_000);
    await woke;
    clearInterval(hold);
  });
});

describe("SDK connection: wake and suspend", () => {
  const online = (): {
    client: Client;
    step: (input: object, now: number) => readonly Effect[];
  } => {
    const client = new Client({ canRefresh: false, random: halfRandom });
    const step = (input: object, now: number): readonly Effect[] =>
      client.step(input as Parameters<Client["step"]>[0], now);
    step({ kind: "connect" }, 0);
    step({ kind: "token", ask: 1, token: "ada" }, 0);
    step({ kind: "opened", socket: 1 }, 0);
    const welcome = { t: "welcome", session: "s", user: "ada", at: 1, pingMs: 25_000 };
    step({ kind: "text", socket: 1, text: JSON.stringify(welcome) }, 0);
    expect(client.state).to.equal("online");
    return { client, step };
  };

  it("K7, sdk/connection.5: a wake pings, and a silent connection is dropped after five seconds", () => {
    const { client, step } = online();
    const effects = step({ kind: "wake" }, 1_000);
    expect(effects).to.deep.equal([{ kind: "write", socket: 1, text: '{"t":"ping","ref":1}' }]);
    expect(client.wakeAt).to.equal(1_000 + WAKE_ANSWER_MS);
    step({ kind: "tick" }, 1_000 + WAKE_ANSWER_MS);
    expect(client.state).to.equal("waiting");
    step({ kind: "wake" }, 6_001);
    expect(client.state).to.equal("connecting");
  });

  it("sdk/connection.5: any line is the answer", () => {
    const { client, step } = online();
    step({ kind: "wake" }, 1_000);
    step({ kind: "text", socket: 1, text: '{"t":"pong","ref":1,"at":2}' }, 1_100);
    step({ kind: "tick" }, 20_000);
    expect(client.state).to.equal("online");
  });

  it("sdk/connection.5: a wake has no effect on a client that is idle, connecting or closed", () => {
    const client = new Client({ canRefresh: false, random: halfRandom });
    expect(client.step({ kind: "wake" }, 0)).to.deep.equal([]);
    client.step({ kind: "connect" }, 0);
    expect(client.step({ kind: "wake" }, 1)).to.deep.equal([]);
    client.step({ kind: "close" }, 2);
    expect(client.step({ kind: "wake" }, 3)).to.deep.equal([]);
  });

  it("sdk/connection.6: a suspend drops the connection until a wake", () => {
    const { client, step } = online();
    expect(step({ kind: "suspend" }, 1_000)).to.deep.include({
      kind: "drop",
      socket: 1,
      isSilent: false,
    });
    expect([client.state, client.retryAt]).to.deep.equal(["waiting", 1_000 + SUSPENDED_MS]);
    expect(step({ kind: "suspend" }, 1_001)).to.deep.equal([]);
    step({ kind: "wake" }, 2_000);
    expect(client.state).to.equal("connecting");
  });

  it("sdk/connection.6: a suspend ends an attempt to connect at each of its steps, until a wake", () => {
    const steps = [
      { input: { kind: "connect" }, drops: 0 },
      { input: { kind: "token", ask: 1, token: "ada" }, drops: 1 },
      { input: { kind: "opened", socket: 1 }, drops: 1 },
    ];
    for (const [last, { input, drops }] of steps.entries()) {
      const client = new Client({ canRefresh: false, random: halfRandom });
      const step = (one: object, now: number): readonly Effect[] =>
        client.step(one as Parameters<Client["step"]>[0], now);
      for (const { input: before } of steps.slice(0, last + 1)) step(before, 0);
      const effects = step({ kind: "suspend" }, 1_000);
      expect(effects.filter(({ kind }) => kind === "drop")).to.have.length(drops);
      const waiting = ["waiting", 1_000 + SUSPENDED_MS];
      expect([client.state, client.retryAt], input.kind).to.deep.equal(waiting);
      step({ kind: "wake" }, 2_000);
      expect(client.state, input.kind).to.equal("connecting");
    }
  });
});
