// Client frames: a broken frame gets exactly one typed error, and a valid frame is decoded.

import { expect } from "chai";
import * as fc from "fast-check";
import { checkBody, decodeClientFrames } from "../client-frames.ts";
import type { DecodedFrame } from "../client-frames.ts";
import { ERRORS } from "../errors.ts";
import type { Body } from "../events.ts";
import { BODY_BYTES_MAX, BODY_DEPTH_MAX } from "../limits.ts";
import * as arbitrary from "./arbitraries.ts";

const ID = "01995f2e-7b3a-7c4d-8e5f-0123456789ab";
const SEND = { t: "send", room: "general", id: ID, body: { text: "hi" } };

function one(frame: unknown): DecodedFrame {
  const decoded = decodeClientFrames(typeof frame === "string" ? frame : JSON.stringify(frame));
  expect(decoded).to.have.length(1);
  return decoded[0]!;
}

/** The error's name, or "ok". */
function verdict(frame: unknown): string {
  const decoded = one(frame);
  return decoded.kind === "frame" ? "ok" : decoded.error;
}

/** `depth` levels of objects around nothing. */
function nested(depth: number, brackets: "{}" | "[]" = "{}"): string {
  return brackets === "{}"
    ? `${'{"a":'.repeat(depth - 1)}{}${"}".repeat(depth - 1)}`
    : `${"[".repeat(depth)}${"]".repeat(depth)}`;
}

