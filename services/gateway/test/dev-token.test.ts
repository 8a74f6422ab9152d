// Dev tokens: gateways that start together use one complete and private secret.

import { chmod, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { expect } from "chai";
import { openAuthenticator } from "#shared/adapters/auth.ts";
import { DevSecretError, mintDevToken, openDevSecret } from "#shared/adapters/dev-token.ts";

const NOW = 1_795_500_000_000;

describe("Dev tokens", () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "parley-dev-"));
  });
  afterEach(() => rm(dir, { recursive: true }));

  it("S2: gateways that start together agree on one secret with mode 600, and leave no other file", async () => {
    const file = join(dir, "deep", "dev-secret");
    // Each starts some iterations later: some find the file, some a draft, some nothing.
    const late = async (turns: number): Promise<string> => {
      for (let n = 0; n < turns; n++) await setImmediate();
      return Buffer.from(await openDevSecret(file)).toString("hex");
    };
    for (let round = 0; round < 10; round++) {
      const secrets = await Promise.all(Array.from({ length: 20 }, (_, n) => late(n)));
      expect(new Set(secrets).size, `round ${round}`).to.equal(1);
      expect(secrets[0]).to.have.length(64);
      if (round < 9) await rm(file);
    }
    expect((await stat(file)).mode & 0o777).to.equal(0o600);
    expect(await readdir(join(dir, "deep"))).to.deep.equal(["dev-secret"]);
  });

  it("S2: a dev token is accepted with all its claims until it expires", async () => {
    const file = join(dir, "dev-secret");
    const auth = await openAuthenticator({ auth: "dev", devSecretFile: file });
    const secret = await openDevSecret(file);
    const claims = { name: "Ada L.", rooms: { general: "member" }, admin: true, svc: true };
    const token = await mintDevToken(secret, { user: "ada@x.y", ...claims }, 60, NOW);
    expect(await auth.verify(token, NOW)).to.deep.equal({
      kind: "ok",
      identity: { user: "ada@x.y", ...claims, issuedAt: NOW, expiresAt: NOW + 120_000 },
    });
    expect(await auth.verify(token, NOW + 121_000)).to.include({ error: "token_expired" });
    expect(auth.keysLoaded).to.equal(true);
  });

  it("S2: a token that another secret signed is refused", async () => {
    const auth = await openAuthenticator({ auth: "dev", devSecretFile: join(dir, "dev-secret") });
    const other = await openDevSecret(join(dir, "other"));
    const token = await mintDevToken(other, { user: "ada" }, 60, NOW);
    expect(await auth.verify(token, NOW)).to.include({ error: "unauthorized" });
  });

  it("S2: a secret that other users can read, or that is not one, is refused with its cause", async () => {
    const file = join(dir, "dev-secret");
    await openDevSecret(file);
    await chmod(file, 0o644);
    const open = await openDevSecret(file).catch((error: unknown) => error);
    expect(open).to.be.instanceOf(DevSecretError).and.include({ code: "too_open" });
    await chmod(file, 0o600);
    await writeFile(file, "short\n");
    const short = await openDevSecret(file).catch((error: unknown) => error);
    expect(short).to.be.instanceOf(DevSecretError).and.include({ code: "unusable" });
    const nowhere = await openDevSecret(join(file, "below")).catch((error: unknown) => error);
    expect(nowhere).to.be.instanceOf(DevSecretError).and.include({ code: "unusable" });
  });
});
