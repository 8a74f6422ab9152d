// FeedBench: a feed with a clock, members that record what they receive, and sockets that a test
// fills.
//
// A line is just its number, for example "7", so a member's lines are easy to compare.

import type { Seq } from "#shared/protocol/ids.ts";
import { blockLast } from "#shared/protocol/lines.ts";
import type { Block } from "#shared/protocol/lines.ts";
import { Feed } from "../core/feed.ts";
import type { FeedEffect, FeedInput } from "../core/feed-io.ts";

export class TestMember {
  readonly name: string;
  /** What its socket received: "joined 5 from 3", "4", "caught-up 5", … */
  readonly got: string[] = [];
  isFull = false;

  constructor(name: string) {
    this.name = name;
  }

  /** The numbers of the received lines. */
  get numbers(): Seq[] {
    return this.got.filter((item) => /^\d+$/.test(item)).map(Number);
  }
}

/** Lines `first` … `last`, each at least `size` bytes long. */
export function blockOf(first: Seq, last: Seq, size = 1): Block {
  const lines: string[] = [];
  for (let seq = first; seq <= last; seq++) lines.push(String(seq).padEnd(size, " "));
  return { first, count: lines.length, bytes: Buffer.from(lines.join("\n")) };
}

export class FeedBench {
  now = 0;
  /** The cost of a flush on this clock. */
  costMs = 0;
  /** A flush stays in progress until the test calls `finishFlush`. */
  holdsFlush = false;
  readonly feed = new Feed<TestMember>();
  /** Requested fetches without an answer. */
  readonly fetches: { first: Seq; last: Seq; head: Seq }[] = [];
  /** The number of writes to the live members, and of lines in each. */
  readonly flushes: { at: number; lines: number; members: number }[] = [];
  readonly starved: TestMember[] = [];
  /** Members that share another member's fetch: "bob 81". */
  readonly shared: string[] = [];
  /** Members that wait for a turn of a full socket. */
  readonly #queued = new Set<TestMember>();
  #held: Extract<FeedEffect<TestMember>, { kind: "write" }> | undefined;

  join(name: string, head: Seq, from: { after?: Seq; tail?: number } = {}): TestMember {
    const member = new TestMember(name);
    const { after, tail = 50 } = from;
    this.step({ kind: "join", member, head, after, tail });
    return member;
  }

  out(first: Seq, last = first, size = 1): void {
    this.step({ kind: "out", block: blockOf(first, last, size) });
  }

  /** The owner repeats its head. */
  head(head: Seq): void {
    this.step({ kind: "out", block: { first: head, count: 0, bytes: new Uint8Array() } });
  }

  /** Answers the oldest fetch: fully, up to `last`, or with nothing. */
  answer(last?: Seq | "nothing", size = 1): void {
    const fetch = this.fetches.shift();
    if (fetch === undefined) throw new Error("nothing is being fetched");
    const { first } = fetch;
    const block = last === "nothing" ? undefined : blockOf(first, last ?? fetch.last, size);
    this.step({ kind: "fetched", first, block });
  }

  drain(member: TestMember): void {
    member.isFull = false;
    if (this.#queued.delete(member)) this.step({ kind: "turn", member });
  }

  advance(ms: number): void {
    const until = this.now + ms;
    for (let at = this.feed.wakeAt; at !== undefined && at <= until; at = this.feed.wakeAt) {
      this.now = Math.max(this.now, at);
      this.step({ kind: "wake" });
    }
    this.now = until;
  }

  step(input: FeedInput<TestMember>): void {
    for (const effect of this.feed.step(input, this.now)) this.#perform(effect);
  }

  finishFlush(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) this.#write(held);
  }

  #perform(effect: FeedEffect<TestMember>): void {
    switch (effect.kind) {
      case "flush-soon":
        return this.step({ kind: "flush" });
      case "write":
        if (this.holdsFlush) this.#held = effect;
        else this.#write(effect);
        return;
      case "chunk": {
        const { member, blocks } = effect;
        take(member, blocks);
        return this.step({ kind: "chunk-written", member });
      }
      case "request-turn":
        if (effect.member.isFull) this.#queued.add(effect.member);
        else this.step({ kind: "turn", member: effect.member });
        return;
      case "end-turn":
        this.#queued.delete(effect.member);
        return;
      case "joined":
        effect.member.got.push(`joined ${effect.head} from ${effect.from}`);
        return;
      case "caught-up":
        effect.member.got.push(`caught-up ${effect.seq}`);
        return;
      case "fetch":
        this.fetches.push({ first: effect.first, last: effect.last, head: effect.head });
        return;
      case "share-fetch":
        this.shared.push(`${effect.member.name} ${effect.first}`);
        return;
      case "removed":
        effect.member.got.push(`removed after ${effect.seq}`);
        return;
      case "starved":
        this.starved.push(effect.member);
    }
  }

  #write({ blocks, from, to, members }: Extract<FeedEffect<TestMember>, { kind: "write" }>): void {
    let lines = 0;
    for (const block of blocks) lines += block.count;
    if (blockLast(blocks.at(-1)!) !== to || blocks[0]!.first !== from) throw new Error("misnamed");
    this.flushes.push({ at: this.now, lines, members: members.length });
    for (const member of members) {
      if (!this.feed.isLive(member)) continue;
      take(member, blocks);
      if (member.isFull) this.step({ kind: "full", member, cursor: to });
    }
    this.step({ kind: "flushed", costMs: this.costMs });
  }
}

function take(member: TestMember, blocks: readonly Block[]): void {
  for (const { bytes } of blocks) {
    for (const line of Buffer.from(bytes).toString().split("\n")) member.got.push(line.trim());
  }
}
