// What surrounds the messages, in a real browser on a real cluster: the composer, the panel, the
// drafts, the end of a membership, the rooms, the size of the first load.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import { faintTexts } from "./appearance.ts";
import { expectAccessible } from "./axe.ts";
import { useBrowserCluster } from "./browser-cluster.ts";
import type { BrowserCluster } from "./browser-cluster.ts";
import { walkRooms } from "./room-walks.ts";

/** Everything that the browser loads before it shows the page, compressed. */
const FIRST_LOAD_BYTES_MAX = 70_000;
const DIST = join(import.meta.dirname, "../dist");

describe("The composer and the panel in a browser", () => {
  const shared = useBrowserCluster();
  const arrive: BrowserCluster["arrive"] = (...args) => shared.arrive(...args);

  it("composer.1: keys typed in the frame of Enter belong to the next message", async () => {
    const ada = await arrive("ada", "fast");
    const texts = Array.from({ length: 20 }, (_, i) => `m${i}`);
    for (const text of texts) {
      await ada.page.keyboard.type(text);
      await ada.page.keyboard.press("Enter");
    }
    await ada.until("all messages", async () => (await ada.seqs())[19] === 20);
    expect((await ada.messages()).map(({ text }) => text)).to.deep.equal(texts);
    await ada.leave();
  });

  it("saved-rooms.4: the language is chosen in the sidebar, and an unsent text stays", async () => {
    const ada = await shared.arrive("ada", "language");
    await ada.field.fill("half a thought");
    const languages = ada.page.getByRole("combobox", { name: "Language" });
    await languages.selectOption({ label: "Deutsch" });
    await ada.page.locator('html[lang^="de"]').waitFor();
    await ada.waitUntilComplete();
    expect(await ada.field.inputValue()).to.equal("half a thought");
    await ada.page.getByRole("combobox", { name: "Sprache" }).focus();
    await expectAccessible(ada, "the choice of the language");
    await ada.leave();
  });

  it("texts.3: in the list of rooms, a message of the other direction is cut off at its end", async () => {
    const ada = await shared.arrive("ada", "directions", { locale: "ar-EG" });
    const last = ada.page.locator(".room-active .room-last");
    const directionOf = async (text: string): Promise<string> => {
      await ada.send(text);
      await last.filter({ hasText: text }).waitFor();
      return last.evaluate((element) => getComputedStyle(element).direction);
    };
    expect(await directionOf("a text that is longer than the list is wide")).to.equal("ltr");
    expect(await directionOf("نص أطول من عرض القائمة في هذه الصفحة")).to.equal("rtl");
    await ada.page.locator(".chat-panel h3 .count", { hasText: "١" }).waitFor();
    await ada.leave();
  });

  it("the bar of a mention stands where its line begins", async () => {
    const grace = shared.client("grace");
    await grace.join("bars").send({ text: "@ada look" }, { mentions: ["ada"] }).done;
    grace.close();
    for (const [locale, offset] of [
      ["en-GB", " 3px 0px"],
      ["ar-EG", " -3px 0px"],
    ] as const) {
      const ada = await shared.arrive("ada", "bars", { locale });
      const mention = ada.page.locator(".message-mention");
      await mention.waitFor();
      expect(await mention.evaluate((element) => getComputedStyle(element).boxShadow)).to.contain(
        offset,
      );
      await ada.leave();
    }
  });

  it("saved-rooms.4: an unsent text survives a reload, in the room and in a thread", async () => {
    const ada = await arrive("ada", "drafts");
    await ada.send("root");
    await ada.use(ada.message("root"), "Reply in thread");
    await ada.thread.locator("textarea").fill("half a reply");
    await ada.field.fill("half a thought");
    await ada.page.reload();
    await ada.waitUntilComplete();
    expect(await ada.field.inputValue()).to.equal("half a thought");
    await ada.use(ada.message("root"), "Reply in thread");
    expect(await ada.thread.locator("textarea").inputValue()).to.equal("half a reply");
    await ada.field.fill("");
    await ada.page.reload();
    await ada.waitUntilComplete();
    expect(await ada.field.inputValue()).to.equal("");
    await ada.leave();
  });

  it("a blank message cannot be sent, and one of another client is shown in words", async () => {
    const ada = await arrive("ada", "blank");
    const grace = shared.client("grace");
    await grace.join("blank").send({ text: " \u200b " }).done;
    grace.close();
    await ada.message("(a message without text)").waitFor();
    await ada.field.fill("\u200b\u2800");
    expect(await ada.page.getByRole("button", { name: "Send" }).isDisabled()).to.equal(true);
    await ada.leave();
  });

  it("M8: a removed user reads who removed them and why", async () => {
    const owner = shared.client("ada");
    await owner.createRoom("team", { kind: "closed", members: [{ user: "grace" }] }).done;
    const grace = await arrive("grace", "team");
    await owner.join("team").remove("grace", "moved").done;
    owner.close();
    await grace.page.getByText("ada removed you from this room: moved").waitFor();
    await grace.page.getByText("You cannot write here").waitFor();
    expect(await grace.page.locator(".chat-main textarea").count()).to.equal(0);
    await expectAccessible(grace, "a room that the user was removed from");
    await grace.leave();
  });

  it("layout.1: the details get the focus, and close when another room is shown", async () => {
    const ada = await arrive("ada", "one");
    await ada.send("hello");
    await ada.until("its number", async () => (await ada.seqs())[0] === 1);
    await ada.page.locator(".message-mine .status").click();
    const heading = ada.page.getByRole("heading", { name: "Message #1" });
    await heading.waitFor();
    expect(await heading.evaluate((element) => element === document.activeElement)).to.equal(true);
    await expectAccessible(ada, "the details of a message");
    await ada.page.keyboard.press("Control+k");
    await ada.page.keyboard.type("two");
    await expectAccessible(ada, "the switcher");
    await ada.page.keyboard.press("Enter");
    await ada.page.getByRole("heading", { name: "two", level: 1 }).waitFor();
    await heading.waitFor({ state: "detached" });
    await ada.page.getByRole("heading", { name: "Here now" }).waitFor();
    await expectAccessible(ada, "an empty room");
    await ada.leave();
  });

  it("a time of twelve hours fits beside the text", async () => {
    const ada = await arrive("ada", "twelve", { locale: "en-US", timezoneId: "UTC" });
    await ada.send("one");
    await ada.send("two");
    await ada.until("both", async () => (await ada.seqs())[1] === 2);
    const time = ada.page.locator(".message > .time").last();
    const { text, overflow } = await time.evaluate((element) => ({
      text: element.textContent,
      overflow: element.scrollWidth - element.clientWidth,
    }));
    expect(text).to.match(/^\d\d:\d\d$/u);
    expect(overflow).to.equal(0);
    expect(await ada.page.locator(".message-who .time").textContent()).to.match(/[AP]M$/u);
    await ada.leave();
  });

  for (const [theme, options] of [
    ["light", { colorScheme: "light" }],
    ["dark", { colorScheme: "dark" }],
    ["high contrast, light", { colorScheme: "light", contrast: "more" }],
    ["high contrast, dark", { colorScheme: "dark", contrast: "more" }],
    ["from right to left", { colorScheme: "light", locale: "ar-EG" }],
  ] as const) {
    it(`axe-core finds nothing on the sign-in page and on a phone, ${theme}`, async () => {
      const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };
      const ada = await arrive("ada", "axe", { ...phone, ...options });
      const direction = await ada.page.evaluate(() => document.documentElement.dir);
      expect(direction).to.equal("locale" in options ? "rtl" : "ltr");
      await ada.send("hello");
      await ada.until("its number", async () => (await ada.seqs()).length > 0);
      await expectAccessible(ada, "a phone");
      if ("contrast" in options) expect(await faintTexts(ada.page, 7)).to.deep.equal([]);
      await ada.page.locator(".room-top .menu").click();
      await expectAccessible(ada, "the rooms of a phone");
      await ada.page.locator(".me button").last().click();
      await ada.page.locator("#name").waitFor();
      await expectAccessible(ada, "the sign-in page");
      await ada.leave();
    });
  }

  walkRooms(shared);

  it("the first load is small", () => {
    let sum = 0;
    for (const file of firstLoad()) sum += gzipSync(readFileSync(join(DIST, file))).length;
    process.stdout.write(`      first load: ${(sum / 1_000).toFixed(1)} kB gzipped\n`);
    expect(sum).to.be.within(20_000, FIRST_LOAD_BYTES_MAX);
  });
});

/** The page, what it names, and what these import before they run; not what loads on demand. */
function firstLoad(): ReadonlySet<string> {
  const files = new Set(["index.html"]);
  for (const file of files) {
    if (!/\.(?:html|js)$/u.test(file)) continue;
    // A phone loads its icon when the page is put on its home screen.
    const text = readFileSync(join(DIST, file), "utf8").replace(/<link rel="apple-touch.*/u, "");
    for (const [, path] of text.matchAll(/(?:src|href)="\/([^"]+)"/gu)) files.add(path ?? "");
    for (const [, name] of text.matchAll(/(?:from|import) ?"\.\/([^"]+)"/gu)) {
      files.add(`assets/${name}`);
    }
  }
  return files;
}
