// Link previews in a real browser on a real cluster, of a site on loopback that the operator
// allows. axe-core finds nothing in any state.

import { expect } from "chai";
import { openSite } from "../../../services/webhooks/test/site.ts";
import type { Site } from "../../../services/webhooks/test/site.ts";
import { faintTexts } from "./appearance.ts";
import { expectAccessible } from "./axe.ts";
import { BrowserCluster } from "./browser-cluster.ts";
import type { BrowserUser } from "./browser-user.ts";

type Locator = ReturnType<BrowserUser["page"]["locator"]>;

const PAGES = {
  "/tea":
    "<title>Green tea</title><meta name=description content='How to brew it.'>" +
    "<meta property=og:site_name content='Tea House'>",
  "/hostile":
    "<meta property=og:title content='&lt;img src=x onerror=&quot;window.pwned=1&quot;&gt;" +
    "\u202egpj.exe'><meta property=og:site_name content='Your Bank'>",
  "/arabic": `<title>شاي أخضر</title><meta name=description content="${"كيف يُحضَّر. ".repeat(60)}">`,
  "/none": "no title",
  "/inside": (response: import("node:http").ServerResponse) =>
    response.writeHead(302, { location: "http://10.0.0.1/" }).end(),
};

describe("Link previews in a browser", function () {
  this.timeout(180_000);
  const shared = new BrowserCluster();
  let site: Site;
  before(async () => {
    site = await openSite(PAGES);
    const env = { LINK_PREVIEWS: "on", LINK_PREVIEWS_ALLOW: "127.0.0.1/32" };
    await shared.start({ webhooks: 1, env });
  });
  after(async () => {
    await shared.stop();
    await site[Symbol.asyncDispose]();
  });

  const fetched = (path: string): number =>
    site.requests.filter((request) => request.path === path).length;
  const cards = ({ page }: BrowserUser): Locator => page.locator(".chat-main .link-preview");
  const dialog = ({ page }: BrowserUser): Locator =>
    page.getByRole("dialog", { name: "Your devices" });
  const box = (user: BrowserUser): Locator =>
    dialog(user).getByRole("checkbox", { name: "Show previews of links on this device" });

  async function openSetting(user: BrowserUser): Promise<void> {
    await user.page.getByRole("button", { name: "Your devices" }).click();
    await dialog(user).locator(".devices li").first().waitFor();
  }

  async function close(user: BrowserUser): Promise<void> {
    await user.page.keyboard.press("Escape");
    await dialog(user).waitFor({ state: "detached" });
  }

  async function switchOn(user: BrowserUser): Promise<void> {
    await openSetting(user);
    await box(user).check();
    await close(user);
  }

  /** The questions of the page from now on. */
  function countQuestions({ page }: BrowserUser): () => number {
    let count = 0;
    page.on("request", (request) => (count += request.url().includes("link-preview?") ? 1 : 0));
    return () => count;
  }

  it("LP1, LP9: nothing is asked until a user switches previews on; then the card is there, for this user alone", async () => {
    const ada = await shared.arrive("ada", "tea");
    const grace = await shared.arrive("grace", "tea");
    const [ofAda, ofGrace] = [countQuestions(ada), countQuestions(grace)];
    await ada.send(`see ${site.origin}/tea#leaves and ${site.origin}/none`);
    await grace.waitForText("/tea#leaves");
    await openSetting(ada);
    expect(await box(ada).isChecked(), "off by default").to.equal(false);
    await dialog(ada).getByText("The linked site then learns that someone opened").waitFor();
    await expectAccessible(ada, "the setting, off");
    expect(await faintTexts(ada.page)).to.deep.equal([]);
    expect([ofAda(), site.requests.length], "nothing was asked").to.deep.equal([0, 0]);

    await box(ada).check();
    await expectAccessible(ada, "the setting, on");
    await close(ada);
    await cards(ada).waitFor();
    expect(await cards(ada).locator(".preview-title").textContent()).to.equal("Green tea");
    expect(await cards(ada).locator(".preview-text").textContent()).to.equal("How to brew it.");
    const host = new URL(site.origin).host;
    const said = await cards(ada).locator(".preview-site").innerText();
    expect(said.replaceAll(/\s+/gu, " ")).to.include(`${host} Tea House`);
    expect(await cards(ada).getAttribute("href")).to.equal(`${site.origin}/tea`);
    await expectAccessible(ada, "a card");
    expect(await faintTexts(ada.page)).to.deep.equal([]);
    expect(site.requests.map(({ path }) => path)).to.deep.equal(["/tea"]);
    const [{ headers } = { headers: {} }] = site.requests;
    expect(headers).to.not.have.any.keys("cookie", "referer", "authorization", "accept-language");

    expect([ofGrace(), await cards(grace).count()]).to.deep.equal([0, 0]);
    await switchOn(grace);
    await cards(grace).waitFor();
    expect(fetched("/tea"), "the service keeps the preview").to.equal(1);
    await ada.page.reload();
    await cards(ada).waitFor();

    await openSetting(ada);
    await box(ada).uncheck();
    await close(ada);
    expect(await cards(ada).count()).to.equal(0);
    for (const user of [ada, grace]) {
      user.expectNoErrors();
      await user.leave();
    }
  });

  it("LP9: the texts of a page are texts; without a preview there is no card and no error", async () => {
    const ada = await shared.arrive("ada", "hostile");
    await switchOn(ada);
    const questions = countQuestions(ada);
    for (const path of ["/none", "/inside", "/missing"]) await ada.send(site.origin + path);
    await ada.send("http://169.254.169.254/latest/meta-data/");
    await ada.send(`${site.origin}/hostile`);
    await cards(ada).waitFor();
    const title = await cards(ada).locator(".preview-title").textContent();
    expect(title).to.equal(`<img src=x onerror="window.pwned=1">gpj.exe`);
    const said = await cards(ada).locator(".preview-site").innerText();
    expect(said).to.match(/^(?:Preview of )?127\.0\.0\.1/u);
    await ada.until("all questions", () => questions() === 5);
    const ends = await ada.page.evaluate(() => ({
      pwned: "pwned" in window,
      images: document.querySelectorAll(".list img").length,
    }));
    expect(ends).to.deep.equal({ pwned: false, images: 0 });
    await ada.use(ada.message("/hostile"), "Delete");
    await ada.page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await cards(ada).waitFor({ state: "detached" });
    expect(await cards(ada).count()).to.equal(0);
    ada.expectNoErrors();
    await ada.leave();
  });

  for (const [name, options] of [
    ["a phone, dark", { colorScheme: "dark", viewport: { width: 360, height: 640 } }],
    ["high contrast", { contrast: "more" }],
  ] as const) {
    it(`LP9: a card fits, keeps the end in view and is accessible: ${name}`, async () => {
      const ada = await shared.arrive("ada", `fit-${name.replaceAll(/\W+/gu, "-")}`, options);
      if ("viewport" in options) await ada.page.locator(".room-top .menu").click();
      await switchOn(ada);
      if ("viewport" in options) await ada.page.keyboard.press("Escape");
      for (let n = 1; n <= 12; n++) await ada.send(`line ${n}`);
      await ada.send(`${site.origin}/arabic`);
      await cards(ada).waitFor();
      const sizes = await cards(ada).evaluate((card) => {
        const { bottom, right, left } = card.getBoundingClientRect();
        const list = card.closest(".list-scroller")?.getBoundingClientRect();
        return {
          isInView: bottom <= (list?.bottom ?? 0) + 1,
          isWithin: right <= innerWidth && left >= 0,
          direction: getComputedStyle(card.querySelector(".preview-title") ?? card).direction,
        };
      });
      expect(sizes).to.deep.equal({ isInView: true, isWithin: true, direction: "rtl" });
      await expectAccessible(ada, `a card: ${name}`);
      expect(await faintTexts(ada.page, "contrast" in options ? 7 : undefined)).to.deep.equal([]);
      ada.expectNoErrors();
      await ada.leave();
    });
  }

  it("LP1, LP2: without a process that fetches there is no card and no error; a gateway without the setting offers none", async () => {
    const ada = await shared.arrive("ada", "off");
    await switchOn(ada);
    const restart = async (name: string): Promise<void> => {
      shared.cluster.setEnv(name, { LINK_PREVIEWS: "off" });
      const before = shared.cluster.idOf(name);
      await shared.cluster.terminate(name);
      await ada.until("the restart", () => {
        const now = shared.cluster.idOf(name);
        return now !== undefined && now !== before;
      });
    };
    const ask = async (path: string): Promise<unknown> => {
      const asked = ada.page.waitForResponse((response) =>
        response.url().includes("link-preview?"),
      );
      await ada.send(site.origin + path);
      const response = await asked;
      return [response.status(), await response.json()];
    };
    await restart("webhooks-1");
    const unavailable = [200, { kind: "none", reason: "unavailable" }];
    expect(await ask("/tea?1")).to.deep.equal(unavailable);
    expect(await cards(ada).count()).to.equal(0);
    ada.expectNoErrors();

    await restart("gateway-1");
    expect(await ask("/tea?2")).to.deep.equal([200, { kind: "none", reason: "off" }]);
    await ada.page.reload();
    await ada.waitUntilComplete();
    const questions = countQuestions(ada);
    await ada.send(`${site.origin}/tea?3`);
    await ada.waitForText("/tea?3");
    await openSetting(ada);
    expect(await dialog(ada).getByRole("checkbox").count()).to.equal(0);
    await expectAccessible(ada, "the dialog without the setting");
    expect([questions(), await cards(ada).count()]).to.deep.equal([0, 0]);
    // The page reconnects while its gateway starts again.
    ada.expectNoErrorsBut(/WebSocket|ERR_CONNECTION/u);
    await ada.leave();
  });
});
