// Jwks over time: rotation, an issuer that is down, and forged key ids.

import { expect } from "chai";
import type { Clock } from "#shared/ports/clock.ts";
import { openAuthenticator } from "#shared/adapters/auth.ts";
import type { OpenedAuthenticator } from "#shared/adapters/auth.ts";
import { JWKS_COOLDOWN_MS, JWKS_FIRST_RETRY_MS, JWKS_REFRESH_MS } from "#shared/adapters/jwks.ts";
import { AUDIENCE, createKey, DOWN, ISSUER, openIssuer, sign } from "./issuer.ts";
import type { Issuer } from "./issuer.ts";

const NOW = 1_795_500_000_000;

describe("Jwks: an issuer's keys over time", () => {
  it("S2: an unknown key id fetches the new key, and the old key stays until it is withdrawn", async () => {
    const [old, next] = [await createKey("old"), await createKey("next")];
    await using issuer = await openIssuer([old]);
    const time = handClock();
    const auth = await open(issuer, time.clock);
    issuer.keys = [old, next];
    time.advance(JWKS_COOLDOWN_MS);
    expect(await auth.verify(await sign(next, NOW), NOW)).to.include({ kind: "ok" });
    expect(await auth.verify(await sign(old, NOW), NOW)).to.include({ kind: "ok" });
    expect(issuer.fetches).to.equal(2);

    issuer.keys = [next];
    time.advance(JWKS_REFRESH_MS);
    await time.idle();
    expect(await auth.verify(await sign(old, NOW), NOW)).to.include({ kind: "refused" });
    auth.close();
  });

  it("S2: forged key ids cause at most one fetch in 30 s, also while the issuer is down", async () => {
    const key = await createKey("k1");
    await using issuer = await openIssuer([key]);
    const time = handClock();
    const auth = await open(issuer, time.clock);
    const storm = async (): Promise<void> => {
      const forged = await Promise.all(
        Array.from({ length: 20 }, (_, n) => sign(key, NOW, { header: { kid: `forged-${n}` } })),
      );
      await Promise.all(forged.map((token) => auth.verify(token, NOW)));
    };
    await storm();
    expect(issuer.fetches, "the first fetch is recent").to.equal(1);
    time.advance(JWKS_COOLDOWN_MS);
    await storm();
    await storm();
    expect(issuer.fetches).to.equal(2);
    issuer.keys = DOWN;
    time.advance(JWKS_COOLDOWN_MS);
    await storm();
    const whileDown = issuer.fetches;
    await storm();
    expect(issuer.fetches, "a failed fetch counts too").to.equal(whileDown);
    auth.close();
  });

  it("S2: after a rotation, foreign key ids delay a valid token by at most 30 s, with a temporary error", async () => {
    const [old, next] = [await createKey("old"), await createKey("next")];
    await using issuer = await openIssuer([old]);
    const time = handClock();
    const auth = await open(issuer, time.clock);
    const foreign = await sign(old, NOW, { header: { kid: "forged" } });
    const rightful = await sign(next, NOW);
    time.advance(JWKS_COOLDOWN_MS);
    await auth.verify(foreign, NOW); // Uses up the fetch …
    time.advance(1_000);
    issuer.keys = [old, next]; // … and the issuer rotates right after it.
    for (let second = 1; second < JWKS_COOLDOWN_MS / 1_000; second++) {
      const afterMs = JWKS_COOLDOWN_MS - second * 1_000;
      const deferred = { kind: "refused", error: "unavailable", afterMs };
      expect(await auth.verify(rightful, NOW)).to.deep.equal(deferred);
      expect(await auth.verify(foreign, NOW)).to.deep.equal(deferred);
      expect(await auth.verify(await sign(old, NOW), NOW)).to.include({ kind: "ok" });
      time.advance(1_000);
    }
    expect(await auth.verify(rightful, NOW)).to.include({ kind: "ok" });
    expect(issuer.fetches).to.equal(3);
    auth.close();
  });

  it("jwks.2: an unknown key id during the cool-down causes a fetch at its end, without another token", async () => {
    const [old, next] = [await createKey("old"), await createKey("next")];
    await using issuer = await openIssuer([old]);
    const time = handClock();
    const auth = await open(issuer, time.clock);
    await auth.verify(await sign(next, NOW), NOW);
    issuer.keys = [old, next];
    time.advance(JWKS_COOLDOWN_MS - 1);
    expect(issuer.fetches).to.equal(1);
    time.advance(1);
    await time.idle();
    expect(issuer.fetches).to.equal(2);
    time.advance(JWKS_REFRESH_MS - 1);
    expect(issuer.fetches, "the next one is due ten minutes after the last").to.equal(2);
    time.advance(1);
    await time.idle();
    expect(issuer.fetches).to.equal(3);
    auth.close();
  });

  it("jwks.5: only keys fetched after a token arrived judge its unknown key id", async () => {
    const key = await createKey("k1");
    await using issuer = await openIssuer([key]);
    const time = handClock();
    const auth = await open(issuer, time.clock);
    const forged = await sign(key, NOW, { header: { kid: "forged" } });
    time.advance(JWKS_COOLDOWN_MS);
    expect(await auth.verify(forged, NOW)).to.deep.equal({
      kind: "refused",
      error: "unauthorized",
    });
    issuer.keys = DOWN;
    time.advance(JWKS_COOLDOWN_MS);
    const deferred = { kind: "refused", error: "unavailable", afterMs: JWKS_COOLDOWN_MS };
    expect(await auth.verify(forged, NOW), "the fetch failed").to.deep.equal(deferred);
    expect(await auth.verify(await sign(key, NOW), NOW)).to.include({ kind: "ok" });
    const wrong = await sign({ ...(await createKey("k1")) }, NOW);
    expect(await auth.verify(wrong, NOW), "a known key id with another key").to.deep.equal({
      kind: "refused",
      error: "unauthorized",
    });
    auth.close();
  });

  it("jwks.4: an issuer that is down is asked again every 30 s", async () => {
    const key = await createKey("k1");
    await using issuer = await openIssuer([key]);
    const time = handClock();
    const auth = await open(issuer, time.clock);
    issuer.keys = DOWN;
    time.advance(JWKS_REFRESH_MS);
    await time.idle();
    expect(issuer.fetches).to.equal(2);
    time.advance(JWKS_COOLDOWN_MS - 1);
    expect(issuer.fetches).to.equal(2);
    time.advance(1);
    await time.idle();
    expect(issuer.fetches).to.equal(3);
    auth.close();
  });

  it("jwks.4: the breaker opens at the first failed fetch, is half-open during the next one, and closes when it succeeds", async () => {
    const key = await createKey("k1");
    await using issuer = await openIssuer([key]);
    const time = handClock();
    const auth = await open(issuer, time.clock);
    const { breaker } = auth;
    expect(breaker?.state).to.equal("closed");
    issuer.keys = DOWN;
    time.advance(JWKS_REFRESH_MS);
    expect(breaker?.state, "a regular fetch is no probe").to.equal("closed");
    await time.idle();
    expect(breaker?.state).to.equal("open");
    issuer.keys = [key];
    time.advance(JWKS_COOLDOWN_MS);
    expect(breaker?.state).to.equal("half-open");
    await time.idle();
    expect(breaker?.state).to.equal("closed");
    expect(breaker?.refused, "no fetch begins before its time").to.equal(0);
    expect(issuer.fetches).to.equal(3);
    auth.close();
  });

  it("S2: loaded keys stay while the issuer is down or returns invalid text", async () => {
    const key = await createKey("k1");
    await using issuer = await openIssuer([key]);
    const time = handClock();
    const failures: string[] = [];
    const auth = await open(issuer, time.clock, (reason) => failures.push(reason));
    const token = await sign(key, NOW);
    for (const answer of [DOWN, "<html>", '{"keys":[]}', '{"keys":[{"kty":"oct","k":"AA"}]}']) {
      issuer.keys = answer;
      time.advance(JWKS_REFRESH_MS);
      await time.idle();
      expect(await auth.verify(token, NOW), answer).to.include({ kind: "ok" });
      expect(auth.keysLoaded).to.equal(true);
    }
    expect(failures).to.have.length(4);
    auth.close();
  });

  it("S2: an endless key set is cut off", async () => {
    const key = await createKey("k1");
    await using issuer = await openIssuer([key]);
    issuer.keys = `{"keys":[${JSON.stringify(key.publicJwk)}],"filler":"${"x".repeat(300_000)}"}`;
    const auth = await open(issuer, handClock().clock);
    expect(auth.keysLoaded).to.equal(false);
    auth.close();
  });

  it("S2: a redirect is not followed, because the URL of the keys is configuration", async () => {
    const key = await createKey("k1");
    await using elsewhere = await openIssuer([key]);
    await using issuer = await openIssuer([key]);
    issuer.keys = elsewhere.url;
    const auth = await open(issuer, handClock().clock);
    expect(auth.keysLoaded).to.equal(false);
    expect(elsewhere.fetches).to.equal(0);
    auth.close();
  });

  it("H3: while an issuer is down at the start, the gateway is not ready until its keys are loaded", async () => {
    const key = await createKey("k1");
    await using issuer = await openIssuer([key]);
    issuer.keys = DOWN;
    const time = handClock();
    const auth = await open(issuer, time.clock);
    const token = await sign(key, NOW);
    expect(auth.keysLoaded).to.equal(false);
    expect(await auth.verify(token, NOW)).to.deep.equal({
      kind: "refused",
      error: "unavailable",
      afterMs: JWKS_FIRST_RETRY_MS,
    });
    issuer.keys = [key];
    time.advance(JWKS_FIRST_RETRY_MS);
    await time.idle();
    expect(auth.keysLoaded).to.equal(true);
    expect(await auth.verify(token, NOW)).to.include({ kind: "ok" });
    auth.close();
  });
});

