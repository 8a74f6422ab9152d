// The page in a real browser on a real cluster: two users, a killed gateway, a long history,
// hostile texts, the keyboard alone, a phone, the devices of a user. (What users do with messages:
// messages.e2e.ts.)

import { expect } from "chai";
import { WINDOW_MESSAGES_MAX } from "../store/room-store.ts";
import { faintTexts, firstVisible } from "./appearance.ts";
import { useBrowserCluster } from "./browser-cluster.ts";
import type { BrowserCluster } from "./browser-cluster.ts";
import { run } from "./browser-user.ts";
import { walkDevices } from "./device-walks.ts";
import { expectHarmless } from "./harmless.ts";
import { HOSTILE_TEXTS } from "./hostile-texts.ts";

/** Unanswered sends of the client that fills a room. */
const DEPTH = 50;

describe("The page in a browser", () => {
  const shared = useBrowserCluster();
  const arrive: BrowserCluster["arrive"] = (...args) => shared.arrive(...args);

  it("K3: two users see the same messages once, in one order, with the same numbers", async () => {
    const ada = await arrive("ada", "talk");
    const grace = await arrive("grace", "talk");
    await ada.send("hello grace");
    await grace.waitForText("hello grace");
    for (let i = 1; i <= 10; i++) {
      await ada.send(`ada ${i}`);
      await grace.send(`grace ${i}`);
    }
    for (const user of [ada, grace]) {
      await user.until("all 21 numbers", async () => (await user.seqs())[20] === 21);
    }
    expect(await ada.seqs()).to.deep.equal(run(1, 21));
    expect(await grace.messages()).to.deep.equal(await ada.messages());
    expect(await ada.page.locator(".message-mine .status-mine").count()).to.equal(11);
    for (const user of [ada, grace]) {
      user.expectNoErrors();
      await user.leave();
    }
  });

  it("A1: present and typing users are shown, and removed when they stop", async () => {
    const ada = await arrive("ada", "presence");
    const grace = await arrive("grace", "presence");
    const users = ada.page.locator(".users .name");
    await ada.until("grace is here", async () => (await users.allTextContents()).includes("grace"));
    await grace.field.pressSequentially("thinking");
    await ada.page.getByText("grace is typing").waitFor();
    await grace.field.fill("");
    await ada.page.getByText("grace is typing").waitFor({ state: "detached" });
    await grace.leave();
    await ada.until("grace is gone", async () => (await users.allTextContents()).join() === "ada");
    await ada.leave();
  });

  it("K1: after kill -9 of the gateway both clients reconnect, and no message is missing or repeated", async function () {
    this.timeout(90_000);
    const ada = await arrive("ada", "killed");
    const grace = await arrive("grace", "killed");
    await ada.send("before");
    await grace.waitForText("before");
    await shared.cluster.kill("gateway-1");
    await ada.page.locator(".trouble-note").waitFor();
    await ada.send("sent while it was down");
    await ada.page.locator(".message-pending").waitFor();
    for (const user of [ada, grace]) await user.waitUntilComplete();
    await grace.waitForText("sent while it was down");
    await grace.send("and after");
    await ada.waitForText("and after");
    const expected = ["before", "sent while it was down", "and after"].map((text, i) => ({
      seq: i + 1,
      text,
    }));
    for (const user of [ada, grace]) {
      await user.until("three numbers", async () => (await user.seqs())[2] === 3);
      expect(await user.messages()).to.deep.equal(expected);
      expect(await user.page.locator(".trouble-note").count()).to.equal(0);
      await user.leave();
    }
  });

  it("O12: scrolling up loads the whole history, keeps the position, and returns to the end", async function () {
    this.timeout(120_000);
    const total = WINDOW_MESSAGES_MAX + 250;
    await fill(shared, "long", total);
    const ada = await arrive("ada", "long");
    await ada.until("the end", async () => (await ada.seqs()).at(-1) === total);
    const scroller = ada.page.locator(".list-scroller");

    await scroller.hover();
    await ada.until("the first message", async () => {
      const before = await firstVisible(ada.page);
      const top = await scroller.evaluate((element) => element.scrollTop);
      await ada.page.mouse.wheel(0, -600);
      await ada.until("the wheel to turn", () =>
        scroller.evaluate((element, was) => was === 0 || element.scrollTop !== was, top),
      );
      // A page that is added above must not move the visible messages: one turn of the wheel is a
      // few rows.
      expect(before - (await firstVisible(ada.page)), "the position jumped").to.be.within(0, 40);
      return (await firstVisible(ada.page)) === 1;
    });
    const held = await ada.seqs();
    expect(held).to.deep.equal(run(1, held.length));
    expect(held.length).to.be.at.most(WINDOW_MESSAGES_MAX);

    const grace = await arrive("grace", "long");
    await grace.send("news from below");
    await ada.page.locator(".jump", { hasText: "1 new" }).click();
    await ada.waitForText("news from below");
    const back = await ada.seqs();
    expect(back).to.deep.equal(run(total + 2 - back.length, total + 1));
    for (const user of [ada, grace]) await user.leave();
  });

  it("H4: hostile texts and names are shown as text; no code runs and no element is created", async () => {
    const mallory = await arrive("<img src=x onerror=window.pwned=99>", "hostile");
    const ada = await arrive("ada", "hostile");
    for (const text of HOSTILE_TEXTS) await mallory.send(text);
    const last = HOSTILE_TEXTS.length;
    await ada.until("all messages", async () => (await ada.seqs()).at(-1) === last);
    const shown = (await ada.messages()).map((message) => message.text);
    const plain = (text: string): string => text.replaceAll("`", "").trim();
    expect(shown.map(plain)).to.deep.equal(HOSTILE_TEXTS.map(plain));
    await expectHarmless(ada.page);
    for (const user of [mallory, ada]) {
      user.expectNoErrors();
      await user.leave();
    }
  });

  it("S6: the keyboard reaches every function", async () => {
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

    await page.keyboard.press("Shift+ArrowUp");
    expect(await focused()).to.contain("message");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Message #1" }).waitFor();
    await page.getByRole("heading", { name: "All messages up to #1" }).waitFor();
    const words = await page.evaluate(() => document.body.innerText);
    expect(words, "terms of the implementation").to.not.match(/\b(?:log|hole|seq|head|token)s?\b/i);
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
    ada.expectNoErrors();
    await ada.leave();
  });

  it("K3: messages in a hidden room count as unread until the room is shown", async () => {
    const ada = await arrive("ada", "front");
    await ada.page.keyboard.press("Control+k");
    await ada.page.keyboard.type("back");
    await ada.page.keyboard.press("Enter");
    await ada.waitUntilComplete();
    await ada.page.keyboard.press("Alt+ArrowUp");
    const grace = await arrive("grace", "back");
    await grace.send("psst");
    await grace.send("are you there?");
    const badge = ada.page.locator(".room", { hasText: "back" }).locator(".badge");
    await ada.until(
      "two unread",
      async () => (await badge.textContent())?.startsWith("2") ?? false,
    );
    const gap = await badge.evaluate((element) => {
      const line = element.parentElement?.getBoundingClientRect();
      return (line?.right ?? 0) - element.getBoundingClientRect().right;
    });
    expect(gap, "the badge is at the end of its line").to.be.within(-1, 1);
    await ada.until("the title", async () => (await ada.page.title()) === "(2) #front · Parley");
    await ada.page.keyboard.press("Alt+ArrowDown");
    await ada.waitForText("are you there?");
    await badge.waitFor({ state: "detached" });
    for (const user of [ada, grace]) await user.leave();
  });

  it("H4: the sign-in form accepts a name and a room, and explains an invalid one", async () => {
    const context = await shared.browser.newContext();
    const page = await context.newPage();
    await page.goto(shared.url);
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

  it("H4: the address has the room as soon as the page shows it, so that a reload returns to it", async () => {
    const context = await shared.browser.newContext();
    const page = await context.newPage();
    await page.goto(shared.url);
    await page.evaluate(() => {
      const observer = new MutationObserver(() => {
        if (document.querySelector("h1")?.textContent?.includes("plans") !== true) return;
        document.documentElement.dataset["address"] = location.search;
        observer.disconnect();
      });
      observer.observe(document.body, { subtree: true, childList: true, characterData: true });
    });
    await page.getByLabel("Your name").fill("ada");
    await page.getByLabel("Room").fill("plans");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "plans", level: 1 }).waitFor();
    expect(await page.locator("html").getAttribute("data-address")).to.equal("?room=plans");
    await context.close();
  });

  for (const colorScheme of ["light", "dark"] as const) {
    it(`H4: on a phone of 360 px, ${colorScheme}: nothing is cut off, menus open and close, every text has enough contrast`, async () => {
      const phone = { viewport: { width: 360, height: 640 }, hasTouch: true, isMobile: true };
      const ada = await arrive("ada", `phone-${colorScheme}`, { ...phone, colorScheme });
      await ada.send(
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

  walkDevices(shared);

  it("H4: the selected theme is stored and applied before the first paint", async () => {
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

/** Sends `count` messages to a room with the SDK. */
async function fill(shared: BrowserCluster, room: string, count: number): Promise<void> {
  const writer = shared.client("writer");
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
