// The admin page in a real browser, on a real cluster: what it shows when processes are killed, and
// what an administrator can do.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Browser, Locator, Page } from "playwright-core";
import { devToken } from "#client/sdk/dev-token.ts";
import { Parley } from "#client/sdk/parley.ts";
import { startCluster } from "#infra/embedded/cluster.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";
import { buildOperatorPage } from "#infra/embedded/web-client.ts";
import { until } from "#shared/testing/wait.ts";
import { ensureChromium } from "#tools/programs/chromium.ts";
import { expectAccessible } from "../../web/test/axe.ts";
import { BrowserUser, openBrowser } from "../../web/test/browser-user.ts";

const PATIENCE_MS = 60_000;
/** A folder for pictures of each state, for a reader of the test. */
const PICTURES = process.env["OPERATOR_PICTURES"];

describe("The admin page in a browser", () => {
  let dataDir = "";
  let cluster: Cluster;
  let browser: Browser;
  let admin: BrowserUser;
  let page: Page;
  const clients: Parley[] = [];

  before(async function () {
    this.timeout(240_000);
    const chromium = await ensureChromium();
    expect(chromium, "no Chromium; set CHROMIUM").to.be.a("string");
    expect((await buildOperatorPage(() => undefined)).kind).to.be.oneOf(["built", "fresh"]);
    dataDir = mkdtempSync(join(tmpdir(), "parley-operator-"));
    const fixed = { port: 0, partitions: 4, limits: "off", say: () => undefined } as const;
    cluster = await startCluster({ ...fixed, dataDir, rooms: 2, operator: 1 });
    browser = await openBrowser(chromium ?? "");
    const context = await browser.newContext({
      viewport: { width: 1280, height: 900 },
      locale: "en-GB",
    });
    admin = new BrowserUser("ada", await context.newPage());
    page = admin.page;
    page.setDefaultTimeout(PATIENCE_MS);
  });
  after(async function () {
    this.timeout(120_000);
    for (const client of clients) client.close();
    await browser?.close();
    await cluster?.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const operatorUrl = (): string => cluster.info().operator?.[0]?.url ?? "";
  const token = (user: string, claims = {}): Promise<string> => devToken(cluster.url, user, claims);

  async function signIn(): Promise<void> {
    await page.getByLabel("Token of an administrator").fill(await token("ada", { admin: true }));
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "Processes" }).waitFor();
  }

  /** A client of the chat with a token that it does not renew. */
  async function connect(user: string): Promise<Parley> {
    const fixed = await token(user);
    const url = `${cluster.url.replace(/^http/u, "ws").replace(/\/$/u, "")}/v1/ws`;
    const client = new Parley({ url, token: () => Promise.resolve(fixed) });
    clients.push(client);
    const room = client.join("lobby-of-all");
    client.connect();
    await until(() => room.status === "live", { withinMs: PATIENCE_MS, what: `${user} live` });
    return client;
  }

  const owners = (): Promise<readonly string[]> =>
    page.locator("tr[data-partition] .operator-owner").allTextContents();
  /** A room node that owns a partition, as the page shows it. */
  async function roomNodeWithWork(): Promise<{ readonly name: string; readonly id: string }> {
    let found = { name: "", id: "" };
    await until(
      async () => {
        const owning = await owners();
        for (const name of ["room-1", "room-2"]) {
          const id = cluster.idOf(name) ?? "";
          if (owning.includes(id)) found = { name, id };
        }
        return found.id !== "";
      },
      { withinMs: PATIENCE_MS, what: "a room node with a partition" },
    );
    return found;
  }
  const row = (id: string): Locator => page.locator(`tr[data-process="${id}"]`);
  const dialog = (): Locator => page.getByRole("dialog");

  async function picture(name: string): Promise<void> {
    if (PICTURES !== undefined) await page.screenshot({ path: join(PICTURES, `${name}.png`) });
  }

  async function showSessions(user: string): Promise<void> {
    await page.getByLabel("User id").fill(user);
    await page.getByRole("button", { name: "Show sessions" }).click();
  }

  /** A session is in the list a second after its start. */
  async function untilSession(user: string): Promise<void> {
    await until(
      async () => {
        await showSessions(user);
        return (await page.locator("tr[data-session]").count()) === 1;
      },
      { withinMs: PATIENCE_MS, what: `the session of ${user}` },
    );
  }

  it("AP1, AP6: a user's token is refused, and an administrator's shows the cluster, without a finding of axe-core", async () => {
    await page.goto(operatorUrl());
    const field = page.getByLabel("Token of an administrator");
    await field.fill(await token("bob"));
    await field.press("Enter");
    await page.getByText("Only an administrator may sign in here").waitFor();
    await expectAccessible(admin, "the form with a problem");
    await picture("sign-in");
    await signIn();
    await page.getByText("No problem found.").waitFor();
    for (const name of ["gateway-1", "room-1", "room-2", "persistence-1", "operator-1"]) {
      await row(cluster.idOf(name) ?? "")
        .getByText("answers")
        .waitFor();
    }
    await expectAccessible(admin, "the cluster in light");
    await picture("light");
    await page.emulateMedia({ colorScheme: "dark" });
    await expectAccessible(admin, "the cluster in dark");
    await picture("dark");
    await page.setViewportSize({ width: 390, height: 760 });
    await expectAccessible(admin, "the cluster on a phone");
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(width).to.be.at.most(390);
    await picture("phone");
    await page.emulateMedia({ colorScheme: "light" });
    await page.setViewportSize({ width: 1280, height: 900 });
    const kept = await page.evaluate(() =>
      [localStorage, sessionStorage].flatMap((store) => Object.entries(store)).join(),
    );
    expect(kept + (await page.evaluate(() => document.cookie))).to.not.match(
      /eyJ|parley-operator/u,
    );
  });

  it("AP4: after a kill -9 of a room node the page shows that it is silent, and the owners that follow", async () => {
    // With four partitions, one of two room nodes owns nothing in a run of sixteen.
    const { name, id: killed } = await roomNodeWithWork();
    await cluster.kill(name);
    await row(killed).getByText("silent for").waitFor();
    await until(
      async () => !(await owners()).some((owner) => owner === killed || owner === "none"),
      {
        withinMs: PATIENCE_MS,
        what: "other owners",
      },
    );
    await picture("killed");
  });

  it("AP5: a session is ended, and a user is kicked and revoked, each after a confirmation that names the effect", async () => {
    await connect("carol");
    await page.getByLabel("Part of a room id").fill("of-all");
    await page.getByRole("button", { name: "Search" }).click();
    await page.locator('tr[data-room="lobby-of-all"]').waitFor();

    const dave = await connect("dave");
    await untilSession("dave");
    await page.getByRole("button", { name: /^End / }).click();
    await dialog().getByText("Its token stays valid").waitFor();
    await dialog().getByRole("button", { name: "End the session" }).click();
    await page.getByText("Ended 1 sessions.").waitFor();
    await until(() => dave.state === "closed", { withinMs: PATIENCE_MS, what: "dave closed" });
    await page.getByText("dave has 0 sessions.").waitFor();

    const bob = await connect("bob");
    await untilSession("bob");
    await page.getByRole("button", { name: "Kick" }).click();
    await dialog().getByText("all connections of the user close at once").waitFor();
    await expectAccessible(admin, "the confirmation");
    await picture("confirm");
    await page.keyboard.press("Escape");
    await dialog().waitFor({ state: "detached" });
    expect(bob.state).to.equal("online");
    await page.getByRole("button", { name: "Kick" }).click();
    await dialog().getByRole("button", { name: "Kick bob" }).click();
    await page.getByText("Kicked bob: 1 connections closed at once.").waitFor();
    await until(() => bob.state === "closed", { withinMs: PATIENCE_MS, what: "bob closed" });

    await showSessions("carol");
    await page.getByRole("button", { name: "Revoke tokens" }).click();
    await dialog().getByRole("button", { name: "Revoke tokens of carol" }).click();
    await page.getByText(/Tokens of carol up to .* are refused/u).waitFor();
    const carol = clients[0];
    await until(() => carol?.state === "closed", { withinMs: PATIENCE_MS, what: "carol closed" });
    admin.expectNoErrorsBut(/401|403/u);
  });

  it("AP5: a room node is drained after a confirmation with the number of its partitions, and its work moves", async () => {
    const { id: drained } = await roomNodeWithWork();
    const count = (await owners()).filter((owner) => owner === drained).length;
    await page.getByRole("button", { name: `Drain ${drained}` }).click();
    await dialog().getByText(`Its ${count} partitions move`).waitFor();
    await picture("drain");
    await dialog().getByRole("button", { name: "Cancel" }).click();
    await row(drained).getByText("answers").waitFor();
    await page.getByRole("button", { name: `Drain ${drained}` }).click();
    await dialog()
      .getByRole("button", { name: `Drain ${drained}` })
      .click();
    await page.getByText(`${drained} hands over its work and exits.`).waitFor();
    await row(drained).getByText("silent for").waitFor();
    await until(
      async () => !(await owners()).some((owner) => owner === drained || owner === "none"),
      {
        withinMs: PATIENCE_MS,
        what: "other owners",
      },
    );
    const audit = readFileSync(join(dataDir, "logs/operator-1.log"), "utf8")
      .split("\n")
      .filter((line) => line.includes("an administrator acted"));
    const expected = ['"what":"end"', '"what":"kick"', '"what":"revoke"', '"what":"drain"'];
    expect(audit).to.have.length(expected.length);
    for (const [n, what] of expected.entries()) {
      expect(audit[n]).to.include(what).and.include('"by":"ada"').and.include('"outcome":"done"');
    }
  });

  it("AP3, AP4: a reload stays signed in, signing out ends it, and a restart of the service asks again", async () => {
    await page.reload();
    await page.getByRole("heading", { name: "Processes" }).waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Token of an administrator").waitFor();
    await page.reload();
    await page.getByLabel("Token of an administrator").waitFor();
    await signIn();
    cluster.pause("operator-1");
    const old = page.locator('.operator-age[data-old="true"]');
    await old.waitFor();
    await page.getByText("The operator service does not answer.").waitFor();
    await picture("unreachable");
    cluster.resume("operator-1");
    await page.locator('.operator-age[data-old="false"]').waitFor();
    await cluster.kill("operator-1");
    await page.getByText("The sign-in has ended. Sign in again.").waitFor();
    admin.expectNoErrorsBut(/Failed to load resource/u);
  });
});
