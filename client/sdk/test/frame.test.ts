// Frames as the SDK reads them: what is taken, what is ignored, and what counts as broken.

import { expect } from "chai";
import { decodeFrame } from "../core/frame.ts";
import { tokenExpiry } from "../core/token-expiry.ts";
import { fakeToken } from "./client-fixture.ts";

const decode = (value: unknown) => decodeFrame(JSON.stringify(value));
const EVENT = { t: "msg", room: "r", seq: 1, id: "i", from: "ada", at: 5 };

const FRAMES = [
  { t: "welcome", session: "s", user: "ada", at: 1, pingMs: 2 },
  { t: "joined", ref: 1, room: "r", born: "b", head: 2, from: 1, here: 3 },
  { t: "caught-up", room: "r", seq: 1 },
  { t: "ack", id: "i", seq: 1, at: 2 },
  { t: "error", name: "busy", message: "m", retry: true },
  { t: "presence", room: "r" },
  { t: "typing", room: "r", user: "ada", on: true },
  { t: "page", ref: 1, more: false, events: [] },
  { t: "refreshed", ref: 1, until: 2 },
  { t: "reconnect", afterMs: 1 },
] as const;

describe("SDK frames", () => {
  it("F3: each known frame is taken as it is", () => {
    for (const frame of FRAMES) {
      expect(decode(frame), frame.t).to.deep.equal({ kind: "frame", frame });
    }
  });

  it("F3: a known frame that lacks a field, or has one of a wrong type, is broken", () => {
    for (const frame of FRAMES) {
      const fields = Object.keys(frame).filter((name) => name !== "t" && name !== "here");
      for (const field of fields) {
        const { [field as "t"]: _field, ...without } = frame;
        expect(decode({ ...without, t: frame.t }), `${frame.t} without ${field}`).to.deep.equal({
          kind: "broken",
        });
        const wrong = decode({ ...frame, [field]: null });
        expect(wrong, `${frame.t} with ${field}`).to.deep.equal({ kind: "broken" });
      }
    }
  });

  it("F3: a frame that is no object with a type is broken, an unknown type is ignored", () => {
    for (const line of ["", "{", "[]", "null", "7", "{}", '{"t":7}']) {
      expect(decodeFrame(line), line).to.deep.equal({ kind: "broken" });
    }
    for (const frame of [{ t: "pong", ref: 1 }, { t: "left" }, { t: "toString" }, { t: "new" }]) {
      expect(decode(frame), frame.t).to.deep.equal({ kind: "ignored" });
    }
  });

  it("F3: a numbered event of any kind is an event, one with a broken field is not", () => {
    expect(decode(EVENT)).to.deep.equal({ kind: "event", event: EVENT });
    const later = { ...EVENT, t: "of-a-later-version" };
    expect(decode(later)).to.deep.equal({ kind: "event", event: later });
    for (const broken of [{ seq: 1.5 }, { seq: 2 ** 53 }, { seq: "1" }, { id: 7 }, { at: null }]) {
      expect(decode({ ...EVENT, ...broken }), JSON.stringify(broken)).to.deep.equal({
        kind: "ignored",
      });
    }
  });

  it("F6: an error with a name of a later version counts by its retry", () => {
    const error = { t: "error", message: "m", name: "of-a-later-version" };
    expect(decode({ ...error, retry: true })).to.have.nested.property("frame.name", "unavailable");
    expect(decode({ ...error, retry: false })).to.have.nested.property("frame.name", "conflict");
    const inherited = decode({ ...error, name: "toString", retry: true });
    expect(inherited).to.have.nested.property("frame.name", "unavailable");
  });

  it("A2: a count or a list of names of a wrong type counts as absent", () => {
    const joined = { t: "joined", ref: 1, room: "r", born: "b", head: 2, from: 1 };
    expect(decode({ ...joined, here: "3" })).to.have.nested.property("frame.here", 0);
    const presence = { t: "presence", room: "r" };
    const good = { ...presence, join: ["a"], leave: ["b"], here: 1, all: true };
    expect(decode({ ...good, other: 1 })).to.deep.equal({ kind: "frame", frame: good });
    const wrong = { ...presence, join: "a", leave: ["b", 7], here: "1", all: "yes" };
    expect(decode(wrong)).to.deep.equal({ kind: "frame", frame: presence });
  });

  it("O12: a page whose events are none is broken", () => {
    const page = { t: "page", ref: 1, more: true };
    expect(decode({ ...page, events: [EVENT] })).to.have.nested.property("kind", "frame");
    for (const events of [[null], [{ ...EVENT, seq: "1" }], [EVENT, {}], {}]) {
      expect(decode({ ...page, events })).to.deep.equal({ kind: "broken" });
    }
  });
});

describe("Token expiry", () => {
  it("S4: the exp of a JWT is read, with and without padding and beyond ASCII", () => {
    for (const user of ["a", "ab", "abc", "ü", "☃", "𝄞"]) {
      expect(tokenExpiry(fakeToken(user, 1_795_500_000)), user).to.equal(1_795_500_000_000);
    }
    expect(tokenExpiry(`x.${btoa('{"exp":7}')}==.y`)).to.equal(7_000);
    expect(
      tokenExpiry(`x.${Buffer.from('{"a":"?>~","exp":0.5}').toString("base64url")}.y`),
    ).to.equal(500);
  });

  it("S4: a token that is no JWT, or has no end, gives no expiry", () => {
    const payload = (text: string) => `x.${Buffer.from(text).toString("base64url")}.y`;
    const none = ["", "ada", "a.b", "x.%%%.y", "x..y", payload("{"), payload("[]"), payload("{}")];
    const odd = [payload('{"exp":"7"}'), payload('{"exp":1e999}'), payload('{"exp":null}')];
    for (const token of [...none, ...odd]) expect(tokenExpiry(token), token).to.equal(undefined);
  });
});
