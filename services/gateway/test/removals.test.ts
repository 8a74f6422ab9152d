// Removals: a line of the room ends the membership of its user, at exactly that number.

import { expect } from "chai";
import * as fc from "fast-check";
import type { Seq, UserId } from "#shared/protocol/ids.ts";
import { blockLast } from "#shared/protocol/lines.ts";
import type { Block } from "#shared/protocol/lines.ts";
import { notableLines } from "#shared/protocol/lines.ts";
import type { Grant, RoomKind } from "#shared/protocol/roles.ts";
import { Feed } from "../core/feed.ts";
import type { FeedEffect, FeedInput } from "../core/feed-io.ts";
import { judgeRemovals } from "../core/removals.ts";

interface Subscriber {
  readonly user: UserId;
  readonly grant: Grant | undefined;
}

const subscriber = (user: string, grant?: Grant): Subscriber => ({ user: user as UserId, grant });
const ADA = subscriber("ada");
const BEN = subscriber("ben");
const EVE = subscriber("eve");

type Event = { readonly t: string; readonly [key: string]: unknown };
const msg: Event = { t: "msg", from: "ada", body: {} };
const member = (user: string, role: string, more: object = {}): Event => ({
  t: "member",
  from: "ada",
  user,
  role,
  ...more,
});

