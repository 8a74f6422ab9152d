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
});
