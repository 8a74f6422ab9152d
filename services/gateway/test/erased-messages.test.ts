// Erased messages: no line of a deleted message leaves a feed with its text.

import { expect } from "chai";
import { encodeEvent } from "#shared/protocol/events.ts";
import type { RoomEvent } from "#shared/protocol/events.ts";
import type { MessageId, RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import type { Block } from "#shared/protocol/lines.ts";
import { DELETIONS_MAX, ErasedMessages } from "../core/erased-messages.ts";
import { Feed } from "../core/feed.ts";
import type { FeedEffect } from "../core/feed-io.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const UTF8 = {
  decode: (bytes: Uint8Array): string => decoder.decode(bytes),
  encode: (text: string): Uint8Array => encoder.encode(text),
};
const ID = "0199d3c0-0000-7000-8000-000000000001" as MessageId;

type Draft = { readonly t: RoomEvent["t"]; readonly [key: string]: unknown };
const msg = (text: string): Draft => ({ t: "msg", body: { text } });
const edit = (target: Seq, text: string): Draft => ({ t: "edited", target, body: { text } });
const remove = (target: Seq): Draft => ({ t: "deleted", target });

function block(first: Seq, drafts: readonly Draft[]): Block {
  const lines = drafts.map((draft, i) => {
    const head = { room: "general" as RoomId, id: ID, from: "ada" as UserId, at: 1 };
    return encodeEvent({ ...head, ...draft, seq: first + i } as unknown as RoomEvent);
  });
  return { first, count: lines.length, bytes: encoder.encode(lines.join("\n")) };
}

const textOf = (blocks: readonly Block[]): string =>
  blocks.map(({ bytes }) => decoder.decode(bytes)).join("\n");

/** Everything that the feed writes to its members. */
function written(effects: readonly FeedEffect<string>[]): string {
  return effects
    .map((effect) => ("blocks" in effect ? textOf(effect.blocks) : ""))
    .filter((text) => text !== "")
    .join("\n");
}

function openFeed(): Feed<string> {
  const feed = new Feed<string>(undefined, undefined, undefined, UTF8);
  feed.step({ kind: "join", member: "ada", head: 0, tail: 0 }, 0);
  return feed;
}

describe("ErasedMessages", () => {
  it("feed.7: a deletion erases its message and its edits in the ring, and nothing else", () => {
    const feed = openFeed();
    feed.step(
      { kind: "out", block: block(1, [msg("secret 1"), msg("public"), edit(1, "secret 2")]) },
      0,
    );
    expect(textOf(feed.read(1, 3)))
      .to.include("secret 1")
      .and.to.include("secret 2");
    feed.step({ kind: "out", block: block(4, [remove(1)]) }, 0);
    const text = textOf(feed.read(1, 4));
    expect(text).to.include("public");
    expect(text).to.not.include("secret");
    const first = JSON.parse(text.split("\n")[0]!) as Record<string, unknown>;
    expect(first).to.deep.include({ t: "msg", seq: 1, body: {} });
    expect(first["deleted"]).to.deep.equal({ by: "ada", at: 1, seq: 4 });
    expect(feed.read(1, 4).reduce((sum, { count }) => sum + count, 0)).to.equal(4);
  });

  it("feed.7: a flush behind the deletion writes the tombstone, also of a message in the same block", () => {
    const feed = openFeed();
    const all = block(1, [msg("secret"), msg("public"), remove(1)]);
    feed.step({ kind: "out", block: all }, 0);
    const text = written(feed.step({ kind: "flush" }, 0));
    expect(text).to.include("public");
    expect(text).to.not.include("secret");
  });

  it("feed.7: a fetched block whose source did not know the deletion has no text, for a reader either", () => {
    const feed = new Feed<string>(undefined, undefined, undefined, UTF8);
    feed.step({ kind: "join", member: "ada", head: 3, after: 3, tail: 0 }, 0);
    feed.step({ kind: "out", block: block(4, [remove(1)]) }, 0);
    feed.step({ kind: "join", member: "ben", head: 4, after: 0, tail: 0 }, 0);
    feed.step({ kind: "turn", member: "ben" }, 0);
    const old = block(1, [msg("secret 1"), edit(1, "secret 2"), msg("public")]);
    const text = written(feed.step({ kind: "fetched", first: 1, block: old }, 0));
    expect(text).to.include("public");
    expect(text).to.not.include("secret");
    expect(textOf([feed.redact(old)])).to.not.include("secret");
  });

  it("erased-messages.2: keeps a bounded number of deletions, the newest ones, and no block is copied in vain", () => {
    const erased = new ErasedMessages(UTF8);
    for (let n = 1; n <= DELETIONS_MAX + 1; n++) erased.take(block(5_000 + n, [remove(n)]).bytes);
    const oldest = block(1, [msg("one")]);
    expect(erased.redact(oldest)).to.equal(oldest);
    expect(textOf([erased.redact(block(2, [msg("two")]))])).to.not.include("two");
    expect(new ErasedMessages(undefined).redact(oldest)).to.equal(oldest);
  });

  it("feed.7: each line has its own number, and only a deletion erases", () => {
    const erased = new ErasedMessages(UTF8);
    const three = block(8, [msg("one"), msg("two"), msg("three")]);
    erased.take(block(20, [msg("no deletion")]).bytes);
    erased.take(encoder.encode("no event"));
    expect(erased.redact(three)).to.equal(three);
    erased.take(block(21, [remove(9)]).bytes);
    const text = textOf([erased.redact(three)]);
    expect(text).to.include("one").and.to.include("three").and.to.not.include("two");
  });

  it("erased-messages.2: a deletion that comes again is the newest one", () => {
    const erased = new ErasedMessages(UTF8);
    for (let n = 1; n <= DELETIONS_MAX; n++) erased.take(block(5_000 + n, [remove(n)]).bytes);
    erased.take(block(9_000, [remove(1)]).bytes);
    erased.take(block(9_001, [remove(4_000)]).bytes);
    expect(textOf([erased.redact(block(1, [msg("one")]))])).to.not.include("one");
    expect(textOf([erased.redact(block(2, [msg("two")]))])).to.include("two");
  });

  it("erased-messages.3: each deletion counts as memory of its feed", () => {
    const feed = openFeed();
    feed.step({ kind: "out", block: block(1, [msg("one"), msg("two")]) }, 0);
    const erased = new ErasedMessages(UTF8);
    const before = feed.ringBytes;
    const [one, two] = [block(3, [remove(1)]), block(4, [remove(2)])];
    for (const deletion of [one, two]) {
      feed.step({ kind: "out", block: deletion }, 0);
      erased.take(deletion.bytes);
    }
    expect(erased.bytes).to.be.at.least(2 * 100);
    expect(feed.ringBytes - before).to.be.at.least(erased.bytes);
  });
});