function blockFrom(first: Seq, events: readonly Event[]): Block {
  const lines = events.map(({ t, ...rest }, i) => JSON.stringify({ t, seq: first + i, ...rest }));
  return { first, count: events.length, bytes: new TextEncoder().encode(lines.join("\n")) };
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

function judged(
  kind: RoomKind,
  first: Seq,
  events: readonly Event[],
  subscribers: Subscriber[],
): string[] {
  const lines = notableLines(blockFrom(first, events));
  const texts = lines.map(([seq, bytes]) => [seq, text(bytes)] as const);
  const { removals } = judgeRemovals(texts, kind, subscribers);
  return [...removals].map(([{ user }, { seq, reason }]) => `${user} ${reason} ${seq}`);
}

describe("Removals", () => {
  it("M8: exactly the lines that change rights are read, with their numbers", () => {
    const block = blockFrom(7, [msg, member("ben", "none"), msg, { t: "room", kind: "closed" }]);
    const found = notableLines(block).map(([seq, bytes]) => [seq, JSON.parse(text(bytes)).t]);
    expect(found).to.deep.equal([
      [8, "member"],
      [10, "room"],
    ]);
    expect(notableLines(blockFrom(1, [msg, msg]))).to.deep.equal([]);
  });

  it("M8: a member line ends the right of its user alone, unless the kind or a grant keeps it", () => {
    const gone = [member("ben", "none")];
    expect(judged("closed", 5, gone, [ADA, BEN])).to.deep.equal(["ben removed 5"]);
    expect(judged("open", 5, gone, [ADA, BEN])).to.deep.equal([]);
    expect(judged("closed", 5, gone, [subscriber("ben", "reader")])).to.deep.equal([]);
    const banned = [member("ben", "none", { banned: true })];
    expect(judged("open", 5, banned, [ADA, BEN])).to.deep.equal(["ben banned 5"]);
    expect(judged("closed", 5, banned, [subscriber("ben", "owner")])).to.deep.equal([
      "ben banned 5",
    ]);
    expect(judged("open", 5, banned, [subscriber("ben", "admin")])).to.deep.equal([]);
    expect(judged("closed", 5, [member("ben", "reader")], [BEN])).to.deep.equal([]);
    const back = [member("ben", "none"), member("ben", "member")];
    expect(judged("closed", 5, back, [BEN])).to.deep.equal(["ben removed 5"]);
  });

  it("M8: of two lines that end the right of a user, the first one counts", () => {
    const twice = [member("ben", "none"), msg, member("ben", "none", { banned: true })];
    expect(judged("closed", 5, twice, [BEN])).to.deep.equal(["ben removed 5"]);
  });

  it("M8, N6: a line that is none of this version's changes of rights changes none", () => {
    const strange = [
      "{",
      '{"t":"member","user":"ben","role":"boss"}',
      '{"t":"invite","user":"ben","role":"none"}',
      '{"t":"room","kind":"secret"}',
      '{"t":"topic","kind":"closed"}',
    ];
    for (const line of strange) {
      expect(judgeRemovals([[1, line]], "open", [BEN]).removals.size, line).to.equal(0);
      const { removals, kind } = judgeRemovals([[1, line]], "closed", [BEN]);
      expect([removals.size, kind], line).to.deep.equal([0, "closed"]);
    }
  });

  it("M8: a user whom a later write adds had no right to the first line of a closed room", () => {
    const created = [
      { t: "room", from: "ada", kind: "closed" },
      member("ada", "owner"),
      member("eve", "member", { from: "ben" }),
    ];
    expect(judged("open", 1, created, [ADA, EVE])).to.deep.equal(["eve closed 0"]);
  });

  it("M8: the first line of a closed room is none of the users who are not its members", () => {
    const created = [
      { t: "room", from: "ada", kind: "closed" },
      member("ada", "owner"),
      member("ben", "member"),
    ];
    expect(judged("open", 1, created, [ADA, BEN, EVE])).to.deep.equal(["eve closed 0"]);
    expect(judged("open", 1, [{ t: "room", from: "ada", kind: "open" }], [EVE])).to.deep.equal([]);
    expect(judged("closed", 9, [{ t: "room", from: "ada", kind: "closed" }], [EVE])).to.deep.equal(
      [],
    );
  });

  it("M8: when a joined room is created as a closed one, others get `left` before its first line", () => {
    const feed = new Feed<Subscriber>(undefined, undefined, (found, all) => {
      const texts = found.map(([seq, bytes]) => [seq, text(bytes)] as const);
      return judgeRemovals(texts, "open", [...all]).removals;
    });
    for (const who of [ADA, EVE]) feed.step({ kind: "join", member: who, head: 0, tail: 5 }, 0);
    const created = [{ t: "room", from: "ada", kind: "closed" }, member("ada", "owner")];
    feed.step({ kind: "out", block: blockFrom(1, created) }, 1);
    const [first, second] = feed.step({ kind: "flush" }, 2);
    expect(first).to.deep.include({ kind: "removed", member: EVE, seq: 0, reason: "closed" });
    expect(second).to.deep.include({ kind: "write", from: 1, to: 2, members: [ADA] });
    expect(feed.changedAt).to.equal(2);
  });

  /** A feed of a closed room with its head at 10, with `live` members, and its effects as text. */
  function closedFeed(...live: Subscriber[]) {
    let kind: RoomKind = "closed";
    const feed = new Feed<Subscriber>(undefined, undefined, (found, all) => {
      const texts = found.map(([seq, bytes]) => [seq, text(bytes)] as const);
      const judgement = judgeRemovals(texts, kind, [...all]);
      kind = judgement.kind;
      return judgement.removals;
    });
    let now = 0;
    const step = (input: FeedInput<Subscriber>): string[] =>
      feed.step(input, (now += 100)).flatMap((effect) => {
        if (effect.kind === "write") {
          return [
            `${effect.from}-${effect.to} to ${effect.members.map(({ user }) => user).join(" ")}`,
          ];
        }
        if (effect.kind === "chunk") {
          const last = effect.blocks.at(-1);
          return [`${effect.member.user} up to ${last === undefined ? "-" : blockLast(last)}`];
        }
        return effect.kind === "removed" ? [`${effect.member.user} removed at ${effect.seq}`] : [];
      });
    for (const who of live) step({ kind: "join", member: who, head: 10, tail: 0 });
    /** Flushes until nothing is written, and returns what was. */
    const flushAll = (): string[] => {
      const written = [...step({ kind: "flush" }), ...step({ kind: "flushed", costMs: 0 })];
      return written.length === 0 ? [] : [...written, ...flushAll()];
    };
    const out = (first: Seq, ...events: Event[]): string[] =>
      step({ kind: "out", block: blockFrom(first, events) });
    return { feed, step, out, flushAll };
  }

  it("M8: of two live members that are removed, each gets the lines up to its own last one", () => {
    const { out, flushAll } = closedFeed(ADA, BEN, EVE);
    out(11, member("ben", "none"), member("eve", "none"), msg);
    expect(flushAll()).to.deep.equal([
      "11-11 to ada ben eve",
      "ben removed at 11",
      "12-12 to ada eve",
      "eve removed at 12",
      "13-13 to ada",
    ]);
  });

  it("M8: the removal of a reader does not cut the flush of the live members", () => {
    const { step, out } = closedFeed(ADA);
    step({ kind: "join", member: BEN, head: 10, after: 4, tail: 0 });
    out(11, member("ben", "none"), msg);
    expect(step({ kind: "flush" })).to.deep.equal(["11-12 to ada"]);
  });

  it("M8: a member that is removed twice ends at its first removal", () => {
    const { out, flushAll } = closedFeed(ADA, BEN);
    out(11, member("ben", "none"));
    out(12, msg, member("ben", "none", { banned: true }));
    expect(flushAll()).to.deep.equal(["11-11 to ada ben", "ben removed at 11", "12-13 to ada"]);
  });

  it("M8: a fetched block that reaches behind the removal ends at it for the removed reader", () => {
    const { feed, step, out, flushAll } = closedFeed(ADA);
    step({ kind: "join", member: BEN, head: 10, after: 4, tail: 0 });
    out(11, msg, member("ben", "none"), msg);
    flushAll();
    step({ kind: "turn", member: BEN });
    const events = [...Array.from({ length: 7 }, () => msg), member("ben", "none"), msg];
    const block = blockFrom(5, events);
    expect(step({ kind: "fetched", first: 5, block })).to.deep.equal(["ben up to 12"]);
    expect(feed.members).to.equal(2);
    expect(step({ kind: "chunk-written", member: BEN })).to.deep.equal(["ben removed at 12"]);
    expect(feed.members).to.equal(1);
  });

  it("M8: a member that left or was removed is not removed again after its next join", () => {
    const { step, out, flushAll } = closedFeed(ADA, BEN, EVE);
    out(11, member("ben", "none"), member("eve", "none"));
    step({ kind: "leave", member: EVE });
    expect(flushAll()).to.deep.equal(["11-11 to ada ben", "ben removed at 11", "12-12 to ada"]);
    for (const who of [BEN, EVE]) step({ kind: "join", member: who, head: 12, tail: 0 });
    out(13, msg);
    expect(flushAll()).to.deep.equal(["13-13 to ada ben eve"]);
  });

  it("M8: a feed that judges no rights removes no member", () => {
    const feed = new Feed<Subscriber>();
    feed.step({ kind: "join", member: BEN, head: 10, tail: 0 }, 0);
    feed.step({ kind: "out", block: blockFrom(11, [member("ben", "none")]) }, 1);
    expect(feed.step({ kind: "flush" }, 2)).to.have.nested.property("[0].kind", "write");
    expect(feed.members).to.equal(1);
  });

  it("M8: in any order of flushes, chunks and fetches a removed member has every line up to its last one and none behind it", () => {
    fc.assert(
      fc.property(
        fc.record({
          lines: fc.integer({ min: 2, max: 24 }),
          removedAt: fc.nat(),
          after: fc.nat({ max: 6 }),
          parts: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 24, maxLength: 24 }),
          dice: fc.infiniteStream(fc.nat({ max: 99 })),
        }),
        ({ lines, removedAt, after, parts, dice }) => {
          const stop = (removedAt % lines) + 1;
          const events = Array.from({ length: lines }, (_, i) =>
            i + 1 === stop ? member("ben", "none") : msg,
          );
          const got = new Map<Subscriber, number>();
          const removed: string[] = [];
          let kind: RoomKind = "closed";
          const feed = new Feed<Subscriber>(undefined, undefined, (found, subscribers) => {
            const texts = found.map(([seq, bytes]) => [seq, text(bytes)] as const);
            const judgement = judgeRemovals(texts, kind, [...subscribers]);
            kind = judgement.kind;
            return judgement.removals;
          });
          const take = (who: Subscriber, blocks: readonly Block[]): void => {
            for (const block of blocks) {
              expect(block.first, `${who.user} has no gap`).to.equal((got.get(who) ?? 0) + 1);
              got.set(who, blockLast(block));
            }
          };
          let now = 0;
          const queue: FeedInput<Subscriber>[] = [];
          const perform = (effect: FeedEffect<Subscriber>): void => {
            switch (effect.kind) {
              case "joined":
                got.set(effect.member, effect.from - 1);
                return;
              case "flush-soon":
                queue.push({ kind: "flush" });
                return;
              case "write":
                for (const who of effect.members) {
                  if (!feed.isLive(who)) continue;
                  if (Number(dice.next().value) < 20) {
                    const cursor = effect.from - 1;
                    for (const next of feed.step({ kind: "full", member: who, cursor }, now)) {
                      perform(next);
                    }
                  } else take(who, effect.blocks);
                }
                queue.push({ kind: "flushed", costMs: 0 });
                return;
              case "request-turn":
                queue.push({ kind: "turn", member: effect.member });
                return;
              case "chunk":
                take(effect.member, effect.blocks);
                queue.push({ kind: "chunk-written", member: effect.member });
                return;
              case "fetch": {
                const { first, last } = effect;
                const block = blockFrom(first, events.slice(first - 1, last));
                queue.push({ kind: "fetched", first, block });
                return;
              }
              case "removed":
                removed.push(`${effect.member.user} ${effect.seq}`);
                return;
              case "caught-up":
              case "end-turn":
              case "share-fetch":
              case "starved":
            }
          };
          const step = (input: FeedInput<Subscriber>): void => {
            now += 10;
            for (const effect of feed.step(input, now)) perform(effect);
          };
          const join = { kind: "join", tail: 0, head: 0, after: 0 } as const;
          const pending: FeedInput<Subscriber>[] = [{ ...join, member: ADA }];
          for (let next = 1, i = 0; next <= lines; i++) {
            const part = events.slice(next - 1, next - 1 + (parts[i] ?? 1));
            pending.push({ kind: "out", block: blockFrom(next, part) });
            next += part.length;
          }
          // The owner answers the join of ben before it broadcasts the removal.
          pending.splice(1, 0, { ...join, member: BEN, after: Math.min(after, 0) });
          let idle = 0;
          while (pending.length > 0 || queue.length > 0 || idle++ < 8) {
            const isOut = queue.length === 0 || Number(dice.next().value) < 40;
            const input = isOut ? (pending.shift() ?? queue.shift()) : queue.shift();
            step(input ?? { kind: "wake" });
          }
          expect(got.get(ADA)).to.equal(lines);
          expect(got.get(BEN)).to.equal(stop);
          expect(removed).to.deep.equal([`ben ${stop}`]);
        },
      ),
      { numRuns: 300 },
    );
  });
});
