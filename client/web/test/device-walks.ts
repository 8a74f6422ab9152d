// DeviceWalks: what a user does with their devices, in real browsers on a real cluster: two windows
// of one user see each other, and one signs the other out. axe-core finds nothing in any state.
// They share the cluster of browser.e2e.ts, with users of their own: the sessions of a page that
// has just left may still be listed.

import { expect } from "chai";
import { faintTexts } from "./appearance.ts";
import { expectAccessible } from "./axe.ts";
import type { BrowserCluster } from "./browser-cluster.ts";
import type { BrowserUser } from "./browser-user.ts";

type Locator = ReturnType<BrowserUser["page"]["locator"]>;

const PHONE = { viewport: { width: 360, height: 640 }, hasTouch: true, isMobile: true };
const IPHONE =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 Version/18.6 Safari/604.1";
const SIGNED_OUT = "This device was signed out";

function list({ page }: BrowserUser): Locator {
  return page.getByRole("dialog", { name: "Your devices" });
}

async function openList(user: BrowserUser): Promise<void> {
  await user.page.getByRole("button", { name: "Your devices" }).click();
  await list(user).locator(".devices li", { hasText: "this one" }).waitFor();
}

/** The connections that the page opens from now on. */
function countConnections({ page }: BrowserUser): () => number {
  let count = 0;
  page.on("websocket", () => count++);
  return () => count;
}

export function walkDevices(shared: BrowserCluster): void {
  it("SL10: one window signs the other one out, which shows it and does not come back", async function () {
    this.timeout(120_000);
    const phone = await shared.arrive("dora", "devices", { ...PHONE, userAgent: IPHONE });
    const dora = await shared.arrive("dora", "devices", { colorScheme: "dark" });
    const { page } = dora;
    const connections = countConnections(phone);
    await phone.field.fill("half a thought");

    await openList(dora);
    const other = list(dora).locator(".devices li", { hasText: "Safari, iPhone" });
    await other.waitFor();
    await list(dora).locator(".devices li", { hasText: "Chrome, Linux" }).waitFor();
    const first = list(dora).locator(".devices li").first();
    expect(await first.textContent()).to.contain("this one");
    expect(await first.getByRole("button").count(), "not offered").to.equal(0);
    await expectAccessible(dora, "the list of devices");
    expect(await faintTexts(page)).to.deep.equal([]);

    // By the keyboard alone, and first without doing it.
    const question = page.getByRole("dialog", { name: "Sign out Safari, iPhone?" });
    const focused = (element: Locator): Promise<boolean> =>
      element.evaluate((one) => one === document.activeElement);
    const signOut = other.getByRole("button", { name: "Sign out Safari, iPhone" });
    await signOut.focus();
    await page.keyboard.press("Enter");
    await question.waitFor();
    await expectAccessible(dora, "the question before a sign-out");
    await page.keyboard.press("Escape");
    await question.waitFor({ state: "detached" });
    expect(await focused(signOut), "the focus returns").to.equal(true);
    await page.keyboard.press("Enter");
    await question.getByRole("button", { name: "Sign out" }).click();
    await question.waitFor({ state: "detached" });
    await other.waitFor({ state: "detached" });
    await list(dora).getByText("No other device is connected.").waitFor();
    await dora.until("devices.1: the title has the focus", () =>
      focused(list(dora).getByRole("heading", { name: "Your devices" })),
    );

    await phone.page.getByRole("alert").getByText(SIGNED_OUT).waitFor();
    await expectAccessible(phone, "the page of a device that was signed out");
    expect(await phone.page.locator(".chat").count(), "no message is shown").to.equal(0);
    await phone.page.reload();
    await phone.page.getByLabel("Your name").waitFor();
    expect(connections(), "it does not connect again").to.equal(0);
    await phone.page.getByLabel("Your name").fill("dora");
    await phone.page.getByLabel("Room").fill("devices");
    await phone.page.keyboard.press("Enter");
    await phone.waitUntilComplete();
    expect(await phone.field.inputValue(), "the draft stays").to.equal("half a thought");

    await page.keyboard.press("Escape");
    await list(dora).waitFor({ state: "detached" });
    expect(await focused(page.getByRole("button", { name: "Your devices" }))).to.equal(true);
    for (const user of [phone, dora]) {
      user.expectNoErrors();
      await user.leave();
    }
  });

  it("SL10: a phone signs out everywhere else, and stays", async function () {
    this.timeout(120_000);
    const phone = await shared.arrive("hedy", "devices", { ...PHONE, userAgent: IPHONE });
    const others = [
      await shared.arrive("hedy", "devices"),
      await shared.arrive("hedy", "devices"),
    ] as const;
    await phone.page.getByRole("button", { name: "Rooms", exact: true }).tap();
    await openList(phone);
    await list(phone).locator(".devices li").nth(2).waitFor();
    const overflow = await phone.page.evaluate(() =>
      [...document.querySelectorAll("dialog")].map((one) => one.scrollWidth - one.clientWidth),
    );
    expect(overflow).to.deep.equal([0]);
    await expectAccessible(phone, "the list of devices on a phone");
    await list(phone).getByRole("button", { name: "Sign out everywhere else" }).tap();
    const question = phone.page.getByRole("dialog", { name: "Sign out everywhere else?" });
    await expectAccessible(phone, "the question before all others are signed out");
    // The first answer is lost: it says so, and it can be tried again.
    const lose = (route: { abort(): Promise<void> }): Promise<void> => route.abort();
    await phone.page.route("**/sessions/**", lose);
    const confirm = question.getByRole("button", { name: "Sign out" });
    await confirm.tap();
    await question.getByRole("alert").getByText("It is safe to try again").waitFor();
    await phone.page.unroute("**/sessions/**", lose);
    await confirm.tap();
    await question.waitFor({ state: "detached" });
    for (const { page } of others) await page.getByText(SIGNED_OUT).waitFor();
    await list(phone).getByText("No other device is connected.").waitFor();
    await phone.page.keyboard.press("Escape");
    await phone.page.keyboard.press("Escape");
    await phone.send("still here");
    await phone.until("its number", async () => (await phone.seqs()).some((seq) => seq === 1));
    phone.expectNoErrorsBut(/ERR_FAILED/u);
    for (const user of [phone, ...others]) await user.leave();
  });
}
