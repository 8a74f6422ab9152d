// The page cache returns what the store would, with far fewer reads.

import { expect } from "chai";
import * as fc from "fast-check";
import type { ArchiveStore } from "#shared/ports/archive.ts";
import type { RoomId } from "#shared/protocol/ids.ts";
import { RANGE_BYTES_MAX, RANGE_EVENTS_MAX } from "#shared/protocol/limits.ts";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import { PAGE_EVENTS, PAGE_KEPT_MS, PageCache } from "../adapters/page-cache.ts";

const ROOM = "general" as RoomId;

/** A store with `lines` in one room, bounded as a real one is; counts its reads. */
class Store {
  reads = 0;
  readonly lines: string[];

  constructor(count: number, size = 10) {
    this.lines = Array.from({ length: count }, (_, i) => `${i + 1}`.padEnd(size, "."));
  }

  range: ArchiveStore["range"] = (_room, first, last) => {
    this.reads++;
    const lines: string[] = [];
    let bytes = 0;
    for (const line of this.lines.slice(first - 1, last)) {
      bytes += line.length;
      if (lines.length >= RANGE_EVENTS_MAX || (bytes > RANGE_BYTES_MAX && lines.length > 0)) break;
      lines.push(line);
    }
    return Promise.resolve({ kind: "ok", value: { first, lines, head: this.lines.length } });
  };
}

async function linesOf(cache: PageCache, first: number, last: number): Promise<readonly string[]> {
  const read = await cache.range(ROOM, first, last);
  return read.kind === "ok" ? read.value.lines : [];
}

describe("PageCache", () => {
  it("O12: returns any range as the store does, from its beginning and without a gap", async () => {
    const store = new Store(300);
    const cache = new PageCache(store, new FakeClock());
    const number = fc.integer({ min: 1, max: 350 });
    await fc.assert(
      fc.asyncProperty(number, number, async (a, b) => {
        const [first, last] = [Math.min(a, b), Math.max(a, b)];
        expect(await linesOf(cache, first, last)).to.deep.equal(store.lines.slice(first - 1, last));
      }),
    );
  });

  it("O12: reads lines to their end even if they are so long that a page does not fit one answer", async () => {
    const store = new Store(PAGE_EVENTS * 2, 16_000);
    const cache = new PageCache(store, new FakeClock());
    for (let next = 1; next <= store.lines.length;) {
      const got = await linesOf(cache, next, store.lines.length);
      expect(got).to.deep.equal(store.lines.slice(next - 1, next - 1 + got.length));
      expect(got.length).to.be.greaterThan(0);
      next += got.length;
    }
  });

  it("O12: reads a full page once for any number of requests; does not keep the newest page", async () => {
    const store = new Store(PAGE_EVENTS + 10);
    const cache = new PageCache(store, new FakeClock());
    await Promise.all(Array.from({ length: 20 }, () => linesOf(cache, 1, PAGE_EVENTS)));
    expect(store.reads).to.equal(1);
    await linesOf(cache, PAGE_EVENTS + 1, PAGE_EVENTS + 10);
    store.lines.push("new");
    expect((await linesOf(cache, PAGE_EVENTS + 1, PAGE_EVENTS + 11)).at(-1)).to.equal("new");
  });

  it("C6, page-cache.5: a page leaves the memory when its time is over, without a further request", async () => {
    const clock = new FakeClock();
    const cache = new PageCache(new Store(PAGE_EVENTS * 2), clock);
    await linesOf(cache, 1, PAGE_EVENTS);
    clock.advance(PAGE_KEPT_MS / 2);
    await linesOf(cache, PAGE_EVENTS + 1, PAGE_EVENTS * 2);
    const both = cache.accounted.bytes;
    clock.advance(PAGE_KEPT_MS / 2);
    expect(cache.accounted.bytes).to.equal(both / 2);
    clock.advance(PAGE_KEPT_MS);
    expect(cache.accounted.bytes).to.equal(0);
    expect(clock.armed).to.equal(0);
  });

  it("T12, page-cache.4: forgets all pages when the rows of a region were replaced", async () => {
    const store = new Store(PAGE_EVENTS);
    const cache = new PageCache(store, new FakeClock());
    await linesOf(cache, 1, 1);
    const under = linesOf(cache, 1, 1);
    store.lines[0] = "replaced";
    cache.clear();
    await under;
    expect(await linesOf(cache, 1, 1)).to.deep.equal(["replaced"]);
    expect(store.reads).to.equal(2);
  });

  it("C6: serves an erased line for at most a second", async () => {
    const store = new Store(PAGE_EVENTS);
    const clock = new FakeClock();
    const cache = new PageCache(store, clock);
    expect((await linesOf(cache, 1, 1))[0]).to.match(/^1/);
    store.lines[0] = "erased";
    clock.advance(PAGE_KEPT_MS - 1);
    expect((await linesOf(cache, 1, 1))[0]).to.match(/^1/);
    clock.advance(1);
    expect((await linesOf(cache, 1, 1))[0]).to.equal("erased");
  });
});
