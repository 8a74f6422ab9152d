// The parts of `parley chat`: texts in columns, the composer, the rows of messages, scrolling.

import { expect } from "chai";
import { array, assert, constantFrom, integer, nat, oneof, property, string } from "fast-check";
import type { RoomEvent } from "#shared/protocol/events.ts";
import type { ShownMessage } from "../../../sdk/timeline/shown-message.ts";
import type { TimelineEntry } from "../../../sdk/timeline/timeline.ts";
import { composerLines, composerOf, edit, insert, textIn } from "../text-field.ts";
import { messageRights } from "../../../web/store/room-rights.ts";
import { barText, CHANGES, refusalOf } from "../offers.ts";
import type { ChangeKey, Standing } from "../offers.ts";
import { mentionsOf, mentionsOfEdit } from "../typed-mentions.ts";
import { Rows } from "../rows.ts";
import type { Row } from "../rows.ts";
import { revealing, scrolled, viewOf } from "../scroll.ts";
import { keyOf } from "../terminal.ts";
import { fit, widthOf, wrap } from "../wrap.ts";

const anyText = oneof(
  string({ unit: "grapheme", maxLength: 60 }),
  array(
    constantFrom("a", " ", "  ", "你", "好", "👩‍👩‍👧", "é", "\u202e", "\n", "\t", "\u001b[2J", "word"),
  ).map((parts) => parts.join("")),
);

describe("parley chat: texts", () => {
  it("wrap.1: no line is wider than the width, and every word is there", () => {
    assert(
      property(anyText, integer({ min: 4, max: 40 }), nat(6), (text, width, less) => {
        const first = Math.max(2, width - less);
        const lines = wrap(text, width, first);
        lines.forEach((line, index) => {
          expect(widthOf(line)).to.be.at.most(index === 0 ? first : width);
        });
        const kept = lines.join("").replaceAll(" ", "");
        expect(kept).to.equal(wrap(text, 100_000).join("").replaceAll(" ", ""));
      }),
    );
  });

  it("wrap.2: no control character reaches the terminal", () => {
    assert(
      property(anyText, (text) => {
        for (const line of [...wrap(text, 20), fit(text, 20)]) {
          expect(line).to.not.match(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u);
        }
        expect(widthOf(fit(text, 20))).to.be.at.most(20);
      }),
    );
    expect(wrap("\u001b[31mred\u0007", 20)).to.deep.equal(["␛[31mred␇"]);
  });

  it("wrap.3: cuts at spaces", () => {
    expect(wrap("to be or not to be", 8)).to.deep.equal(["to be or", "not to", "be"]);
    expect(wrap("你好世界", 5)).to.deep.equal(["你好", "世界"]);
    expect(wrap("a\r\nb\n\nc", 5)).to.deep.equal(["a", "b", "", "c"]);
  });
});

describe("parley chat: mentions", () => {
  const users = new Set(["ada", "ben.", "Ada Lovelace"]);

  it("typed-mentions.1: a known user behind @ at the begin of a word, each once", () => {
    const text = "@ada, (@ben @ada mail@ada @ben. @eve @Ada Lovelace @";
    expect(mentionsOf(text, users)).to.deep.equal(["ada", "ben."]);
    expect(mentionsOf("hello", users)).to.deep.equal([]);
  });

  it("U11: an edit names whom its text mentions now, also a user whom only the message knows", () => {
    expect(mentionsOfEdit("@ada and @zoe!", users, ["zoe", "ada"])).to.deep.equal(["ada", "zoe"]);
    expect(mentionsOfEdit("@zoe", users, undefined)).to.deep.equal([]);
    expect(mentionsOfEdit("hello", users, ["ada"])).to.deep.equal([]);
  });

  it("typed-mentions.2: an edit leaves a mention of everyone while its text has it", () => {
    expect(mentionsOfEdit("look, @room!", users, "@room")).to.equal(undefined);
    expect(mentionsOfEdit("@rooms @ada", users, "@room")).to.deep.equal(["ada"]);
    expect(mentionsOfEdit("@room @ada", users, ["ada"])).to.deep.equal(["ada"]);
  });
});

