// The sign-ins of the admin page: their bounds.

import { expect } from "chai";
import type { UserId } from "#shared/protocol/ids.ts";
import {
  IDLE_MS_MAX,
  SIGN_IN_MS_MAX,
  SIGN_INS_MAX,
  SIGN_INS_PER_USER_MAX,
  SignIns,
} from "../core/sign-ins.ts";

const identity = (user: string, expiresAt = Infinity) => ({ user: user as UserId, expiresAt });
const secrets = (n: number) => ({ id: `id ${n}`, csrf: `csrf ${n}` });

describe("The sign-ins of the admin page", () => {
  it("AP3, sign-ins.2: a further sign-in of a user ends the least recently used one", () => {
    const signIns = new SignIns(() => false);
    for (let n = 0; n < SIGN_INS_PER_USER_MAX; n++) signIns.add(secrets(n), identity("ada"), n);
    signIns.use("id 0", 10);
    signIns.add(secrets(99), identity("ada"), 11);
    expect(signIns.size).to.equal(SIGN_INS_PER_USER_MAX);
    expect(signIns.use("id 1", 12)).to.equal(undefined);
    expect(signIns.use("id 0", 12)).to.include({ user: "ada", csrf: "csrf 0" });
  });

  it("AP3, sign-ins.2: without a free place a user is refused, until one has ended", () => {
    const signIns = new SignIns(() => false);
    for (let n = 0; n < SIGN_INS_MAX; n++) signIns.add(secrets(n), identity(`user ${n}`), 0);
    expect(signIns.add(secrets(-1), identity("late"), 1)).to.equal(undefined);
    signIns.end("id 7");
    expect(signIns.add(secrets(-1), identity("late"), 1)).to.include({ user: "late" });
  });

  it("AP3, sign-ins.1, sign-ins.3: it ends with its token, after its longest time, and by a revocation", () => {
    let isRevoked = false;
    const signIns = new SignIns(() => isRevoked);
    expect(signIns.add(secrets(1), identity("ada", 50), 0)).to.include({ endsAt: 50 });
    expect(signIns.use("id 1", 49)).to.include({ user: "ada" });
    expect(signIns.use("id 1", 50)).to.equal(undefined);
    expect(signIns.add(secrets(2), identity("ada"), 0)).to.include({ endsAt: SIGN_IN_MS_MAX });
    isRevoked = true;
    expect(signIns.use("id 2", 60)).to.equal(undefined);
    isRevoked = false;
    expect(signIns.use("id 2", 61)).to.equal(undefined);
  });

  it("AP3, sign-ins.1: it ends after a time without use, and each use begins that time again", () => {
    const signIns = new SignIns(() => false);
    signIns.add(secrets(1), identity("ada"), 0);
    expect(signIns.use("id 1", IDLE_MS_MAX - 1)).to.include({ user: "ada" });
    expect(signIns.use("id 1", 2 * IDLE_MS_MAX - 2)).to.include({ user: "ada" });
    expect(signIns.use("id 1", 3 * IDLE_MS_MAX - 2)).to.equal(undefined);
    expect(signIns.size).to.equal(0);
  });

  it("AP3, sign-ins.1, sign-ins.2: a sign-in that has ended leaves its place to a new one", () => {
    const signIns = new SignIns(() => false);
    for (let n = 0; n < SIGN_INS_MAX; n++) signIns.add(secrets(n), identity(`user ${n}`, 50), 0);
    expect(signIns.add(secrets(-1), identity("late"), 49)).to.equal(undefined);
    expect(signIns.add(secrets(-1), identity("late"), 50)).to.include({ user: "late" });
    expect(signIns.size).to.equal(1);
  });

  it("AP3, E6, sign-ins.3: a revocation is judged by the user and the issue time of the token, at the moment of use", () => {
    const asked: unknown[] = [];
    const signIns = new SignIns((token, now) => {
      asked.push([token, now]);
      return false;
    });
    signIns.add(secrets(1), { ...identity("ada"), issuedAt: 7 }, 10);
    signIns.use("id 1", 11);
    signIns.end("id 1");
    signIns.add(secrets(2), identity("grace"), 12);
    signIns.use("id 2", 13);
    expect(asked).to.deep.equal([
      [{ user: "ada", issuedAt: 7 }, 11],
      [{ user: "grace" }, 13],
    ]);
  });
});
