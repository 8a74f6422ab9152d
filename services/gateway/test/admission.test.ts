import { expect } from "chai";
import type { UserId } from "#shared/protocol/ids.ts";
import { Admission } from "../core/admission.ts";
import { CONNECTIONS_PER_ADDRESS_MAX } from "../core/bounds.ts";

const peer = (user: string, address = "192.0.2.1") => ({ user: user as UserId, address });

function passes(admission: Admission, count: number, user: (n: number) => string): number {
  let passed = 0;
  for (let n = 0; n < count; n++) if (admission.take("send", peer(user(n)), 0).ok) passed++;
  return passed;
}

describe("Admission", () => {
  it("S5: one user's burst does not touch another's", () => {
    const admission = new Admission(true);
    expect(passes(admission, 100, () => "ada")).to.equal(60);
    expect(passes(admission, 100, () => "bob")).to.equal(60);
  });

  it("S5: an address may do what fifty users may, and no more", () => {
    expect(passes(new Admission(true), 5_000, (n) => `user-${n}`)).to.equal(60 * 50);
  });

  it("S5: a refused action says when it will pass", () => {
    const admission = new Admission(true);
    for (let n = 0; n < 6; n++) admission.take("typing", peer("ada"), 0);
    const verdict = admission.take("typing", peer("ada"), 0);
    expect(verdict).to.deep.equal({ ok: false, afterMs: 500 });
    expect(admission.take("typing", peer("ada"), 500).ok).to.equal(true);
  });

  it("S5: connections of an address are counted and given back", () => {
    const admission = new Admission(true);
    for (let n = 0; n < CONNECTIONS_PER_ADDRESS_MAX; n++) {
      expect(admission.connect("192.0.2.1")).to.equal(true);
    }
    expect(admission.connect("192.0.2.1")).to.equal(false);
    expect(admission.connect("192.0.2.2")).to.equal(true);
    admission.disconnect("192.0.2.1");
    expect(admission.connect("192.0.2.1")).to.equal(true);
  });

  it("S5: switched off, everything passes", () => {
    const admission = new Admission(false);
    expect(passes(admission, 1_000, () => "ada")).to.equal(1_000);
    expect(admission.enter("ada" as UserId)).to.equal(true);
  });
});
