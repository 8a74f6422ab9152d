// /docs in a real browser: both rendered descriptions under the gateway's own policy.

import { expect } from "chai";
import type { Page } from "playwright-core";
import { until } from "#shared/testing/wait.ts";
import { accessFaults } from "./axe.ts";
import { openPageServer } from "./page-server.ts";
import type { PageServer } from "./page-server.ts";

describe("The page of the descriptions", function () {
  this.timeout(240_000);

  let server: PageServer;
  before(async () => {
    server = await openPageServer();
  });
  after(() => server?.[Symbol.asyncDispose]());

  async function open(path: string, text: string): Promise<{ page: Page; faults: string[] }> {
    const page = await server.browser.newPage({ viewport: { width: 1400, height: 900 } });
    const faults: string[] = [];
    page.on("pageerror", (error) => faults.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") faults.push(message.text());
    });
    page.on("request", (request) => {
      const isOwn =
        request.url().startsWith(server.fixture.url) || request.url().startsWith("data:");
      if (!isOwn) faults.push(`a request to ${request.url()}`);
    });
    await page.goto(server.fixture.url + path);
    await until(async () => (await page.locator("#docs").textContent())?.includes(text) === true, {
      withinMs: 60_000,
      what: `${text} on ${path}`,
    });
    return { page, faults };
  }

  for (const [path, operation, details] of [
    ["/docs", "/v1/rooms/{room}/messages", "Search"],
    ["/docs/websocket", "session moved", "Search"],
  ] as const) {
    it(`DS3: ${path} renders the description under the policy, and asks no other server`, async () => {
      const { page, faults } = await open(path, operation);
      await until(
        async () => (await page.locator("#docs").textContent())?.includes(details) === true,
        { withinMs: 60_000, what: `${details} on ${path}` },
      );
      expect(faults).to.deep.equal([]);
      // The colours of the renderer have too little contrast: decision 056.
      const grave = (await accessFaults(page)).filter(
        ({ id, impact }) => /critical|serious/.test(impact) && id !== "color-contrast",
      );
      expect(grave).to.deep.equal([]);
      await page.close();
    });
  }

  it("DS3: the policy allows no inline script, no eval and no unsafe source, and requires Trusted Types", async () => {
    const answer = await server.fixture.ask("/docs");
    await answer.arrayBuffer();
    const policy = answer.headers.get("content-security-policy") ?? "";
    expect(policy).to.include("default-src 'none'; script-src 'self'; style-src 'self' 'sha256-");
    expect(policy).to.include(
      "require-trusted-types-for 'script'; trusted-types default dompurify",
    );
    expect(policy).not.to.match(/unsafe|\*|https?:/);
    const { page, faults } = await open("/docs", "/v1/rooms/{room}/messages");
    const refused = await page.evaluate(() => {
      try {
        document.body.innerHTML = "<img src=x onerror=alert(1)>";
        return "it is in the page";
      } catch {
        return "refused";
      }
    });
    expect(refused).to.equal("refused");
    expect(faults).to.deep.equal([]);
    await page.close();
  });
});
