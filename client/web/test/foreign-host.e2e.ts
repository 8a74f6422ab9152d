// The page in a real browser under a host that is not on the list of origins: the browser loads it
// and its modules (H4), and the server refuses what the page asks of the API (S3).

import { join } from "node:path";
import { expect } from "chai";
import type { Browser } from "playwright-core";
import { buildWebClient } from "#infra/embedded/web-client.ts";
import { ensureChromium } from "#tools/programs/chromium.ts";
import { openHttpFixture } from "../../../services/gateway/test/http-fixture.ts";
import type { HttpFixture } from "../../../services/gateway/test/http-fixture.ts";
import { openBrowser, PATIENCE_MS } from "./browser-user.ts";

const DIST = join(import.meta.dirname, "../dist");

describe("The page under a foreign host", function () {
  this.timeout(240_000);

  let fixture: HttpFixture;
  let browser: Browser;
  before(async () => {
    const chromium = await ensureChromium();
    expect(chromium, "no Chromium; set CHROMIUM").to.be.a("string");
    expect((await buildWebClient(() => undefined)).kind).to.be.oneOf(["built", "fresh"]);
    // The fixture allows http://app.example only, and the browser opens the page at 127.0.0.1.
    fixture = await openHttpFixture({ config: { webDir: DIST, signIn: { kind: "dev" } } });
    browser = await openBrowser(chromium ?? "");
  });
  after(async () => {
    await browser?.close();
    await fixture?.[Symbol.asyncDispose]();
  });

  it("S3, H4: it shows its form, and says that the server refuses the sign-in", async () => {
    const page = await browser.newPage({ locale: "en-GB" });
    page.setDefaultTimeout(PATIENCE_MS);
    await page.goto(fixture.url);
    await page.getByLabel("Your name").fill("ada");
    await page.getByLabel("Room").fill("general");
    await page.getByRole("button", { name: "Enter" }).click();
    const said = page.getByText("The server refused to sign you in (403). Try again later.");
    await said.waitFor();
    expect(await said.isVisible()).to.equal(true);
    expect(fixture.upgraded).to.deep.equal([]);
  });
});