describe("parley chat: the composer", () => {
  it("text-field.1: deletes and moves by graphemes", () => {
    let composer = composerOf("a👩‍👩‍👧é");
    composer = edit(composer, "backspace")!;
    expect(textIn(composer)).to.equal("a👩‍👩‍👧");
    composer = edit(composer, "left")!;
    composer = insert(composer, "b");
    expect(textIn(composer)).to.equal("ab👩‍👩‍👧");
    composer = insert(edit(composer, "end")!, "e");
    composer = insert(composer, "\u0301");
    expect(composer.text.at(-1)).to.equal("e\u0301");
    expect(composer.cursor).to.equal(composer.text.length);
  });

  it("edits words and lines", () => {
    const composer = composerOf("one two three");
    expect(textIn(edit(composer, "ctrl+w")!)).to.equal("one two ");
    expect(textIn(edit(edit(composer, "meta+b")!, "ctrl+k")!)).to.equal("one two ");
    expect(textIn(edit(composer, "ctrl+u")!)).to.equal("");
    expect(edit(edit(composer, "ctrl+a")!, "ctrl+right")!.cursor).to.equal(3);
    expect(edit(composer, "f5")).to.equal(undefined);
  });

  it("shows the cursor where the next character appears", () => {
    const at = (text: string, width: number): object => {
      const { x, y } = composerLines(composerOf(text), width);
      return { x, y };
    };
    expect(at("你好", 10)).to.deep.equal({ x: 4, y: 0 });
    expect(at("abc ", 10)).to.deep.equal({ x: 4, y: 0 });
    expect(at("one two", 5)).to.deep.equal({ x: 3, y: 1 });
    expect(at("a\n", 5)).to.deep.equal({ x: 0, y: 1 });
  });
});

describe("parley chat: rows", () => {
  const AT = Date.UTC(2026, 0, 5, 12);
  function entry(
    seq: number,
    from: string,
    text: string,
    more: Partial<ShownMessage> = {},
  ): TimelineEntry {
    const event = { t: "msg", room: "tea", seq, id: `id-${seq}`, from, at: AT, body: { text } };
    const message = { ...event, ...more } as unknown as ShownMessage;
    return { seq, id: event.id, from, at: AT, event: event as unknown as RoomEvent, message };
  }
  const textOf = (row: Row): string => row.map(({ text }) => text).join("");
  const lines = (entries: TimelineEntry[], unreadAbove = 0, width = 40): string[] =>
    new Rows()
      .blocks(entries, [], {
        width,
        me: "ada",
        unreadAbove,
        find: (seq) => entries.find((one) => one.seq === seq)?.message,
      })
      .flatMap(({ rows }) => rows.map(textOf));

  it("shows replies, edits, reactions, threads, deletions and the unread mark", () => {
    const state = {
      edited: { seq: 9, at: AT },
      replies: 2,
      reactions: [{ emoji: "👍", count: 2, users: ["ada", "ben"] }],
    } as unknown as NonNullable<ShownMessage["state"]>;
    const shown = lines(
      [
        entry(1, "ben", "one", { state }),
        entry(2, "ada", "two", { replyTo: 1 }),
        entry(3, "ben", "", { deleted: { by: "eve", at: AT, seq: 8 } as never }),
      ],
      2,
    );
    const texts = shown.map((line) => line.replace(/\d\d:\d\d/, "12:00"));
    expect(texts.slice(1)).to.deep.equal([
      "12:00 ben: one",
      "      edited · 2 replies · 👍 2*",
      "      ↳ ben: one",
      "12:00 ada: two",
      `── new ${"─".repeat(33)}`,
      "12:00 ben: (deleted by eve)",
    ]);
  });

  it("AT1: shows the files of a message, with and without a text", () => {
    const attachments = [{ name: "plan.pdf" }, { name: "photo.png" }] as never;
    const shown = lines([
      entry(1, "ben", "look", { attachments }),
      entry(2, "ada", "", { attachments, replyTo: 1 }),
    ]);
    const texts = shown.map((line) => line.replace(/\d\d:\d\d/, "12:00"));
    expect(texts.slice(1)).to.deep.equal([
      "12:00 ben: look",
      "      [plan.pdf]",
      "      [photo.png]",
      "      ↳ ben: look [plan.pdf] [photo.png]",
      "12:00 ada: [plan.pdf]",
      "      [photo.png]",
    ]);
  });

  it("rows.1: no row is wider than the terminal, and no name holds a control character", () => {
    assert(
      property(anyText, anyText, integer({ min: 30, max: 80 }), (from, text, width) => {
        for (const line of lines([entry(1, from, text, { replyTo: 1 })], 0, width)) {
          expect(widthOf(line)).to.be.at.most(width);
          expect(line).to.not.match(/\p{Cc}/u);
        }
      }),
    );
  });

  it("scroll.1: rows that are added below or above do not move what the user reads", () => {
    const make = (from: number, to: number): ReturnType<Rows["blocks"]> =>
      Array.from({ length: to - from + 1 }, (_, index) => ({
        key: `k${from + index}`,
        rows: [[{ text: `${from + index}` }], [{ text: "second" }]],
      }));
    const shown = (
      blocks: ReturnType<typeof make>,
      place: Parameters<typeof viewOf>[1],
    ): string[] => viewOf(blocks, place, 4).rows.map(({ row }) => textOf(row));
    const place = scrolled(make(5, 10), undefined, { by: -3, height: 4 });
    const before = shown(make(5, 10), place);
    expect(before).to.deep.equal(
      ["second", "8", "second", "9"].slice(0, 4).map((_, i) => before[i]),
    );
    expect(shown(make(1, 14), place)).to.deep.equal(before);
    expect(scrolled(make(5, 10), place, { by: 3, height: 4 })).to.equal(undefined);
    const top = scrolled(make(5, 10), place, { by: -100, height: 4 });
    expect(shown(make(5, 10), top)).to.deep.equal(["5", "second", "6", "second"]);
    const revealed = revealing(make(5, 10), undefined, { key: "k5", height: 4 });
    expect(shown(make(5, 10), revealed)[0]).to.equal("5");
    expect(revealing(make(5, 10), undefined, { key: "k10", height: 4 })).to.equal(undefined);
  });
});

