// Pages whose answers do not arrive.

import { expect } from "chai";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import { COMMAND_TIMEOUT_MS, PAGES_PER_USER_MAX } from "../core/bounds.ts";
import { Pages } from "../runtime/pages.ts";
import type { PagesParts, RawPage } from "../runtime/pages.ts";

const INPUT = { user: "ada" as UserId, room: "general" as RoomId, limit: 10 };

function pagesOver(ranges: PagesParts["ranges"]): { pages: Pages; clock: FakeClock } {
  const clock = new FakeClock();
  const rooms: PagesParts["rooms"] = {
    head: () => 10,
    read: () => [],
    redact: (_, block) => block,
  };
  const archive: PagesParts["archive"] = { messages: () => expect.fail("the view is events") };
  const lanes: PagesParts["lanes"] = { submit: () => expect.fail("the head is known") };
  return {
    pages: new Pages({ lanes, rooms, ranges, archive, map: { partitionOf: () => 0 }, clock }),
    clock,
  };
}

describe("Pages", () => {
  it("L2: a page without an answer ends in `unavailable` after ten seconds", async () => {
    const { pages, clock } = pagesOver({ read: () => new Promise(() => undefined) });
    let page: RawPage | undefined;
    const asked = pages.page(INPUT).then((answer) => (page = answer));
    clock.advance(COMMAND_TIMEOUT_MS - 1);
    await Promise.resolve();
    expect(page).to.equal(undefined);
    clock.advance(1);
    expect(await asked).to.deep.equal({ kind: "refused", error: "unavailable" });
  });

  it("H8: a number that is known to be stored is read before the feed has it", async () => {
    const asked: number[][] = [];
    const bytes = Buffer.from("{}");
    const { pages } = pagesOver({
      read: ({ first, last, head }) => {
        asked.push([first, last, head]);
        return Promise.resolve({ first, count: 1, bytes });
      },
    });
    const page = await pages.page({ ...INPUT, after: 11, limit: 1, known: 12 });
    expect(page.kind === "page" && page.blocks).to.have.length(1);
    expect(asked).to.deep.equal([[12, 12, 12]]);
  });

  it("M6, WU1: a page of messages shows no message behind the head at which the owner judged its user, and the archive learns which event the reader needs", async () => {
    const lines = [3, 4, 5].map((seq) => JSON.stringify({ t: "msg", seq, from: "ben" }));
    const asked: (number | undefined)[] = [];
    const needed: (number | undefined)[] = [];
    const pages = new Pages({
      lanes: {
        submit: (_, answer) => answer({ result: { c: 1, ok: "head", head: 4, born: "b" } }),
      },
      rooms: { head: () => undefined, read: () => [], redact: (_, block) => block },
      ranges: { read: () => expect.fail("the archive has them") },
      archive: {
        messages: (_p, _room, { before, atLeast }) => {
          asked.push(before);
          needed.push(atLeast);
          const page = { lines, first: 3, last: 5, more: false, head: 5 };
          return Promise.resolve({ kind: "ok", value: page });
        },
      },
      map: { partitionOf: () => 0 },
      clock: new FakeClock(),
    });
    const forward = await pages.page({ ...INPUT, view: "messages", after: 2 });
    expect(forward).to.deep.equal({
      kind: "messages",
      page: { lines: lines.slice(0, 2), first: 3, last: 4, more: true, head: 5 },
    });
    await pages.page({ ...INPUT, view: "messages" });
    await pages.page({ ...INPUT, view: "messages", before: 3 });
    expect(asked).to.deep.equal([undefined, 5, 3]);
    expect(needed).to.deep.equal([4, 4, 4]);
  });

  it("L2: an answered page leaves no timer", async () => {
    const bytes = Buffer.from("{}");
    const { pages, clock } = pagesOver({
      read: ({ first }) => Promise.resolve({ first, count: 10, bytes }),
    });
    const page = await pages.page(INPUT);
    expect(page).to.deep.equal({
      kind: "page",
      blocks: [{ first: 1, count: 10, bytes }],
      more: false,
    });
    expect(clock.armed).to.equal(0);
  });

  it("L8: a user has a few pages in flight over all connections, and another user has their own", async () => {
    const answers: (() => void)[] = [];
    const bytes = Buffer.from("{}");
    const { pages } = pagesOver({
      read: ({ first }) =>
        new Promise((resolve) => answers.push(() => resolve({ first, count: 10, bytes }))),
    });
    const asked = Array.from({ length: PAGES_PER_USER_MAX }, () => pages.page(INPUT));
    expect(await pages.page(INPUT)).to.deep.equal({ kind: "refused", error: "busy" });
    const other = pages.page({ ...INPUT, user: "bob" as UserId });
    await new Promise(setImmediate);
    for (const answer of answers) answer();
    for (const page of [...asked, other]) expect((await page).kind).to.equal("page");
    const again = pages.page(INPUT);
    await new Promise(setImmediate);
    answers.at(-1)?.();
    expect((await again).kind).to.equal("page");
  });
});
