// Auth against a real issuer: the accepted tokens, and forged tokens of every kind.

import { createHmac } from "node:crypto";
import { expect } from "chai";
import { exportSPKI, importJWK } from "jose";
import type { CryptoKey, JWTHeaderParameters } from "jose";
import { TOKEN_LIFE_MAX_MS } from "#shared/protocol/revocations.ts";
import { openAuthenticator, TOKEN_LENGTH_MAX } from "#shared/adapters/auth.ts";
import type { OpenedAuthenticator } from "#shared/adapters/auth.ts";
import type { Verification } from "#shared/ports/identity.ts";
import { AUDIENCE, createKey, ISSUER, openIssuer, sign } from "./issuer.ts";
import type { Claims, Issuer, IssuerKey } from "./issuer.ts";

const NOW = 1_795_500_000_000;
const MINUTE_S = 60;
const UNAUTHORIZED: Verification = { kind: "refused", error: "unauthorized" };

describe("Auth: tokens of an issuer", () => {
  let key: IssuerKey;
  /** Published by the issuer, with an algorithm that is not on this gateway's list. */
  let offList: IssuerKey;
  let issuer: Issuer;
  let auth: OpenedAuthenticator;
  const inSeconds = (offset: number): number => NOW / 1_000 + offset;

  before(async () => {
    key = await createKey("k1");
    offList = await createKey("k2", "ES384");
    issuer = await openIssuer([key, offList]);
    auth = await openAuthenticator({
      auth: "jwks",
      jwksUrl: issuer.url,
      issuer: ISSUER,
      audience: AUDIENCE,
      algorithms: ["ES256", "RS256"],
    });
  });
  after(async () => {
    auth.close();
    await issuer[Symbol.asyncDispose]();
  });

  it("S2: a valid token gives its user, name, grants and expiry, skew included", async () => {
    const claims = { name: "Ada", rooms: { general: "member" }, admin: true, svc: true };
    const token = await sign(key, NOW, { claims });
    expect(await auth.verify(token, NOW)).to.deep.equal({
      kind: "ok",
      identity: {
        user: "ada",
        ...claims,
        issuedAt: NOW,
        expiresAt: NOW + 3_600_000 + 60_000,
      },
    });
  });

  it("S2: without the optional claims a user has no name, no grants and no admin right", async () => {
    const verified = await auth.verify(await sign(key, NOW), NOW);
    expect(verified).to.deep.include({ kind: "ok" });
    expect(verified.kind === "ok" && verified.identity).to.include({ user: "ada", admin: false });
  });

  it("S2: a clock that is 59 s apart is accepted, one that is 61 s apart is not", async () => {
    const ended = await sign(key, NOW, { claims: { exp: inSeconds(0) } });
    expect(await auth.verify(ended, NOW + 59_000)).to.include({ kind: "ok" });
    expect(await auth.verify(ended, NOW + 61_000)).to.deep.equal({
      kind: "refused",
      error: "token_expired",
    });
    const early = await sign(key, NOW, { claims: { nbf: inSeconds(MINUTE_S) } });
    expect(await auth.verify(early, NOW + 1_000)).to.include({ kind: "ok" });
    expect(await auth.verify(early, NOW - 1_000)).to.deep.equal(UNAUTHORIZED);
  });

  it("S2: an identity expires exactly when verify returns token_expired", async () => {
    const token = await sign(key, NOW);
    const verified = await auth.verify(token, NOW);
    const expiresAt = verified.kind === "ok" ? verified.identity.expiresAt : 0;
    expect(await auth.verify(token, expiresAt - 1_000)).to.include({ kind: "ok" });
    expect(await auth.verify(token, expiresAt)).to.include({ error: "token_expired" });
  });

  it("S2: a token ends 31 days after its iat, whatever its exp; a token without iat ends at its exp", async () => {
    const year = { exp: inSeconds(365 * 24 * 3_600) };
    const long = await sign(key, NOW, { claims: year });
    const end = NOW + TOKEN_LIFE_MAX_MS;
    expect(await auth.verify(long, end - 1)).to.have.nested.property("identity.expiresAt", end);
    expect(await auth.verify(long, end)).to.deep.equal({ kind: "refused", error: "token_expired" });
    const ageless = await sign(key, NOW, { claims: { ...year, iat: undefined } });
    const verified = await auth.verify(ageless, end);
    expect(verified).to.have.nested.property(
      "identity.expiresAt",
      NOW + 365 * 24 * 3_600_000 + 60_000,
    );
    expect(verified).not.to.have.nested.property("identity.issuedAt");
  });

  it("S2: a token with wrong or missing claims is refused", async () => {
    const wrong: Claims[] = [
      { aud: "other" },
      { iss: "https://other.example" },
      { exp: undefined },
      { sub: undefined },
      { sub: "" },
      { sub: "a".repeat(129) },
      { sub: "nul\u0000" },
      { name: "n".repeat(129) },
      { name: 7 },
      { admin: "yes" },
      { svc: "yes" },
      { rooms: { "not a room": "member" } },
      { rooms: ["general"] },
      { nbf: inSeconds(3_600) },
      { iat: "now" },
    ];
    for (const claims of wrong) {
      const token = await sign(key, NOW, { claims });
      expect(await auth.verify(token, NOW), JSON.stringify(claims)).to.deep.equal(UNAUTHORIZED);
    }
  });

  it("S2: a token without a signature is refused", async () => {
    const [, payload] = (await sign(key, NOW)).split(".");
    for (const alg of ["none", "None", "NONE", ""]) {
      const token = `${encode({ alg, kid: "k1" })}.${payload}.`;
      expect(await auth.verify(token, NOW), alg).to.deep.equal(UNAUTHORIZED);
    }
  });

  it("S2: HS256 with the public key as the secret is refused", async () => {
    const [, payload] = (await sign(key, NOW)).split(".");
    const publicKey = (await importJWK(key.publicJwk, "ES256")) as CryptoKey;
    for (const secret of [await exportSPKI(publicKey), JSON.stringify(key.publicJwk)]) {
      const signed = `${encode({ alg: "HS256", kid: "k1" })}.${payload}`;
      const mac = createHmac("sha256", secret).update(signed).digest("base64url");
      expect(await auth.verify(`${signed}.${mac}`, NOW)).to.deep.equal(UNAUTHORIZED);
    }
  });

  it("S2: a token that contains a key, or names a source of keys, is refused", async () => {
    const forger = await createKey("k1");
    const before = issuer.fetches;
    const bringing: Partial<JWTHeaderParameters>[] = [
      { jwk: forger.publicJwk },
      { jku: issuer.url },
      { x5u: issuer.url },
      { jku: "http://127.0.0.1:1/keys", kid: "other" },
    ];
    for (const header of bringing) {
      const token = await sign(forger, NOW, { header });
      expect(await auth.verify(token, NOW), JSON.stringify(header)).to.deep.equal(UNAUTHORIZED);
      const own = await sign(key, NOW, { header });
      expect(await auth.verify(own, NOW), "even with a valid signature").to.deep.equal(
        UNAUTHORIZED,
      );
    }
    expect(issuer.fetches).to.equal(before);
  });

  it("S2: a foreign signature, a changed token and an algorithm off the list are refused", async () => {
    const token = await sign(key, NOW);
    const [header = "", payload = "", signature = ""] = token.split(".");
    const flipped = (signature.startsWith("A") ? "B" : "A") + signature.slice(1);
    const other = encode({ ...decode(payload), sub: "bob", admin: true });
    const forger = await createKey("k1");
    for (const [what, forged] of [
      ["signature", `${header}.${payload}.${flipped}`],
      ["payload", `${header}.${other}.${signature}`],
      ["forger", await sign(forger, NOW)],
      ["algorithm", await sign(offList, NOW)],
    ] as const) {
      expect(await auth.verify(forged, NOW), what).to.deep.equal(UNAUTHORIZED);
    }
  });

  it("S2: text that is not a token is refused", async () => {
    for (const token of ["", ".", "..", "a.b.c", "null", "💥.💥.💥", "{}", "a".repeat(100_000)]) {
      expect(await auth.verify(token, NOW), token.slice(0, 20)).to.deep.equal(UNAUTHORIZED);
    }
  });

  it("S2: a token that is too large is refused, although its signature is valid", async () => {
    const token = await sign(key, NOW, { claims: { filler: "x".repeat(TOKEN_LENGTH_MAX) } });
    expect(await auth.verify(token, NOW)).to.deep.equal(UNAUTHORIZED);
  });

  it("S2: a forged token that has expired is unauthorized, not expired", async () => {
    const forger = await createKey("k1");
    const token = await sign(forger, NOW, { claims: { exp: inSeconds(-3_600) } });
    expect(await auth.verify(token, NOW)).to.deep.equal(UNAUTHORIZED);
  });

  it("S2: a symmetric algorithm on the list is refused at the start", async () => {
    for (const algorithms of [["HS256"], ["RS256", "HS512"], ["none"], []]) {
      const opened = openAuthenticator({
        auth: "jwks",
        jwksUrl: issuer.url,
        issuer: ISSUER,
        audience: AUDIENCE,
        algorithms,
      });
      expect(await opened.catch((error: unknown) => error)).to.be.instanceOf(TypeError);
    }
  });
});

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function decode(text: string): object {
  return JSON.parse(Buffer.from(text, "base64url").toString("utf8")) as object;
}
