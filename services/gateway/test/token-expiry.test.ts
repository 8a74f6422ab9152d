// Token expiry during a session (F21): a real gateway and SDK on sockets, a real issuer on HTTP.
// Tokens are valid for seconds, and the clock of the key cache runs sixty times as fast.

import { expect } from "chai";
import { WebSocket } from "ws";
import { systemClock } from "#shared/adapters/clock-system.ts";
import type { Clock } from "#shared/ports/clock.ts";
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
const WITHIN_MS = 60_000;

const fastClock: Clock = {
  ...systemClock,
  monotonic: () => systemClock.monotonic() * TIMES,
  after: (delayMs, run) => systemClock.after(delayMs / TIMES, run),
};

async function openAuth(issuer: Issuer) {
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
function openClient(fixture: SocketFixture, key: () => IssuerKey) {
  const states: string[] = [];
  const seen: number[] = [];
  const client = new Parley({
    url: `ws://127.0.0.1:${fixture.port}/v1/ws`,
    webSocket: WebSocket as unknown as typeof globalThis.WebSocket,
    token: () => {
      const exp = Math.floor(Date.now() / 1_000) - SKEW_SECONDS + LIFE_SECONDS;
      return sign(key(), Date.now(), { claims: { iat: exp - 1, exp } });
    },
  });
  client.on("state", (state) => states.push(state));
  const room = client.join(GENERAL, { after: 0 });
  room.on("event", ({ seq }) => seen.push(seq));
  client.connect();
  const close = (): void => client.close();
  return { client, room, states, seen, [Symbol.dispose]: close };
}

describe("Token expiry during a session", function () {
  this.timeout(120_000);

  it("S4: expiry, a rotation and an issuer that is down cause no drop while the used keys are known", async () => {
    const [first, second] = [await createKey("1"), await createKey("2")];
    await using issuer = await openIssuer([first]);
    using auth = await openAuth(issuer);
    await using fixture = await SocketFixture.open({}, auth);
    let key = first;
    using opened = openClient(fixture, () => key);
    const { client, room, states } = opened;
    await until(() => client.state === "online", { withinMs: WITHIN_MS, what: "the welcome" });
    const { tokens } = fixture.gateway.stats;
    const refreshes = async (count: number): Promise<void> => {
      const target = tokens.get("ok") + count;
      const what = `${count} refreshes`;
      await until(() => tokens.get("ok") >= target, { withinMs: WITHIN_MS, what });
    };
    await refreshes(1);
    issuer.keys = [first, second];
    key = second;
    await refreshes(1);
    issuer.keys = DOWN;
    await refreshes(2); // Three quarters of a token's validity apart.
    expect(states).to.deep.equal(["connecting", "online"]);
    expect((await room.send({ text: "still connected" }).done).kind).to.equal("acked");
  });

  it("S2: a client with an unknown key reconnects by itself, with all messages, once the issuer is back", async () => {
    const [first, second] = [await createKey("1"), await createKey("2")];
    await using issuer = await openIssuer([first]);
    using auth = await openAuth(issuer);
    await using fixture = await SocketFixture.open({}, auth);
    let key = first;
    using opened = openClient(fixture, () => key);
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
