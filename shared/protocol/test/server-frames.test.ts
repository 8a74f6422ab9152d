// Server frames: which frames the SDK decodes, which it ignores, and which are broken.

import { expect } from "chai";
import { decodeServerFrame, encodeServerFrame } from "../server-frames.ts";
import type { ServerFrame } from "../server-frames.ts";

const decode = (value: object) => decodeServerFrame(JSON.stringify(value));
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

describe("Server frames", () => {
  it("server-frames.1: decodes each known frame as it was encoded", () => {
    for (const frame of FRAMES) {
      expect(decodeServerFrame(encodeServerFrame(frame as ServerFrame)), frame.t).to.deep.equal({
        kind: "frame",
        frame,
      });
    }
  });

  it("F3: a known frame without a required field, or with a field of a wrong type, is broken", () => {
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

  it("F3: a text that is not an object with a type is broken, and an unknown type is ignored", () => {
    for (const line of ["", "{", "[]", "null", "7", "{}", '{"t":7}']) {
      expect(decodeServerFrame(line), line).to.deep.equal({ kind: "broken" });
    }
    for (const frame of [{ t: "pong", ref: 1 }, { t: "toString" }, { t: "new" }]) {
      expect(decodeServerFrame(encodeServerFrame(frame as ServerFrame)), frame.t).to.deep.equal({
        kind: "ignored",
      });
    }
  });

  it("M8: `left` has a room, with or without the request that it answers", () => {
    const news = { t: "left", room: "general", reason: "banned", seq: 4 };
    expect(decode(news)).to.deep.equal({ kind: "frame", frame: news });
    expect(decode({ t: "left" })).to.deep.equal({ kind: "broken" });
  });

  it("F3: a numbered event of any kind is an event, and one with a broken field is ignored", () => {
    expect(decode(EVENT)).to.deep.equal({ kind: "event", event: EVENT });
    const later = { ...EVENT, t: "of-a-later-version" };
    expect(decode(later)).to.deep.equal({ kind: "event", event: later });
    for (const broken of [{ seq: 1.5 }, { seq: 2 ** 53 }, { seq: "1" }, { id: 7 }, { at: null }]) {
      expect(decode({ ...EVENT, ...broken }), JSON.stringify(broken)).to.deep.equal({
        kind: "ignored",
      });
    }
  });

  it("F6: an error of a newer server keeps its retry and gets a known name", () => {
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

  it("O12: a page with a broken event is broken", () => {
    const page = { t: "page", ref: 1, more: true };
    expect(decode({ ...page, events: [EVENT] })).to.have.nested.property("kind", "frame");
    for (const events of [[null], [{ ...EVENT, seq: "1" }], [EVENT, {}], {}]) {
      expect(decode({ ...page, events })).to.deep.equal({ kind: "broken" });
    }
  });
});