describe("parley chat: offers", () => {
  const info = { settings: { kind: "open" }, role: "member" } as const;
  const standing = (bar: Standing["bar"], more: Partial<Standing> = {}): Standing => ({
    me: "ada",
    rights: messageRights(info, bar),
    bar,
    mutedUntil: 0,
    editMs: () => Infinity,
    ...more,
  });
  const message = (from: string, more: object = {}): ShownMessage =>
    ({ from, at: 1, body: { text: "one" }, ...more }) as unknown as ShownMessage;
  const offered = (one: ShownMessage, now: Standing): string =>
    (Object.keys(CHANGES) as ChangeKey[])
      .filter((key) => refusalOf(key, one, now) === undefined)
      .join("");

  it("C3, offers.1: a change is offered while the room takes it", () => {
    const [own, other] = [message("ada"), message("ben")];
    expect(offered(own, standing(undefined))).to.equal("rt+ed");
    expect(offered(other, standing(undefined))).to.equal("rt+");
    const moderator = messageRights({ ...info, role: "moderator" }, undefined);
    expect(offered(other, standing(undefined, { rights: moderator }))).to.equal("rt+dp");
    const late = standing(undefined, { editMs: (at) => 0 - at });
    expect(offered(own, late)).to.equal("rt+d");
    expect(refusalOf("e", own, late)).to.equal("The time to edit this message is over.");
    const muted = standing("muted", { mutedUntil: Date.UTC(2026, 0, 5) });
    expect(offered(own, muted)).to.equal("d");
    expect(offered(message("ben", { state: { replies: 1 } }), muted)).to.equal("t");
    expect(refusalOf("r", own, muted)).to.match(/^You are muted until .*2026, \d\d:\d\d\.$/u);
    expect(offered(own, standing("role"))).to.equal("+d");
    expect(offered(own, standing("archived"))).to.equal("d");
    expect(offered(own, standing("left"))).to.equal("");
    expect(offered(message("ada", { deleted: {} }), standing(undefined))).to.equal("t");
    expect(barText(standing(undefined))).to.equal(undefined);
  });
});

describe("parley chat: keys", () => {
  it("distinguishes texts and named keys", () => {
    const plain = { ctrl: false, meta: false, shift: false, sequence: "" };
    expect(keyOf("你", { ...plain })).to.deep.equal({ text: "你" });
    expect(keyOf("A", { ...plain, name: "a", shift: true })).to.deep.equal({ text: "A" });
    expect(keyOf("\r", { ...plain, name: "return" })).to.deep.equal({ name: "return" });
    expect(keyOf("\u0003", { ...plain, name: "c", ctrl: true })).to.deep.equal({ name: "ctrl+c" });
    expect(keyOf(undefined, { ...plain, name: "up", shift: true })).to.deep.equal({
      name: "shift+up",
    });
    expect(keyOf("\u001b", { ...plain, name: "escape", meta: true })).to.deep.equal({
      name: "escape",
    });
    expect(keyOf("\u001b[99z", { ...plain })).to.equal(undefined);
  });
});
