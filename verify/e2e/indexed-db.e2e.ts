// The outbox in IndexedDB, in a real browser: tabs that run beside each other, end, and open at the
// same time. examples.e2e.ts runs it in a chat.

import { expect } from "chai";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { chromium } from "playwright-core";
import { ensureChromium } from "#tools/programs/chromium.ts";
import { until } from "#shared/testing/wait.ts";
import { PageServer, SdkProject } from "./sdk-project.ts";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--no-first-run",
];

/** The outbox as its page sees it: the functions that `Parley` calls. */
interface OpenOutbox {
  open(onOpen: () => void, onFault: () => void): void;
  write(send: object, run: () => void): void;
  settle(id: string, isKept: boolean): void;
  take(count: number, isJoined: () => boolean): readonly { readonly id: string }[];
  flush(): Promise<void>;
}

describe("The outbox in IndexedDB", function () {
  this.timeout(180_000);

  let pages: PageServer;
  let project: SdkProject;
  let browser: Browser;
  let context: BrowserContext;

  before(async () => {
    const executablePath = await ensureChromium();
    expect(executablePath, "no Chromium; set CHROMIUM").to.be.a("string");
    pages = await PageServer.start();
    project = await SdkProject.create();
    await project.write("index.html", "<!doctype html><title>Outbox</title>");
    pages.show(project.folder);
    browser = await chromium.launch({ executablePath: executablePath!, args: FLAGS });
  });
  beforeEach(async () => {
    context = await browser.newContext();
  });
  afterEach(() => context.close());
  after(async () => {
    await browser?.close();
    await project?.[Symbol.asyncDispose]();
    await pages?.[Symbol.asyncDispose]();
  });

  const tab = async (): Promise<Page> => {
    const page = await context.newPage();
    await page.goto(pages.origin);
    return page;
  };

  /** Opens the outbox of a user in a tab. Resolves with the ids that it takes, in their order. */
  const open = (page: Page, user = "ada"): Promise<readonly string[]> =>
    page.evaluate(async (user) => {
      const module = "/node_modules/@parley/client/dist/browser.js";
      const { indexedDbOutbox } = (await import(module)) as {
        indexedDbOutbox: (user: string) => OpenOutbox;
      };
      const outbox = indexedDbOutbox(user);
      (globalThis as { outbox?: OpenOutbox }).outbox = outbox;
      await new Promise<void>((resolve, reject) => {
        outbox.open(resolve, () => reject(new Error("the store failed")));
      });
      return outbox.take(1_000, () => true).map(({ id }) => id);
    }, user);

  const take = (page: Page): Promise<readonly string[]> =>
    page.evaluate(() =>
      (globalThis as unknown as { outbox: OpenOutbox }).outbox
        .take(1_000, () => true)
        .map(({ id }) => id),
    );

  /** Opens, and takes until there are `count`: the lock of a tab that ended can be free later. */
  const takenAt = async (page: Page, count: number): Promise<readonly string[]> => {
    const ids = [...(await open(page))];
    const isComplete = async (): Promise<boolean> => {
      ids.push(...(await take(page)));
      return ids.length >= count;
    };
    await until(isComplete, { withinMs: 30_000, what: `${count} messages` });
    return ids;
  };

  const write = (
    page: Page,
    ids: readonly string[],
    settled: readonly string[] = [],
  ): Promise<void> =>
    page.evaluate(
      async ([ids = [], settled = []]) => {
        const { outbox } = globalThis as unknown as { outbox: OpenOutbox };
        for (const id of ids) {
          outbox.write({ id, room: "general", text: "{}", at: 1 }, () => undefined);
        }
        for (const id of settled) outbox.settle(id, false);
        await outbox.flush();
      },
      [ids, settled],
    );

  it("K6, indexed-db.3: a tab that opens has what a crashed tab left, in order, without what had its outcome", async () => {
    const first = await tab();
    expect(await open(first)).to.deep.equal([]);
    await write(first, ["one", "two", "three", "four"], ["two"]);
    await first.close();
    const second = await tab();
    expect(await takenAt(second, 3)).to.deep.equal(["one", "three", "four"]);
    await write(second, ["five"], ["one"]);
    await second.reload();
    expect(await takenAt(second, 3)).to.deep.equal(["three", "four", "five"]);
  });

  it("K6, indexed-db.1: a tab does not take what a running tab has, and never what another user has", async () => {
    const running = await tab();
    await open(running);
    await write(running, ["mine"]);
    const other = await tab();
    expect(await open(other)).to.deep.equal([]);
    const stranger = await tab();
    expect(await open(stranger, "ben")).to.deep.equal([]);
    // The tab that runs on gets it as soon as the lock is free (indexed-db.2).
    await running.close();
    const taken: string[] = [];
    const isTaken = async (): Promise<boolean> => taken.push(...(await take(other))) > 0;
    await until(isTaken, { withinMs: 30_000, what: "the message of the tab that ended" });
    expect(taken).to.deep.equal(["mine"]);
    expect(await open(await tab())).to.deep.equal([]);
  });

  it("K6, indexed-db.2: of tabs that open at the same time, each stored message gets to one", async () => {
    const ended = await Promise.all([tab(), tab(), tab()]);
    for (const [index, page] of ended.entries()) {
      await open(page);
      await write(page, [`a${index}`, `b${index}`]);
    }
    await Promise.all(ended.map((page) => page.close()));
    const opening = await Promise.all([tab(), tab(), tab(), tab()]);
    const taken = (await Promise.all(opening.map((page) => open(page)))).flat();
    const isComplete = async (): Promise<boolean> => {
      for (const page of opening) taken.push(...(await take(page)));
      return taken.length >= 6;
    };
    await until(isComplete, { withinMs: 30_000, what: "all messages" });
    expect(taken.toSorted()).to.deep.equal(["a0", "a1", "a2", "b0", "b1", "b2"]);
  });
});
