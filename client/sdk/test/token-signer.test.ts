import { expect } from "chai";
import { exportJWK, exportPKCS8, generateKeyPair, jwtVerify } from "jose";
import { TokenSigner } from "../server/token-signer.ts";

const ISSUED = { issuer: "https://id.example", audience: "parley" };

describe("TokenSigner", () => {
  it("signs the claims that a gateway reads, with the key and its id", async () => {
    const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
    const jwk = { ...(await exportJWK(privateKey)), alg: "ES256", kid: "2026" };
    const signer = new TokenSigner({ key: { jwk }, ...ISSUED, validSeconds: 60 });
    const token = await signer.sign({
      user: "ada",
      rooms: { plans: "owner" },
      admin: true,
      svc: true,
    });
    const { payload, protectedHeader } = await jwtVerify(token, publicKey, ISSUED);
    expect(protectedHeader).to.include({ alg: "ES256", kid: "2026" });
    expect(payload).to.include({ sub: "ada", admin: true, svc: true });
    expect(payload).to.have.deep.property("rooms", { plans: "owner" });
    expect(payload.exp! - payload.iat!).to.equal(60);
  });

  it("reads a PEM key", async () => {
    const { publicKey, privateKey } = await generateKeyPair("EdDSA", { extractable: true });
    const pem = await exportPKCS8(privateKey);
    const signer = new TokenSigner({ key: { pem, algorithm: "EdDSA" }, ...ISSUED });
    await jwtVerify(await signer.sign({ user: "ben" }), publicKey, ISSUED);
  });

  it("token-signer.1: one token serves many calls, and a failure is not kept", async () => {
    const { privateKey } = await generateKeyPair("ES256", { extractable: true });
    const jwk = { ...(await exportJWK(privateKey)), alg: "ES256" };
    const token = new TokenSigner({ key: { jwk }, ...ISSUED }).service({ user: "bot" });
    expect(await token()).to.equal(await token());
    const broken = new TokenSigner({ key: { jwk: { kty: "EC" } }, ...ISSUED });
    const failing = broken.service({ user: "bot" });
    const refusals = await Promise.allSettled([failing(), failing()]);
    expect(refusals.map(({ status }) => status)).to.deep.equal(["rejected", "rejected"]);
  });
});
