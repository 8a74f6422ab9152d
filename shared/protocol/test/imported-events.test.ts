// Imported events: what this system wrote can be imported, and nothing that it would not write.

import { expect } from "chai";
import * as fc from "fast-check";
import { decodeEvent, encodeEvent } from "../events.ts";
import { isImportable } from "../imported-events.ts";

const ID = "0199d3c0-0000-7000-8000-000000000001";
const HEAD = { room: "general", seq: 3, id: ID, from: "ada", at: 9 };
const HASH = "h".repeat(43);
const DELETED = { by: "ada", at: 9, seq: 4 };

const VALID: readonly object[] = [
  { t: "msg", body: { text: "hi" }, replyTo: 1, thread: 1, mentions: ["ben"] },
  { t: "msg", body: {}, deleted: DELETED },
  { t: "msg", body: {}, mentions: "@room" },
  { t: "edited", target: 1, body: {}, deleted: DELETED },
  { t: "edited", target: 1, body: {}, mentions: ["ben"] },
  { t: "deleted", target: 1, reason: "spam" },
  { t: "reacted", target: 1, emoji: "👍", on: true },
  { t: "pinned", target: 1, on: false },
  { t: "member", user: "ben", role: "none", banned: true, mutedUntil: 5, invite: ID, use: 1 },
  { t: "invite", invite: ID, hash: HASH, role: "reader", until: 9, uses: 2 },
  { t: "invite", invite: ID, revoked: true },
  { t: "room", kind: "closed", title: "x", sendRole: "owner", slowMode: 5, slowFrom: 1 },
];
/** What each kind refuses. */
const WRONG: readonly (readonly [string, object])[] = [
  ["msg", { body: 3 }],
  ["msg", { body: { text: "x".repeat(20_000) } }],
  ["msg", { replyTo: 0 }],
  ["msg", { mentions: [""] }],
  ["msg", { deleted: { by: "ada" } }],
  ["edited", { target: undefined }],
  ["edited", { mentions: "@here" }],
  ["deleted", { reason: 3 }],
  ["reacted", { emoji: "text" }],
  ["reacted", { on: 1 }],
  ["pinned", { target: 1.5 }],
  ["member", { role: "king" }],
  ["member", { banned: false }],
  ["member", { user: "" }],
  ["member", { mutedUntil: 0 }], // A write that ends a mute leaves no end in its event.
  ["invite", { hash: "short" }],
  ["invite", { uses: 0 }],
  ["room", { kind: "secret" }],
  ["room", { title: "x".repeat(300) }],
  ["room", { slowMode: -1 }],
];
const HEAD_WRONG: readonly object[] = [
  { t: "later" },
  { t: "toString" },
  { room: "a b" },
  { seq: 0 },
  { id: "1" },
  { from: "" },
  { at: -1 },
];

describe("Imported events", () => {
  it("imported-events.1: takes every kind as this system writes it", () => {
    for (const more of VALID) {
      const event = { ...HEAD, ...more };
      expect(isImportable(event), JSON.stringify(event)).to.equal(true);
      const line = encodeEvent(event as never);
      expect(isImportable(decodeEvent(line)), line).to.equal(true);
    }
  });

  it("imported-events.1: refuses a wrong type, a bound that is exceeded, and another kind", () => {
    for (const [t, more] of WRONG) {
      const valid = VALID.find((one) => (one as { t: string }).t === t);
      const event = { ...HEAD, ...valid, ...more };
      expect(isImportable(event), JSON.stringify(more)).to.equal(false);
    }
    for (const more of HEAD_WRONG) {
      expect(isImportable({ ...HEAD, ...VALID[0], ...more }), JSON.stringify(more)).to.equal(false);
    }
    for (const value of [undefined, null, 3, "x", [], {}]) {
      expect(isImportable(value)).to.equal(false);
    }
  });

  it("imported-events.1: throws for no value", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...VALID),
        fc.dictionary(fc.string(), fc.jsonValue()),
        (one, more) => {
          expect(isImportable({ ...HEAD, ...one, ...more })).to.be.a("boolean");
        },
      ),
    );
  });
});
