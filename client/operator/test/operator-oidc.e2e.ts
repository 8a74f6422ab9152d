// The sign-in of administrators at a real OpenID Connect issuer, in a real browser. The cluster
// behind the page is one that the test describes.

import { join } from "node:path";
import { expect } from "chai";
import type { Browser } from "playwright-core";
import { buildOperatorPage } from "#infra/embedded/web-client.ts";
import { openAuthenticator } from "#shared/adapters/auth.ts";
import type { OpenedAuthenticator } from "#shared/adapters/auth.ts";
import { freePort } from "#shared/testing/ports.ts";
import { until } from "#shared/testing/wait.ts";
import { ensureChromium } from "#tools/programs/chromium.ts";
import { OperatorFixture, ROOM_NODE } from "../../../services/operator/test/operator-fixture.ts";
import { BrowserUser, openBrowser } from "../../web/test/browser-user.ts";
import { AUDIENCE, CLIENT_ID, OidcIssuer } from "../../web/test/oidc-issuer.ts";

const DIST = join(import.meta.dirname, "../dist");

describe("The admin page with an issuer", () => {
  let issuer: OidcIssuer;
  let auth: OpenedAuthenticator;
  let fixture: OperatorFixture;
  let browser: Browser;
  let url = "";

  before(async function () {
    this.timeout(240_000);
    const chromium = await ensureChromium();
    expect(chromium, "no Chromium; set CHROMIUM").to.be.a("string");
    expect((await buildOperatorPage(() => undefined)).kind).to.be.oneOf(["built", "fresh"]);
    const port = await freePort();
    url = `http://localhost:${port}`;
    issuer = await OidcIssuer.start([`${url}/`], { admin: true });
    auth = await openAuthenticator({
      auth: "jwks",
      jwksUrl: `${issuer.url}/jwks`,
      issuer: issuer.url,
      audience: AUDIENCE,
      algorithms: ["RS256"],
    });
    const settings = { issuer: issuer.url, clientId: CLIENT_ID, audience: AUDIENCE };
    const scope = "openid offline_access";
    fixture = await OperatorFixture.open([url], {
      config: { webDir: DIST, signIn: { kind: "oidc", scope, ...settings } },
      auth,
    });
    fixture.now = Date.now();
    await fixture.app.listen({ host: "127.0.0.1", port });
    browser = await openBrowser(chromium ?? "");
  });
  after(async function () {
    this.timeout(60_000);
    await browser?.close();
    await fixture?.app.close();
    auth?.close();
    await issuer?.[Symbol.asyncDispose]();
  });

  it("AP1, issuer.1: an administrator signs in with the code flow, and the page renews the sign-in with a refreshed token", async () => {
    const context = await browser.newContext({ locale: "en-GB" });
    const admin = new BrowserUser("ada", await context.newPage());
    const { page } = admin;
    await page.clock.install({ time: fixture.now });
    await page.goto(url);
    await page.getByRole("button", { name: `Sign in with ${new URL(issuer.url).host}` }).click();
    await page.locator('input[name="login"]').fill("ada");
    await page.locator('input[name="password"]').fill("any");
    await page.locator('button[type="submit"]').click();
    await page.getByRole("button", { name: "Continue" }).click(); // The consent.
    await page.locator(`tr[data-process="${ROOM_NODE}"]`).waitFor();
    expect(new URL(page.url()).search).to.equal("");
    expect(issuer.grants).to.deep.equal(["authorization_code"]);
    const kept = await page.evaluate(() =>
      [localStorage, sessionStorage].flatMap((store) => Object.entries(store)).join(),
    );
    expect(kept).to.not.include("eyJ");

    const signIns = (): number =>
      fixture.logged.filter(({ text }) => text === "an administrator signed in").length;
    expect(signIns()).to.equal(1);
    await page.clock.fastForward(60_000);
    await until(() => signIns() === 2, { withinMs: 60_000, what: "a renewed sign-in" });
    expect(issuer.grants).to.deep.equal(["authorization_code", "refresh_token"]);
    expect(issuer.errors).to.deep.equal([]);
    admin.expectNoErrorsBut(/Failed to load resource/u);
    await context.close();
  });
});
