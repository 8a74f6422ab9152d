// The secret of an invite: it ends at the gateway.

import { expect } from "chai";
import { inviteHash } from "#shared/adapters/invite-hash.ts";
import { idNumber } from "./http-fixture.ts";
import { GENERAL, SocketFixture } from "./socket-fixture.ts";

const SECRET = "a-secret-of-22-letters";
/** The base64url form of its SHA-256. */
const HASH = "QVkDSYzzRBRVM0gsIWGMrDNoAeyKq_FsVnJPQQzFz58";

describe("The secret of an invite", () => {
  it("M11: the owner gets its hash, and no message to an owner has the secret", async () => {
    await using fixture = await SocketFixture.open();
    const batches: string[] = [];
    fixture.broker.connect().subscribe("cmd.>", ({ data }) => {
      batches.push(new TextDecoder().decode(data));
    });
    fixture.owner.beat();
    const ada = await fixture.connect();
    for (const [n, t] of ["invite", "enter"].entries()) {
      const id = idNumber(n + 2);
      ada.sendFrames({ t, room: GENERAL, id, invite: idNumber(1), secret: SECRET });
      await ada.first((frame) => frame["id"] === id, `the answer to ${t}`);
      const sent = batches.filter((batch) => batch.includes(id)).join();
      expect(sent, t).to.include(`"hash":"${HASH}"`);
    }
    expect(batches.join()).not.to.include(SECRET);
  });

  it("M11: the hash of a secret is its SHA-256", () => {
    expect(inviteHash(SECRET)).to.equal(HASH);
  });
});