function open(
  issuer: Issuer,
  clock: Clock,
  onKeysFailure: (reason: string) => void = () => undefined,
): Promise<OpenedAuthenticator> {
  return openAuthenticator(
    {
      auth: "jwks",
      jwksUrl: issuer.url,
      issuer: ISSUER,
      audience: AUDIENCE,
      algorithms: ["ES256"],
    },
    { clock, onKeysFailure },
  );
}

/** The test's clock. `idle` waits until the one timer that fetches is armed again. */
function handClock(): { clock: Clock; advance(ms: number): void; idle(): Promise<void> } {
  let now = 0;
  let armed: { at: number; run: () => void } | undefined;
  let onArmed: (() => void) | undefined;
  const refuse = (): never => {
    throw new Error("not used here");
  };
  return {
    clock: {
      now: () => NOW,
      monotonic: () => now,
      after(delayMs, run) {
        armed = { at: now + delayMs, run };
        onArmed?.();
        return { cancel: () => (armed = undefined) };
      },
      every: refuse,
      soon: refuse,
    },
    advance(ms) {
      now += ms;
      if (armed === undefined || armed.at > now) return;
      const { run } = armed;
      armed = undefined;
      run();
    },
    async idle() {
      if (armed === undefined) await new Promise<void>((resolve) => (onArmed = resolve));
    },
  };
}
