// The page in a real browser on a real cluster: people who talk, a gateway that is killed under
// them, a long history, hostile texts, hands on the keyboard only, a phone.
//
// Method: one cluster and one browser for all; each test has a room of its own, so none sees another.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Browser } from "playwright-core";
import { Parley } from "#client/sdk/parley.ts";
import { startCluster } from "#infra/embedded/cluster.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";
import { ensureChromium } from "#tools/programs/chromium.ts";
import { buildWebClient } from "#infra/embedded/web-client.ts";
import { until } from "#shared/testing/wait.ts";
import { WINDOW_MESSAGES_MAX } from "../store/room-store.ts";
import { HOSTILE_TEXTS } from "./hostile-texts.ts";
import { openBrowser, Person, run } from "./browser-user.ts";
import { faintTexts, firstInSight } from "./appearance.ts";

/** Sends of the writer that fills a room which wait for an answer. */
const DEPTH = 50;

describe("The page in a browser", () => {
  let dataDir: string;
  let cluster: Cluster;
  let browser: Browser;
  let url: string;

  before(async function () {
    this.timeout(240_000);
    const chromium = await ensureChromium();
    expect(chromium, "no Chromium; set CHROMIUM").to.be.a("string");
    const build = await buildWebClient(() => undefined);
    expect(build.kind).to.be.oneOf(["built", "fresh"]);
    dataDir = mkdtempSync(join(tmpdir(), "parley-browser-"));
    const say = (): void => undefined;
    cluster = await startCluster({ dataDir, port: 0, partitions: 4, limits: "off", say });
    url = cluster.url;
    browser = await openBrowser(chromium!);
  });

  // A test that failed while a gateway was down must not fail the next ones.
  beforeEach(async function () {
    this.timeout(60_000);
    const isUp = async (): Promise<boolean> =>
      (await fetch(new URL("/readyz", url)).catch(() => undefined))?.ok === true;
    await until(isUp, { withinMs: 50_000, what: "the gateway" });
  });

  after(async function () {
    this.timeout(60_000);
    await browser?.close();
    await cluster?.stop();
    if (dataDir !== undefined) rmSync(dataDir, { recursive: true, force: true });
  });

  const arrive = (
    name: string,
    room: string,
    options?: Parameters<typeof Person.arrive>[3],
  ): Promise<Person> => Person.arrive(browser, url, { name, room }, options);

  it("K3: two people talk; both see the same messages, once, in one order, with one number each", async () => {
    const ada = await arrive("ada", "talk");
    const grace = await arrive("grace", "talk");
    await ada.say("hello grace");
    await grace.sees("hello grace");
    for (let i = 1; i <= 10; i++) {
      await ada.say(`ada ${i}`);
      await grace.say(`grace ${i}`);
    }
    for (const person of [ada, grace]) {
      await person.until("all 21 numbers", async () => (await person.seqs())[20] === 21);
    }
    expect(await ada.seqs()).to.deep.equal(run(1, 21));
    expect(await grace.messages()).to.deep.equal(await ada.messages());
    expect(await ada.page.locator(".message-mine .status-mine").count()).to.equal(11);
    for (const person of [ada, grace]) {
      person.hasNoComplaints();
      await person.leave();
    }
  });

  it("A1: who is here and who is typing is shown, and ends", async () => {
    const ada = await arrive("ada", "presence");
    const grace = await arrive("grace", "presence");
    const people = ada.page.locator(".people .name");
    await ada.until("grace is here", async () =>
      (await people.allTextContents()).includes("grace"),
    );
    await grace.field.pressSequentially("thinking");
    await ada.page.getByText("grace is typing").waitFor();
    await grace.field.fill("");
    await ada.page.getByText("grace is typing").waitFor({ state: "detached" });
    await grace.leave();
    await ada.until("grace is gone", async () => (await people.allTextContents()).join() === "ada");
    await ada.leave();
  });

  it("K1: after kill -9 of the gateway both are back by themselves, and nothing is missing or doubled", async function () {
    this.timeout(90_000);
    const ada = await arrive("ada", "killed");
    const grace = await arrive("grace", "killed");
    await ada.say("before");
    await grace.sees("before");
    await cluster.kill("gateway-1");
    await ada.page.locator(".trouble-note").waitFor();
    await ada.say("said while it was down");
    await ada.page.locator(".message-pending").waitFor();
    for (const person of [ada, grace]) await person.isComplete();
    await grace.sees("said while it was down");
    await grace.say("and after");
    await ada.sees("and after");
    const expected = ["before", "said while it was down", "and after"].map((text, i) => ({
      seq: i + 1,
      text,
    }));
    for (const person of [ada, grace]) {
      await person.until("three numbers", async () => (await person.seqs())[2] === 3);
      expect(await person.messages()).to.deep.equal(expected);
      expect(await person.page.locator(".trouble-note").count()).to.equal(0);
      await person.leave();
    }
  });

  it("O12: scrolling up reads the whole history, keeps the place, and finds the way back", async function () {
    this.timeout(120_000);
    const total = WINDOW_MESSAGES_MAX + 250;
    await fill(cluster, "long", total);
    const ada = await arrive("ada", "long");
    await ada.until("the end", async () => (await ada.seqs()).at(-1) === total);
    const scroller = ada.page.locator(".list-scroller");

    await scroller.hover();
    await ada.until("the first message", async () => {
      const before = await firstInSight(ada.page);
      const top = await scroller.evaluate((element) => element.scrollTop);
      await ada.page.mouse.wheel(0, -600);
      await ada.until("the wheel to turn", () =>
        scroller.evaluate((element, was) => was === 0 || element.scrollTop !== was, top),
      );
      // A page that comes in above must not move what is read: one turn of the wheel is a few rows.
      expect(before - (await firstInSight(ada.page)), "the place jumped").to.be.within(0, 40);
      return (await firstInSight(ada.page)) === 1;
    });
    const held = await ada.seqs();
    expect(held).to.deep.equal(run(1, held.length));
    expect(held.length).to.be.at.most(WINDOW_MESSAGES_MAX);

    const grace = await arrive("grace", "long");
    await grace.say("news from below");
    await ada.page.locator(".jump", { hasText: "1 new" }).click();
    await ada.sees("news from below");
    const back = await ada.seqs();
    expect(back).to.deep.equal(run(total + 2 - back.length, total + 1));
    for (const person of [ada, grace]) await person.leave();
  });

  it("H4: hostile texts and names are shown as text; nothing runs, no element of theirs exists", async () => {
    const mallory = await arrive("<img src=x onerror=window.pwned=99>", "hostile");
    const ada = await arrive("ada", "hostile");
    for (const text of HOSTILE_TEXTS) await mallory.say(text);
    const last = HOSTILE_TEXTS.length;
    await ada.until("all of them", async () => (await ada.seqs()).at(-1) === last);
    const shown = (await ada.messages()).map((message) => message.text);
    const plain = (text: string): string => text.replaceAll("`", "").trim();
    expect(shown.map(plain)).to.deep.equal(HOSTILE_TEXTS.map(plain));
    const state = await ada.page.evaluate(() => ({
      pwned: "pwned" in window,
      strangers: document.querySelectorAll(
        ".list :is(script, img, iframe, style, form, base, meta, details, math, table, object, embed)",
      ).length,
      links: [...document.querySelectorAll<HTMLAnchorElement>(".list a")].map((link) => ({
        href: link.protocol,
        rel: link.rel,
        attributes: link.getAttributeNames().sort().join(),
      })),
      handlers: [...document.querySelectorAll("*")].filter((element) =>
        element.getAttributeNames().some((name) => name.startsWith("on")),
      ).length,
    }));
    expect(state.pwned).to.equal(false);
    expect(state.strangers).to.equal(0);
    expect(state.handlers).to.equal(0);
    for (const link of state.links) {
      expect(link.href).to.be.oneOf(["http:", "https:"]);
      expect(link.rel).to.equal("noopener noreferrer nofollow");
      expect(link.attributes).to.equal("href,rel,target");
    }
    for (const person of [mallory, ada]) {
      person.hasNoComplaints();
      await person.leave();
    }
  });

  it("S6: everything is within reach of the keyboard", async () => {
    const ada = await arrive("ada", "keys");
    const { page } = ada;
    const focused = (): Promise<string> =>
      page.evaluate(
        () => document.activeElement?.className ?? document.activeElement?.tagName ?? "",
      );
    await page.keyboard.type("first line");
    await page.keyboard.press("Shift+Enter");
    await page.keyboard.type("second line");
    await page.keyboard.press("Enter");
    await ada.until("its number", async () => (await ada.seqs())[0] === 1);
    expect((await ada.messages())[0]?.text).to.equal("first line\nsecond line");

    await page.keyboard.press("ArrowUp");
    expect(await focused()).to.contain("message");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Message #1" }).waitFor();
    await page.getByRole("heading", { name: "Complete through #1" }).waitFor();
    await page.keyboard.press("Escape");
    expect(await page.evaluate(() => document.activeElement?.tagName)).to.equal("TEXTAREA");

    await page.keyboard.press("Control+k");
    await page.keyboard.type("Second room");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Second-room", level: 1 }).waitFor();
    await page.keyboard.press("Alt+ArrowUp");
    await page.getByRole("heading", { name: "keys", level: 1 }).waitFor();
    await page.keyboard.press("Alt+ArrowDown");
    await page.getByRole("heading", { name: "Second-room", level: 1 }).waitFor();
    await page.keyboard.press("Control+k");
    await page.keyboard.press("Escape");
    expect(await page.locator("dialog[open]").count()).to.equal(0);
    ada.hasNoComplaints();
    await ada.leave();
  });

  it("K3: messages in a room that is not shown are counted, and read when it is", async () => {
    const ada = await arrive("ada", "front");
    await ada.page.keyboard.press("Control+k");
    await ada.page.keyboard.type("back");
    await ada.page.keyboard.press("Enter");
    await ada.isComplete();
    await ada.page.keyboard.press("Alt+ArrowUp");
    const grace = await arrive("grace", "back");
    await grace.say("psst");
    await grace.say("are you there?");
    const badge = ada.page.locator(".room", { hasText: "back" }).locator(".badge");
    await ada.until(
      "two unread",
      async () => (await badge.textContent())?.startsWith("2") ?? false,
    );
    await ada.until("the title", async () => (await ada.page.title()) === "(2) #front · Parley");
    await ada.page.keyboard.press("Alt+ArrowDown");
    await ada.sees("are you there?");
    await badge.waitFor({ state: "detached" });
    for (const person of [ada, grace]) await person.leave();
  });

  it("H4: the sign-in takes a name and a room, and says what is wrong with them", async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(url);
    await page.getByLabel("Your name").fill("Zoë");
    await page.getByLabel("Room").fill("größe");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("letters without accents").waitFor();
    await page.getByLabel("Room").fill("#Release notes");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Release-notes", level: 1 }).waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "Release-notes", level: 1 }).waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Your name").waitFor();
    await context.close();
  });

  for (const colorScheme of ["light", "dark"] as const) {
    it(`H4: on a phone of 360 px, ${colorScheme}: nothing is cut off, menus open and close, text has contrast`, async () => {
      const phone = { viewport: { width: 360, height: 640 }, hasTouch: true, isMobile: true };
      const ada = await arrive("ada", `phone-${colorScheme}`, { ...phone, colorScheme });
      await ada.say(
        `a word of ${"o".repeat(200)} letters and https://parley.example/${"p".repeat(200)}`,
      );
      await ada.until("its number", async () => (await ada.seqs())[0] === 1);
      const { page } = ada;
      const overflow = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      expect(overflow).to.equal(0);
      await page.getByRole("button", { name: "Rooms", exact: true }).click();
      await page.getByRole("button", { name: "Close rooms" }).click();
      await page.locator(".faces").click();
      await page.getByRole("heading", { name: "Here now" }).waitFor();
      await page.getByRole("button", { name: "Close this panel" }).click();
      expect(await faintTexts(ada.page)).to.deep.equal([]);
      await ada.leave();
    });
  }

  it("H4: the chosen theme is kept and is there before the first paint", async () => {
    const ada = await arrive("ada", "theme", { colorScheme: "light" });
    const toggle = ada.page.getByRole("button", { name: /^Theme:/ });
    await toggle.click();
    await toggle.click();
    expect(await ada.page.evaluate(() => document.documentElement.dataset["theme"])).to.equal(
      "dark",
    );
    await ada.page.reload({ waitUntil: "domcontentloaded" });
    expect(await ada.page.evaluate(() => document.documentElement.dataset["theme"])).to.equal(
      "dark",
    );
    const ground = await ada.page.evaluate(
      () => getComputedStyle(document.documentElement).colorScheme,
    );
    expect(ground).to.equal("dark");
    await ada.leave();
  });
});

/** `count` messages in a room, by somebody who is not in a browser. */
async function fill(cluster: Cluster, room: string, count: number): Promise<void> {
  const socket = `${cluster.url.replace("http", "ws").replace(/\/$/, "")}/v1/ws`;
  const token = async (): Promise<string> => {
    const response = await fetch(new URL("/v1/dev/token", cluster.url), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ user: "writer" }),
    });
    return ((await response.json()) as { token: string }).token;
  };
  const writer = new Parley({ url: socket, token });
  writer.connect();
  const handle = writer.join(room, { tail: 0 });
  try {
    for (let first = 1; first <= count; first += DEPTH) {
      const numbers = run(first, Math.min(count, first + DEPTH - 1));
      const sent = numbers.map((number) => handle.send({ text: `message ${number}` }).done);
      for (const outcome of await Promise.all(sent)) expect(outcome.kind).to.equal("acked");
    }
  } finally {
    writer.close();
  }
}
