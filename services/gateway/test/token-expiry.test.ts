// Token expiry during a session (F21): a real gateway and SDK on sockets, a real issuer on HTTP.
// Tokens are valid for seconds, and the clock of the key cache runs sixty times as fast. Where no
// token may expire, time passes only while none is renewed, so a busy machine changes nothing.

import { expect } from "chai";
import { WebSocket } from "ws";
import { systemClock } from "#shared/adapters/clock-system.ts";
import type { Clock } from "#shared/ports/clock.ts";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import { until } from "#shared/testing/wait.ts";
import { Parley } from "#client/sdk/parley.ts";
import { openAuthenticator } from "#shared/adapters/auth.ts";
import { AUDIENCE, createKey, DOWN, ISSUER, openIssuer, sign } from "./issuer.ts";
import type { Issuer, IssuerKey } from "./issuer.ts";
import { GENERAL, SocketFixture } from "./socket-fixture.ts";

const TIMES = 60;
const SKEW_SECONDS = 60;
/** The validity of a new token. */
const LIFE_SECONDS = 4;
const STEP_MS = 100;
const WITHIN_MS = 60_000;

async function openAuth(issuer: Issuer, clock: Clock) {
  const fastClock: Clock = {
    now: () => clock.now(),
    monotonic: () => clock.monotonic() * TIMES,
    after: (delayMs, run) => clock.after(delayMs / TIMES, run),
    every: (periodMs, run) => clock.every(periodMs / TIMES, run),
    soon: (run) => clock.soon(run),
  };
  const auth = await openAuthenticator(
    {
      auth: "jwks",
      jwksUrl: issuer.url,
      issuer: ISSUER,
      audience: AUDIENCE,
      algorithms: ["ES256"],
    },
    { clock: fastClock },
  );
  return { ...auth, [Symbol.dispose]: () => auth.close() };
}

/** A client whose tokens are signed with the key that `key` returns. */
function openClient(fixture: SocketFixture, key: () => IssuerKey, clock: Clock) {
  const states: string[] = [];
  const seen: number[] = [];
  /** The tokens that the client asked for, and the refreshes that the gateway answered. */
  const counts = { tokens: 0, refreshed: 0 };
  class Socket extends WebSocket {
    constructor(...args: ConstructorParameters<typeof WebSocket>) {
      super(...args);
      this.on("message", (data: Buffer) => {
        if (data.includes('"t":"refreshed"')) counts.refreshed += 1;
      });
    }
  }
  const client = new Parley({
    url: `ws://127.0.0.1:${fixture.port}/v1/ws`,
    webSocket: Socket as unknown as typeof globalThis.WebSocket,
    clock,
    token: () => {
      counts.tokens += 1;
      const exp = Math.floor(clock.now() / 1_000) - SKEW_SECONDS + LIFE_SECONDS;
      return sign(key(), clock.now(), { claims: { iat: exp - 1, exp } });
    },
  });
  client.on("state", (state) => states.push(state));
  const room = client.join(GENERAL, { after: 0 });
  room.on("event", ({ seq }) => seen.push(seq));
  client.connect();
  const close = (): void => client.close();
  return { client, room, states, seen, counts, [Symbol.dispose]: close };
}

describe("Token expiry during a session", function () {
  this.timeout(120_000);

  it("S4: expiry, a rotation and an issuer that is down cause no drop while the used keys are known", async () => {
    const clock = new FakeClock();
    const [first, second] = [await createKey("1"), await createKey("2")];
    await using issuer = await openIssuer([first]);
    using auth = await openAuth(issuer, clock);
    await using fixture = await SocketFixture.open({}, auth, clock);
    let key = first;
    using opened = openClient(fixture, () => key, clock);
    const { client, room, states, counts } = opened;
    /** Everything that is due runs. At each look `passMs` pass. */
    const settled = (condition: () => boolean, what: string, passMs = 0): Promise<void> => {
      const isSettled = (): boolean => {
        clock.advance(passMs);
        return condition();
      };
      return until(isSettled, { withinMs: WITHIN_MS, what });
    };
    const refresh = async (): Promise<void> => {
      const { tokens, refreshed } = counts;
      for (let ms = 0; ms < LIFE_SECONDS * 1_000 && counts.tokens === tokens; ms += STEP_MS)
        clock.advance(STEP_MS);
      await settled(() => counts.refreshed > refreshed, "a refresh");
    };
    await settled(() => client.state === "online", "the welcome");
    await refresh();
    issuer.keys = [first, second];
    key = second;
    await refresh();
    issuer.keys = DOWN;
    await refresh();
    await refresh();
    expect(states).to.deep.equal(["connecting", "online"]);
    let outcome: string | undefined;
    const { done } = room.send({ text: "still connected" });
    void done.then(({ kind }) => (outcome = kind));
    await settled(() => outcome !== undefined, "the outcome of a message", 10);
    expect(outcome).to.equal("acked");
  });

  it("S2: a client with an unknown key reconnects by itself, with all messages, once the issuer is back", async () => {
    const [first, second] = [await createKey("1"), await createKey("2")];
    await using issuer = await openIssuer([first]);
    using auth = await openAuth(issuer, systemClock);
    await using fixture = await SocketFixture.open({}, auth);
    let key = first;
    using opened = openClient(fixture, () => key, systemClock);
    const { room, states, seen } = opened;
    await until(() => room.status === "live", { withinMs: WITHIN_MS, what: "the room" });
    issuer.keys = DOWN;
    key = second;
    const { closes } = fixture.gateway.stats;
    const closedWith = (code: string): number => closes.get(code) ?? 0;
    await until(() => closedWith("4003") > 0, {
      withinMs: WITHIN_MS,
      what: "the expiry of the token",
    });
    await until(() => closedWith("1013") > 0, { withinMs: WITHIN_MS, what: "a deferred hello" });
    fixture.owner.commit(GENERAL, "meanwhile");
    const sent = room.send({ text: "waits in the outbox" });
    issuer.keys = [first, second];
    expect((await sent.done).kind).to.equal("acked");
    await until(() => seen.length === 2, { withinMs: WITHIN_MS, what: "both messages" });
    expect(seen).to.deep.equal([1, 2]);
    expect(closedWith("4500")).to.equal(0);
    expect(states).not.to.include("closed");
  });
});