describe("Client frames", () => {
  it("F1: a text frame has one object, or several that are decoded in order", () => {
    const ping = '{"t":"ping","ref":1}';
    expect(decodeClientFrames(ping)).to.deep.equal([
      { kind: "frame", frame: { t: "ping", ref: 1 } },
    ]);
    const several = `${ping}\n{"t":"nonsense"}\n\n  \n${JSON.stringify(SEND)}\n`;
    expect(
      decodeClientFrames(several).map((item) =>
        item.kind === "frame" ? item.frame.t : item.error,
      ),
    ).to.deep.equal(["ping", "unknown_type", "send"]);
  });

  it("F1: decodes every kind of frame, with and without its optional fields", () => {
    const frames = [
      { t: "hello", token: "t" },
      { t: "hello", token: "t", session: "s", client: "web/1.0" },
      { t: "join", ref: 1, room: "general" },
      { t: "join", ref: -1, room: "general", after: 0, tail: 200 },
      { t: "leave", ref: 1, room: "general" },
      SEND,
      { ...SEND, replyTo: 1, trace: "00-ab-cd-01" },
      { ...SEND, mentions: ["ada", "ben"] },
      { ...SEND, mentions: "@room" },
      { ...SEND, t: "edit", target: 3 },
      { ...SEND, t: "edit", target: 3, mentions: ["ada"] },
      { t: "read", room: "general", seq: 3 },
      { t: "rooms", ref: 1 },
      { t: "rooms", ref: 1, after: "9.general", limit: 200 },
      { t: "typing", room: "general", on: true },
      { t: "history", ref: 1, room: "general", limit: 1 },
      { t: "history", ref: 1, room: "general", limit: 200, before: 41 },
      { t: "refresh", ref: 1, token: "t" },
      { t: "ping", ref: 0 },
    ];
    for (const frame of frames) {
      expect(one(frame)).to.deep.equal({ kind: "frame", frame });
    }
  });

  it("F3: an unknown type gets unknown_type, also the name of an inherited property", () => {
    for (const t of [
      "",
      "SEND",
      "shout",
      "__proto__",
      "constructor",
      "toString",
      "hasOwnProperty",
    ]) {
      expect(verdict({ ...SEND, t }), t).to.equal("unknown_type");
    }
  });

  it("F3: drops unknown fields, which change nothing", () => {
    const text = JSON.stringify(SEND).replace(
      "{",
      '{"__proto__":{"on":true},"admin":true,"x":[[[]]],',
    );
    const decoded = one(text);
    expect(decoded).to.deep.equal({ kind: "frame", frame: SEND });
    expect(decoded.kind === "frame" && "on" in decoded.frame).to.equal(false);
  });

  it("F4: a text that is not an object gets one bad_frame", () => {
    const broken = ["", " ", "\n", "\n\n \n", "{", "}", "null", "1", '"t"', "[]", "[{}]", "{}"];
    broken.push(
      "{'t':'ping'}",
      '{"t":"ping","ref":1}}',
      "undefined",
      "\u0000",
      '{"t":1}',
      '{"t":["ping"]}',
    );
    for (const text of broken) expect(verdict(text), JSON.stringify(text)).to.equal("bad_frame");
  });

  it("F4: a field of a wrong type or outside its range gets one bad_frame that names it", () => {
    const cases: [string, object][] = [
      ["token", { t: "hello" }],
      ["token", { t: "hello", token: "" }],
      ["token", { t: "hello", token: "x".repeat(8_193) }],
      ["client", { t: "hello", token: "t", client: "x".repeat(65) }],
      ["ref", { t: "join", room: "general" }],
      ["ref", { t: "join", room: "general", ref: "1" }],
      ["ref", { t: "join", room: "general", ref: 1.5 }],
      ["ref", { t: "join", room: "general", ref: 2 ** 53 }],
      ["after", { t: "join", room: "general", ref: 1, after: -1 }],
      ["after", { t: "join", room: "general", ref: 1, after: null }],
      ["tail", { t: "join", room: "general", ref: 1, tail: 201 }],
      ["room", { t: "leave", ref: 1, room: 7 }],
      ["body", { ...SEND, body: undefined }],
      ["body", { ...SEND, body: "hi" }],
      ["body", { ...SEND, body: ["hi"] }],
      ["body", { ...SEND, body: null }],
      ["replyTo", { ...SEND, replyTo: 0 }],
      ["trace", { ...SEND, trace: "x".repeat(129) }],
      ["on", { t: "typing", room: "general", on: 1 }],
      ["limit", { t: "history", ref: 1, room: "general" }],
      ["limit", { t: "history", ref: 1, room: "general", limit: 0 }],
      ["limit", { t: "history", ref: 1, room: "general", limit: 201 }],
      ["before", { t: "history", ref: 1, room: "general", limit: 1, before: 1, after: 1 }],
    ];
    for (const [field, frame] of cases) {
      const decoded = one(frame);
      expect(decoded, JSON.stringify(frame)).to.include({ kind: "refused", error: "bad_frame" });
      expect(decoded).to.have.property("message").that.includes(field);
    }
  });

  it("field-fault.1: a refused frame names the field, and the expected value", () => {
    for (const [frame, message] of [
      [
        { t: "join", room: "general" },
        "The field ref is missing: expected a whole number from -9007199254740991 to 9007199254740991.",
      ],
      [
        { t: "join", ref: 1, room: "<b>" },
        "The field room is not valid: expected text that matches ^[A-Za-z0-9_-]{1,64}$.",
      ],
      [
        { t: "history", ref: 1, room: "general", limit: 201 },
        "The field limit is not valid: expected a whole number from 1 to 200.",
      ],
      [
        { t: "typing", room: "general", on: "yes" },
        "The field on is not valid: expected true or false.",
      ],
      [{ ...SEND, body: "hi" }, "The field body is not valid: expected a JSON object."],
      [
        { t: "hello", token: "" },
        "The field token is not valid: expected text of 1 to 8192 characters.",
      ],
      [{}, 'The field t is missing: expected a frame type such as "join".'],
    ] as const) {
      expect(one(frame)).to.have.property("message", message);
    }
    expect(one({ ...SEND, body: { text: "\u0000" } }))
      .to.have.property("message")
      .that.matches(/^The field body is not valid: expected a JSON object of at most 32 levels/);
  });

  it("F4: an error echoes the ref and the id of the broken frame when they are valid", () => {
    expect(one({ t: "join", ref: 7, room: "no room" })).to.include({ ref: 7 });
    expect(one({ ...SEND, id: "not-a-uuid" })).to.include({ id: "not-a-uuid" });
    expect(one({ t: "shout", ref: 7, id: ID })).to.include({ ref: 7, id: ID });
    for (const ref of [1.5, "7", null, 2 ** 60, [7]]) {
      expect(one({ t: "join", ref, room: "no room" })).not.to.have.property("ref");
    }
    for (const id of ["x".repeat(65), "a\u0000b", "\ud800", 7, null, { toString: "x" }]) {
      expect(one({ ...SEND, id })).not.to.have.property("id");
    }
  });

  it("N1: refuses every room id that does not match the pattern", () => {
    const hostile = [
      "",
      "a.b",
      "a*",
      ">",
      "a b",
      "ä",
      "x".repeat(65),
      "a\n",
      "a\u0000",
      "../x",
      "$JS",
    ];
    for (const room of hostile) {
      expect(verdict({ ...SEND, room }), JSON.stringify(room)).to.equal("bad_frame");
      expect(verdict({ t: "join", ref: 1, room })).to.equal("bad_frame");
    }
    for (const room of ["a", "A-1_z", "x".repeat(64)])
      expect(verdict({ ...SEND, room })).to.equal("ok");
  });

  it("N2: a message id that is not a canonical UUIDv7 gets bad_id", () => {
    const wrong = [
      "",
      ID.toUpperCase(),
      ID.replace("-7c4d", "-4c4d"),
      ID.replace("-8e5f", "-7e5f"),
      ID.replaceAll("-", ""),
      `${ID}\n`,
      `{${ID}}`,
      ID.slice(1),
    ];
    for (const id of wrong) expect(verdict({ ...SEND, id }), id).to.equal("bad_id");
    expect(verdict({ ...SEND, id: 7 })).to.equal("bad_frame");
    fc.assert(
      fc.property(arbitrary.messageId, (id) => {
        expect(verdict({ ...SEND, id })).to.equal("ok");
      }),
    );
  });

  it("F8: refuses JSON that a store would change: an inexact number, a repeated key", () => {
    const send = (body: string): string =>
      JSON.stringify(SEND).replace('{"text":"hi"}', () => body);
    for (const body of [
      '{"n":9007199254740993}',
      '{"n":[0.12345678901234567891]}',
      '{"a":{"n":1e-400}}',
      '{"text":"a","text":"b"}',
      '{"a":[{"b":1,"\\u0062":2}]}',
    ])
      expect(verdict(send(body)), body).to.equal("bad_frame");
    for (const body of ['{"n":9007199254740991,"e":1.50}', '{"text":"\\"n\\":9007199254740993"}'])
      expect(verdict(send(body)), body).to.equal("ok");
    const twice = '{"t":"join","ref":7,"room":"general","room":"other"}';
    expect(one(twice)).to.include({ error: "bad_frame", ref: 7 });
  });

  it("U3, U9: refuses mentions of something else than at most 50 users or everyone", () => {
    const users = (count: number): string[] => Array.from({ length: count }, (_, i) => `u${i}`);
    expect(verdict({ ...SEND, mentions: users(50) })).to.equal("ok");
    expect(verdict({ ...SEND, mentions: [] })).to.equal("ok");
    for (const mentions of [users(51), "@here", "ada", [""], [3], ["a\u0000"], {}, null]) {
      expect(verdict({ ...SEND, mentions }), JSON.stringify(mentions)).to.equal("bad_frame");
      const edit = { ...SEND, t: "edit", target: 3, mentions };
      expect(verdict(edit), JSON.stringify(mentions)).to.equal("bad_frame");
    }
    for (const seq of [0, -1, 1.5, "3", undefined]) {
      expect(verdict({ t: "read", room: "general", seq })).to.equal("bad_frame");
    }
    for (const more of [{ limit: 0 }, { limit: 201 }, { after: "general" }, { after: 3 }]) {
      expect(verdict({ t: "rooms", ref: 1, ...more })).to.equal("bad_frame");
    }
  });

  it("F2: bounds a body to the byte, measured as UTF-8", () => {
    const ofSize = (bytes: number, filler: string): Body => {
      const free = bytes - JSON.stringify({ a: "" }).length;
      const width = new TextEncoder().encode(filler).length;
      return { a: filler.repeat(Math.floor(free / width)) + "x".repeat(free % width) };
    };
    for (const filler of ["x", "é", "€", "🎉"]) {
      const [fits, exceeds] = [ofSize(BODY_BYTES_MAX, filler), ofSize(BODY_BYTES_MAX + 1, filler)];
      expect(new TextEncoder().encode(JSON.stringify(fits)).length).to.equal(BODY_BYTES_MAX);
      expect(verdict({ ...SEND, body: fits }), filler).to.equal("ok");
      expect(verdict({ ...SEND, body: exceeds }), filler).to.equal("too_large");
    }
  });

  it("F2: bounds the levels of a body, and refuses a much deeper body without an exception", () => {
    const send = (body: string): string =>
      JSON.stringify(SEND).replace('{"text":"hi"}', () => body);
    expect(verdict(send(nested(BODY_DEPTH_MAX)))).to.equal("ok");
    expect(verdict(send(nested(BODY_DEPTH_MAX + 1)))).to.equal("bad_frame");
    expect(verdict(send(`{"a":${nested(BODY_DEPTH_MAX - 1, "[]")}}`))).to.equal("ok");
    expect(verdict(send(`{"a":${nested(BODY_DEPTH_MAX, "[]")}}`))).to.equal("bad_frame");
    expect(verdict(send(nested(10_000)))).to.equal("bad_frame");
    expect(verdict(send(`{"a":${nested(30_000, "[]")}}`))).to.equal("bad_frame");
    // The same depth where no field is read, and as the whole frame.
    expect(verdict(JSON.stringify(SEND).replace("{", `{"x":${nested(30_000, "[]")},`))).to.equal(
      "ok",
    );
    expect(verdict(nested(30_000, "[]"))).to.equal("bad_frame");
    expect(verdict(nested(10_000))).to.equal("bad_frame");
  });

  it("F2: refuses a value that a store cannot keep at every place in a body", () => {
    const hidden = (json: string): string[] =>
      [`{"a":${json}}`, `{"a":[1,{"b":[${json}]}]}`].map((body) =>
        JSON.stringify(SEND).replace('{"text":"hi"}', () => body),
      );
    for (const json of ['"\\u0000"', '"a\\ud800"', '"\\udc00b"', "1e999", "-1e999"]) {
      for (const text of hidden(json)) expect(verdict(text), text).to.equal("bad_frame");
    }
    for (const key of ["\\u0000", "\\ud800", "__proto__"]) {
      const keyed = [`{"${key}":1}`, `{"a":[{"b":{"${key}":{}}}]}`];
      for (const body of keyed) {
        const text = JSON.stringify(SEND).replace('{"text":"hi"}', () => body);
        expect(verdict(text), text).to.equal("bad_frame");
      }
    }
    const harmless = '{"constructor":1,"toString":2,"toJSON":3,"a":"\\ud83c\\udf89","n":-0.0}';
    expect(verdict(JSON.stringify(SEND).replace('{"text":"hi"}', () => harmless))).to.equal("ok");
  });

  it("F2: passes any clean body unchanged", () => {
    fc.assert(
      fc.property(arbitrary.body, (body) => {
        const decoded = one({ ...SEND, body });
        expect(decoded).to.deep.equal({
          kind: "frame",
          frame: { ...SEND, body: JSON.parse(JSON.stringify(body)) as unknown },
        });
        expect(checkBody(body)).to.equal(undefined);
      }),
    );
  });

  it("F4: every text gets a frame or an error, and no text makes the decoder throw", () => {
    const field = fc.constantFrom(
      "t",
      "room",
      "id",
      "body",
      "ref",
      "after",
      "tail",
      "limit",
      "token",
      "on",
      "__proto__",
    );
    const value = fc.oneof(
      fc.constantFrom("hello", "join", "leave", "send", "typing", "history", "refresh", "ping", ID),
      fc.jsonValue({ stringUnit: "binary" }),
    );
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      arbitrary.hostileJson,
      fc.array(fc.tuple(field, value)).map((pairs) => {
        const members = pairs.map(
          ([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`,
        );
        return `{${members.join(",")}}`;
      }),
    );
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 4 }), (texts) => {
        const decoded = decodeClientFrames(texts.join("\n"));
        expect(decoded.length).to.be.at.least(1);
        for (const item of decoded) {
          if (item.kind === "refused") expect(ERRORS).to.have.property(item.error);
          else expect(item.frame).to.have.property("t");
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
