// Revocations in a gateway: the refused tokens and the closed connections.

import { expect } from "chai";
import type { UserId } from "#shared/protocol/ids.ts";
import {
  encodeRevocation,
  revocationKey,
  TOKEN_LIFE_MAX_MS,
} from "#shared/protocol/revocations.ts";
import { within } from "#shared/testing/wait.ts";
import { refuseRevoked } from "#shared/adapters/revoked-tokens.ts";
import { Revocations } from "#shared/kit/revocations.ts";
import type { Authenticator } from "#shared/ports/identity.ts";
import { SocketFixture } from "./socket-fixture.ts";

const ADA = "ada" as UserId;

function row(user: UserId, at: number) {
  return { key: revocationKey(user), text: encodeRevocation({ user, at, by: "ops" }) };
}

describe("Revocations: tokens", () => {
  it("kit/revocations.1: a token issued up to the revocation is covered; later ones and other users' are not", () => {
    const revocations = new Revocations();
    expect(revocations.covers({ user: ADA, issuedAt: 0 }, 0)).to.equal(false);
    expect(revocations.take(row(ADA, 5_000), 6_000)).to.deep.equal({
      user: ADA,
      at: 5_000,
      by: "ops",
    });
    const covers = (issuedAt: number, user = ADA) => revocations.covers({ user, issuedAt }, 6_000);
    expect([4_999, 5_000, 5_001].map((at) => covers(at))).to.deep.equal([true, true, false]);
    expect(covers(0, "eve" as UserId)).to.equal(false);
    expect(revocations.covers({ user: ADA }, 6_000), "without iat").to.equal(true);
  });

  it("kit/revocations.1: a later revocation of the same user replaces an earlier one, and a deleted row ends it", () => {
    const revocations = new Revocations();
    revocations.take(row(ADA, 5_000), 6_000);
    revocations.take(row(ADA, 8_000), 9_000);
    expect(revocations.covers({ user: ADA, issuedAt: 8_000 }, 9_000)).to.equal(true);
    expect(revocations.size).to.equal(1);
    expect(revocations.take({ key: revocationKey(ADA), text: undefined }, 9_000)).to.equal(
      undefined,
    );
    expect(revocations.covers({ user: ADA, issuedAt: 0 }, 9_000)).to.equal(false);
    expect(revocations.size).to.equal(0);
  });

  it("kit/revocations.2: settings, broken rows and rows under another key change nothing", () => {
    const revocations = new Revocations();
    revocations.take(row(ADA, 5_000), 6_000);
    const eve = "eve" as UserId;
    expect(revocations.take({ key: "all.log.level", text: "{}" }, 6_000)).to.equal(undefined);
    expect(revocations.take({ key: revocationKey(ADA), text: "{" }, 6_000)).to.equal(undefined);
    expect(revocations.take({ ...row(eve, 5_000), key: revocationKey(ADA) }, 6_000)).to.equal(
      undefined,
    );
    expect(revocations.covers({ user: ADA, issuedAt: 5_000 }, 6_000)).to.equal(true);
    expect(revocations.covers({ user: eve, issuedAt: 5_000 }, 6_000)).to.equal(false);
  });

  it("kit/revocations.3: an expired revocation covers nothing, and the next change removes it", () => {
    const revocations = new Revocations();
    revocations.take(row(ADA, 0), 1);
    const end = TOKEN_LIFE_MAX_MS;
    expect(revocations.covers({ user: ADA, issuedAt: 0 }, end - 1)).to.equal(true);
    expect(revocations.covers({ user: ADA, issuedAt: 0 }, end)).to.equal(false);
    revocations.take(row("eve" as UserId, end), end);
    expect(revocations.size).to.equal(1);
    expect(revocations.take(row(ADA, 0), end), "it arrives too late").to.equal(undefined);
    expect(revocations.size).to.equal(1);
  });
});

/** A token is `user/iat`, without a signature. */
const judge: Authenticator & { readonly keysLoaded: boolean; close(): void } = {
  verify: (token) => {
    const [user = "", iat = ""] = token.split("/");
    const identity = { user: user as UserId, admin: false, expiresAt: Infinity };
    const issuedAt = iat === "" ? {} : { issuedAt: Number(iat) };
    return Promise.resolve({ kind: "ok", identity: { ...identity, ...issuedAt } });
  },
  keysLoaded: true,
  close: () => undefined,
};

describe("Revocations: connections", () => {
  it("E6: a kicked user's connections are closed with 4501, and the same token is refused with 4500", async () => {
    const [early, at, late] = [Date.now() - 60_000, Date.now() - 30_000, Date.now() - 20_000];
    const revocations = new Revocations();
    const auth = refuseRevoked(judge, revocations);
    await using fixture = await SocketFixture.open({}, auth);
    const [old, fresh, other] = [
      await fixture.connect(`ada/${early}`),
      await fixture.connect(`ada/${late}`),
      await fixture.connect(`eve/${early}`),
    ];
    const revocation = revocations.take(row(ADA, at), Date.now())!;
    expect(fixture.gateway.kick(revocation.user, revocation.at)).to.equal(1);
    const codeOf = async (client: typeof old): Promise<number> =>
      (await within(client.closed, { withinMs: 30_000, what: "the close" })).code;
    expect(await codeOf(old)).to.equal(4_501);
    for (const token of [`ada/${early}`, `ada/${at}`, "ada/"]) {
      const again = await fixture.dial();
      again.sendFrames({ t: "hello", token });
      expect(await codeOf(again), token).to.equal(4_500);
    }
    expect(await fresh.ask({ t: "refresh", token: `ada/${early}` })).to.include({
      name: "unauthorized",
    });
    expect((await fresh.ask({ t: "ping" })).t).to.equal("pong");
    expect((await other.ask({ t: "ping" })).t).to.equal("pong");
    await fixture.connect(`ada/${at + 1}`);
    expect(fixture.gateway.kick(ADA)).to.equal(2);
  });
});
