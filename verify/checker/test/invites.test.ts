// Checker: invites. Guests who enter as an invite permits have no violation; all others have one.

import { expect } from "chai";
import type { MessageId } from "#shared/protocol/ids.ts";
import { check } from "../check.ts";
import { idOfWrite } from "../write-ids.ts";

const AT = 1_000;
const ID = "0199f000-0000-7000-8000-0000000000a1" as MessageId;

interface Draft {
  readonly t: string;
  readonly from?: string;
  readonly [key: string]: unknown;
}

const CREATED: readonly Draft[] = [
  { t: "room", kind: "closed", id: ID },
  { t: "member", user: "ada", role: "owner", id: idOfWrite(ID, 1) },
];
const INVITE: Draft = { t: "invite", invite: "i3", role: "member", until: AT + 10, uses: 2 };
const enter = (user: string, use: number, more: object = {}): Draft => ({
  t: "member",
  from: user,
  user,
  role: "member",
  invite: "i3",
  use,
  ...more,
});

function judged(...drafts: readonly Draft[]): number[] {
  const lines = [...CREATED, ...drafts].map(({ from = "ada", ...rest }, i) =>
    JSON.stringify({
      room: "plans",
      seq: i + 1,
      id: `i${i + 1}`,
      from,
      at: i < 2 ? AT : AT + i,
      ...rest,
    }),
  );
  return check({ records: [], archive: lines, log: [] })
    .violations.filter(({ invariant }) => invariant === "I16")
    .map(({ detail }) => Number(/^plans (\d+):/.exec(detail)?.[1]));
}

describe("check: invites", () => {
  it("I16: guests enter with the next use of an open invite", () => {
    expect(judged(INVITE, enter("eve", 1), enter("dan", 2))).to.deep.equal([]);
    const revoke: Draft = { t: "invite", invite: "i3", revoked: true };
    expect(judged(INVITE, enter("eve", 1), revoke)).to.deep.equal([]);
    expect(judged(INVITE, revoke, enter("eve", 1))).to.deep.equal([5]);
  });

  it("I16: a use too many, twice, behind the end, with another role, or of no invite is a violation", () => {
    expect(judged(INVITE, enter("eve", 1), enter("dan", 2), enter("fay", 3))).to.deep.equal([6]);
    expect(judged(INVITE, enter("eve", 1), enter("dan", 1))).to.deep.equal([5]);
    expect(judged(INVITE, enter("eve", 1, { at: AT + 10 }))).to.deep.equal([4]);
    expect(judged(INVITE, enter("eve", 1, { role: "owner" }))).to.deep.equal([4]);
    expect(judged(enter("eve", 1))).to.deep.equal([3]);
    expect(judged({ t: "member", from: "eve", user: "eve", role: "member" })).to.deep.equal([3]);
  });

  it("I16: only a moderator of a closed room makes or revokes an invite", () => {
    expect(judged({ ...INVITE, from: "eve" })).to.deep.equal([3]);
    expect(judged(INVITE, { t: "invite", from: "eve", invite: "i3", revoked: true })).to.deep.equal(
      [4],
    );
  });
});
