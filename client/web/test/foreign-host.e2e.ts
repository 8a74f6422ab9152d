// The page in a real browser under a host that is not on the list of origins: the browser loads it
// and its modules (H4), and the server refuses what the page asks of the API (S3).

import { expect } from "chai";
import { PATIENCE_MS } from "./browser-user.ts";
import { openPageServer } from "./page-server.ts";
import type { PageServer } from "./page-server.ts";

describe("The page under a foreign host", function () {
  this.timeout(240_000);

  let server: PageServer;
  before(async () => {
    // The fixture allows http://app.example only, and the browser opens the page at 127.0.0.1.
    server = await openPageServer({ signIn: { kind: "dev" } });
  });
  after(() => server?.[Symbol.asyncDispose]());

  it("S3, H4: it shows its form, and says that the server refuses the sign-in", async () => {
    const page = await server.browser.newPage({ locale: "en-GB" });
    page.setDefaultTimeout(PATIENCE_MS);
    await page.goto(server.fixture.url);
    await page.getByLabel("Your name").fill("ada");
    await page.getByLabel("Room").fill("general");
    await page.getByRole("button", { name: "Enter" }).click();
    const said = page.getByText("The server refused to sign you in (403). Try again later.");
    await said.waitFor();
    expect(await said.isVisible()).to.equal(true);
    expect(server.fixture.upgraded).to.deep.equal([]);
  });
});
