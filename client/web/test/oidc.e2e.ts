// The sign-in at a real OpenID Connect issuer, in a real browser, with gateways that accept only
// its tokens (AUTH=jwks).

import { expect } from "chai";
import type { Page } from "playwright-core";
import { freePort } from "#shared/testing/ports.ts";
import { until } from "#shared/testing/wait.ts";
import { expectAccessible } from "./axe.ts";
import { BrowserCluster } from "./browser-cluster.ts";
import { BrowserUser } from "./browser-user.ts";
import { AUDIENCE, CLIENT_ID, OidcIssuer } from "./oidc-issuer.ts";

/** The texts in the storages of the page. */
function kept(page: Page): Promise<string> {
  return page.evaluate(() =>
    [localStorage, sessionStorage].flatMap((store) => Object.entries(store)).join(),
  );
}

describe("The sign-in at an issuer in a browser", () => {
  const shared = new BrowserCluster();
  let issuer: OidcIssuer;

  before(async function () {
    this.timeout(240_000);
    const port = await freePort();
    issuer = await OidcIssuer.start([`http://127.0.0.1:${port}/`, `http://localhost:${port}/`]);
    const env = {
      AUTH: "jwks",
      JWKS_URL: `${issuer.url}/jwks`,
      JWT_ISSUER: issuer.url,
      JWT_AUDIENCE: AUDIENCE,
      OIDC_CLIENT_ID: CLIENT_ID,
    };
    await shared.start({ port, env });
  });
  after(async function () {
    this.timeout(60_000);
    await shared.stop();
    await issuer?.[Symbol.asyncDispose]();
  });

  it("H4, S3: signs in with the code flow, again after a reload without a question, refreshes, and signs out", async () => {
    const context = await shared.browser.newContext({ locale: "en-GB" });
    const ada = new BrowserUser("ada", await context.newPage());
    const { page } = ada;
    await page.goto(`${shared.url}/?room=plans`);
    const button = page.getByRole("button", { name: `Sign in with ${new URL(issuer.url).host}` });
    await button.waitFor();
    expect(await page.getByLabel("Your name").count()).to.equal(0);
    await expectAccessible(ada, "the sign-in page with an issuer");
    await button.click();

    await page.locator('input[name="login"]').fill("ada");
    await page.locator('input[name="password"]').fill("any");
    await page.locator('button[type="submit"]').click();
    await page.getByRole("button", { name: "Continue" }).click(); // The consent.
    await ada.waitUntilComplete();
    expect(new URL(page.url()).search).to.equal("?room=plans");
    await ada.send("as the user of the issuer");
    await page.locator(".status-mine").waitFor();
    expect((await page.locator(".message-who .name").first().textContent()) ?? "").to.equal("ada");
    expect(issuer.grants).to.deep.equal(["authorization_code"]);
    expect(await kept(page)).to.not.include("eyJ"); // oidc.1: how every JWT begins.

    await page.reload();
    await ada.waitUntilComplete();
    await ada.waitForText("as the user of the issuer");
    expect(issuer.grants).to.deep.equal(["authorization_code", "authorization_code"]);

    await shared.cluster.kill("gateway-1");
    await until(() => issuer.grants.includes("refresh_token"), {
      withinMs: 60_000,
      what: "a refresh",
    });
    await until(() => shared.isReady(), { withinMs: 60_000, what: "the gateway" });
    await ada.waitUntilComplete();
    await ada.send("after the refresh");
    await page.locator(".status-mine").nth(1).waitFor();

    await page.getByRole("button", { name: "Sign out" }).click();
    await page.locator('button[value="yes"]').click(); // The issuer asks.
    await button.waitFor();
    expect(await kept(page)).to.not.include("parley.user,");
    // The issuer's pages name a font of another host, and the gateway was down.
    const network = /^(?:Failed to load resource|WebSocket connection to)/u;
    expect(ada.errors.filter((text) => !network.test(text))).to.deep.equal([]);
    expect(issuer.errors).to.deep.equal([]);
    await ada.leave();
  });

  it("oidc.3, oidc.4: an answer that no flow asked for, and a refusal, are shown, and begin no flow", async () => {
    const context = await shared.browser.newContext({ locale: "en-GB" });
    const page = await context.newPage();
    for (const query of ["?code=stolen&state=guessed", "?error=access_denied&state=x"]) {
      await page.goto(`${shared.url}/${query}`);
      await page.getByText("This page did not begin this sign-in.").waitFor();
      expect(page.url()).to.equal(`${shared.url.replace(/\/$/u, "")}/`);
    }
    await context.close();
  });
});
