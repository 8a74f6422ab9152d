// Harmless: a page that shows hostile texts has run no code of theirs and created no element.

import { expect } from "chai";
import type { Page } from "playwright-core";

export async function expectHarmless(page: Page): Promise<void> {
  const state = await page.evaluate(() => ({
    pwned: "pwned" in window,
    strangers: document.querySelectorAll(
      ":is(.list, .panel-frame, dialog) :is(script, img, iframe, style, form:not(.composer-box), base, meta, details, math, table, object, embed)",
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
}
