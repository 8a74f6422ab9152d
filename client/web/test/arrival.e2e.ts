// The arrival at the page, in a real browser on a real cluster: what a user sees before the server
// has answered.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import type { Page } from "playwright-core";
import { useBrowserCluster } from "./browser-cluster.ts";
import { BrowserUser } from "./browser-user.ts";

const TOKEN = "**/v1/dev/token";

/** Counts the forms that the page has shown, also for one frame. */
async function countForms(page: Page): Promise<() => Promise<number>> {
  await page.addInitScript(() => {
    const counted = Object.assign(window, { forms: 0 });
    const isForm = (node: Node): boolean =>
      node instanceof Element &&
      (node.matches(".sign-in") || node.querySelector(".sign-in") !== null);
    new MutationObserver((changes) => {
      for (const { addedNodes } of changes) counted.forms += [...addedNodes].filter(isForm).length;
    }).observe(document, { childList: true, subtree: true });
  });
  return () => page.evaluate(() => (window as unknown as { forms: number }).forms);
}

describe("The arrival at the page in a browser", () => {
  const shared = useBrowserCluster();

  it("the largest file is the first that the page names, and so has the connection of the page", () => {
    const html = readFileSync(join(import.meta.dirname, "../dist/index.html"), "utf8");
    const [, first] =
      /<(?:script|link rel="stylesheet")[^>]* (?:src|href)="([^"]+)"/u.exec(html) ?? [];
    expect(first).to.match(/^\/assets\/index-.*\.js$/u);
  });

  const newUser = async (): Promise<BrowserUser> => {
    const context = await shared.browser.newContext({ locale: "en-GB" });
    return new BrowserUser("ada", await context.newPage());
  };

  it("web/app.1, gate.1: a known user sees the room before the first answer of the server, and no form", async () => {
    const ada = await newUser();
    const { page } = ada;
    const forms = await countForms(page);
    let answer = (): void => undefined;
    const answered = new Promise<void>((resolve) => (answer = resolve));
    await page.route(TOKEN, async (route) => {
      await answered;
      await route.continue();
    });
    await page.goto(new URL("/?user=ada&room=early", shared.url).href);
    await page.locator(".room-title h1", { hasText: "early" }).waitFor();
    await ada.field.waitFor();
    answer();
    await ada.waitUntilComplete();
    expect(await forms()).to.equal(0);
    await page.reload();
    await ada.waitUntilComplete();
    expect(await forms()).to.equal(0);
    ada.expectNoErrors();
    await ada.leave();
  });

  it("web/app.1: a known user whom the server refuses sees the form with the reason", async () => {
    const ada = await newUser();
    const { page } = ada;
    await page.route(TOKEN, (route) => route.fulfill({ status: 403, body: "{}" }));
    await page.goto(new URL("/?user=ada&room=refused", shared.url).href);
    await page.getByText("The server refused to sign you in (403).").waitFor();
    expect(await page.getByLabel("Your name").inputValue()).to.equal("ada");
    await page.unroute(TOKEN);
    await page.getByLabel("Your name").press("Enter");
    await ada.waitUntilComplete();
    ada.expectNoErrorsBut(/403/u);
    await ada.leave();
  });
});
