// RoomWalks: what users do with rooms, in a real browser on a real cluster: create, invite,
// mention, moderate, remove, pin, jump, notify. axe-core finds nothing in any state. They share the
// cluster of composer.e2e.ts.

import { expect } from "chai";
import type { SendOptions } from "#client/sdk/room-handle.ts";
import { expectAccessible } from "./axe.ts";
import type { BrowserCluster } from "./browser-cluster.ts";
import type { BrowserUser } from "./browser-user.ts";

type Locator = ReturnType<BrowserUser["page"]["locator"]>;

function button(user: BrowserUser, name: string | RegExp): Locator {
  return user.page.getByRole("button", { name, exact: typeof name === "string" });
}

function dialog(user: BrowserUser): Locator {
  return user.page.getByRole("dialog");
}

/** The room in the sidebar. */
function listed(user: BrowserUser, title: string): Locator {
  return user.page.locator(".sidebar .room", { hasText: title });
}

async function leave(...users: readonly BrowserUser[]): Promise<void> {
  for (const user of users) {
    user.expectNoErrors();
    await user.leave();
  }
}

/** The message is in the window and has the focus. */
function isShown(user: BrowserUser, text: string): Promise<void> {
  return user.until(`${text} to have the focus`, () =>
    user.page.evaluate((wanted) => {
      const { activeElement } = document;
      const box = activeElement?.getBoundingClientRect();
      const isVisible = box !== undefined && box.top > 0 && box.bottom < innerHeight;
      return isVisible && activeElement?.querySelector(".text")?.textContent === wanted;
    }, text),
  );
}

function setVisibility({ page }: BrowserUser, state: DocumentVisibilityState): Promise<unknown> {
  return page.evaluate((get) => {
    Object.defineProperty(document, "visibilityState", { get: () => get, configurable: true });
  }, state);
}

type Shown = ReadonlyMap<string, EventTarget & { readonly isClosed: boolean }>;

interface Notified {
  click(): Promise<unknown>;
  isClosed(): Promise<boolean>;
}

/**
 * Turns notifications on and hides the page, as far as it can know. The returned function waits for
 * the notification with this text.
 */
async function notify(user: BrowserUser): Promise<(text: string) => Promise<Notified>> {
  const { page } = user;
  await page.evaluate(() => {
    const shown = new Map<string, EventTarget>();
    class FakeNotification extends EventTarget {
      static permission = "default";
      static async requestPermission(): Promise<string> {
        FakeNotification.permission = "granted";
        return "granted";
      }
      isClosed = false;
      constructor(title: string, options: { body: string }) {
        super();
        shown.set(`${title}: ${options.body}`, this);
      }
      close(): void {
        this.isClosed = true;
      }
    }
    Object.assign(window, { Notification: FakeNotification, shown });
  });
  await button(user, "Turn notifications on").click();
  await button(user, "Turn notifications off").waitFor();
  await setVisibility(user, "hidden");
  const ask = (text: string, what: "exists" | "click" | "isClosed"): Promise<boolean> =>
    page.evaluate(
      ([wanted, act]) => {
        const found = (window as unknown as { shown: Shown }).shown.get(wanted);
        if (act === "click") found?.dispatchEvent(new Event("click"));
        return act === "isClosed" ? found?.isClosed === true : found !== undefined;
      },
      [text, what] as const,
    );
  return async (text) => {
    await user.until(`the notification ${text}`, () => ask(text, "exists"));
    return { click: () => ask(text, "click"), isClosed: () => ask(text, "isClosed") };
  };
}

async function memberAction(user: BrowserUser, member: string, action: string): Promise<void> {
  await button(user, `Actions for ${member}`).click();
  await button(user, action).click();
}

export function walkRooms(shared: BrowserCluster): void {
  it("M11: a closed room: create it, invite with a link, mention, mute, remove", async function () {
    this.timeout(120_000);
    const ada = await shared.arrive("ada", "lobby");
    const grace = await shared.arrive("grace", "lobby");
    const { keyboard } = ada.page;
    await button(ada, "New room").click();
    await ada.page.getByLabel("Title").fill("Secret plans");
    expect(await ada.page.getByLabel("Name", { exact: true }).inputValue()).to.equal(
      "secret-plans",
    );
    await ada.page.getByText("Only users who are invited").click();
    await expectAccessible(ada, "the dialog for a new room");
    await button(ada, "Create").click();
    await ada.page.getByRole("heading", { name: "Secret plans", level: 1 }).waitFor();
    await listed(ada, "Secret plans").waitFor();

    await button(ada, "Invite with a link").click();
    await button(ada, "Make a link").click();
    const link = await ada.page.getByLabel("Link", { exact: true }).inputValue();
    await expectAccessible(ada, "an invite");
    await keyboard.press("Escape");
    expect(
      await button(ada, "Invite with a link").evaluate((item) => item === document.activeElement),
      "the focus returns",
    ).to.equal(true);

    await grace.page.evaluate((hash) => (location.hash = hash), new URL(link).hash);
    await grace.page.getByRole("heading", { name: "Secret plans", level: 1 }).waitFor();
    expect(new URL(grace.page.url()).hash).to.equal("");
    await ada.page.locator(".users .name", { hasText: "grace" }).waitFor();
    await grace.page.keyboard.press("Alt+ArrowDown");
    await grace.page.getByRole("heading", { name: "lobby", level: 1 }).waitFor();

    await ada.field.fill("");
    await keyboard.type("hello @gr");
    await ada.page.getByRole("option", { name: "grace" }).waitFor();
    await expectAccessible(ada, "the list of users to mention");
    await keyboard.press("Enter");
    await keyboard.type("look");
    await keyboard.press("Enter");
    await listed(grace, "Secret plans").locator(".badge-mention", { hasText: "@1" }).waitFor();
    await grace.page.getByText("ada: hello @grace look").waitFor();
    await expectAccessible(grace, "a mention in the list of rooms");
    await listed(grace, "Secret plans").locator(".room-open").click();
    await grace.page.locator(".message-mention .mention", { hasText: "@grace" }).waitFor();
    await expectAccessible(grace, "an own mention");
    await listed(grace, "Secret plans").locator(".badge").first().waitFor({ state: "detached" });

    await memberAction(ada, "grace", "Mute for 10 minutes");
    await grace.page.getByText("You are muted until").waitFor();
    await button(ada, "Actions for grace").click();
    await expectAccessible(ada, "the actions for a member");
    await button(ada, "Unmute").click();
    await grace.field.waitFor();
    expect(await button(grace, /^Actions for/u).count(), "not offered").to.equal(0);
    await memberAction(ada, "grace", "Remove");
    await dialog(ada)
      .getByLabel(/^Reason/u)
      .fill("moved on");
    await expectAccessible(ada, "the question before a removal");
    await dialog(ada).getByRole("button", { name: "Remove" }).click();
    await grace.page.getByText("ada removed you from this room: moved on").waitFor();
    await button(grace, "Close this room").click();
    await grace.page.getByRole("heading", { name: "lobby", level: 1 }).waitFor();
    await listed(grace, "Secret plans").waitFor({ state: "detached" });
    await grace.page.evaluate((hash) => (location.hash = hash), new URL(link).hash);
    await grace.page.getByText("This invite has ended").waitFor();
    await leave(ada, grace);
  });

  it("a direct room has the other user's name, and notifies while the page is hidden", async () => {
    const ada = await shared.arrive("ada", "lobby2");
    const grace = await shared.arrive("grace", "lobby2");
    const notified = await notify(grace);
    await button(ada, "New direct message").click();
    await ada.page.getByLabel("To", { exact: true }).fill("grace");
    await expectAccessible(ada, "the dialog for a direct message");
    await ada.page.keyboard.press("Enter");
    await ada.page.getByRole("heading", { name: "grace", level: 1 }).waitFor();
    await ada.waitUntilComplete();
    await ada.send("psst");
    await notified("ada: psst");
    await listed(grace, "ada").locator(".badge-mention").waitFor();
    await expectAccessible(grace, "a direct message");
    await leave(ada, grace);
  });

  it("U6: a click on a notification opens the room at the message", async () => {
    const grace = await shared.arrive("grace", "lobby5");
    const notified = await notify(grace);
    const ada = shared.client("ada");
    const members = [{ user: "grace" }];
    await ada.createRoom("far", { kind: "closed", title: "Far away", members }).done;
    await listed(grace, "Far away").waitFor();
    const room = ada.join("far");
    const send = async (text: string, more: SendOptions = {}): Promise<number> => {
      const sent = await room.send({ text }, more).done;
      if (sent.kind !== "acked") throw new Error(sent.message);
      return sent.seq;
    };
    const mentions = ["grace"];
    const first = await send("the first line");
    await send("@grace look", { mentions });
    // Its page is not the one with the end of the room.
    await Promise.all(Array.from({ length: 100 }, (_, i) => send(`line ${i + 1}`)));
    const mention = await notified("ada mentioned you in Far away: @grace look");
    await setVisibility(grace, "visible"); // A click shows the page.
    await mention.click();
    await grace.page.getByRole("heading", { name: "Far away", level: 1 }).waitFor();
    await isShown(grace, "@grace look");
    await setVisibility(grace, "hidden");
    expect(await mention.isClosed()).to.equal(true);

    await send("@grace answer", { thread: first, mentions });
    await (await notified("ada mentioned you in Far away: @grace answer")).click();
    await grace.thread.locator(".text", { hasText: "@grace answer" }).waitFor();

    await room.edit(first, { text: "@grace the first line" }, { mentions }).done;
    await (await notified("ada mentioned you in Far away: @grace the first line")).click();
    await isShown(grace, "@grace the first line");
    ada.close();
    await leave(grace);
  });

  it("O12, H4: pins are listed, and a number, a day and a link lead to a message", async () => {
    const owner = shared.client("ada");
    await owner.createRoom("archive", { kind: "open", title: "The archive" }).done;
    const room = owner.join("archive");
    for (let first = 1; first <= 150; first += 50) {
      const lines = Array.from({ length: 50 }, (_, i) => `line ${first + i}`);
      await Promise.all(lines.map((text) => room.send({ text }).done));
    }
    await room.pin(12).done;
    await room.send({ text: "a reply" }, { thread: 20 }).done;
    await room.edit(12, { text: "**line** 10" }).done;
    await room.edit(35, { text: "_line_ **33**" }).done;
    owner.close();
    const ada = await shared.arrive("ada", "archive");
    await button(ada, "Pinned messages").click();
    await ada.page.locator(".excerpt", { hasText: "line 10" }).waitFor();
    await expectAccessible(ada, "the pinned messages");
    await button(ada, "Show in the room").click();
    await isShown(ada, "line 10");
    await ada.page.locator(".excerpt").getByText("Unpin").click();
    await ada.page.getByText("No message is pinned").waitFor();
    await button(ada, "Search messages").click();
    await ada.until("the index to have it", async () => {
      await ada.page.getByLabel("Words to find").fill("line 33");
      await ada.page.keyboard.press("Enter");
      const hit = ada.page.locator(".excerpt-text", { hasText: "line 33" });
      return hit.waitFor({ timeout: 1_000 }).then(
        () => true,
        () => false,
      );
    });
    const marked = await ada.page.locator(".excerpt mark").allTextContents();
    expect(marked).to.deep.equal(["line", "33"]);
    await expectAccessible(ada, "found messages");
    await button(ada, "Show in the room").click();
    await isShown(ada, "line 33");
    await button(ada, "About this room").click();
    await expectAccessible(ada, "the panel about a room");
    await ada.page.getByLabel("Go to a message by its number").fill("#77");
    await ada.page.keyboard.press("Enter");
    await isShown(ada, "line 75");
    const today = await ada.page.evaluate(() => {
      const now = new Date();
      const two = (value: number): string => String(value).padStart(2, "0");
      return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
    });
    await ada.page.getByLabel("Go to a day").fill(today);
    await button(ada, "Go").last().click();
    await isShown(ada, "line 1");
    await ada.page.evaluate(() => (location.hash = "#message=154"));
    await ada.thread.locator(".text", { hasText: "a reply" }).waitFor();
    await ada.page.goto(new URL("/?room=archive#message=50", shared.url).href);
    await isShown(ada, "line 48");
    expect(new URL(ada.page.url()).hash).to.equal("");
    await leave(ada);
  });

  it("M10, C3: settings, joining, filtering and leaving a room", async () => {
    const ada = await shared.arrive("ada", "lobby3");
    const grace = await shared.arrive("grace", "lobby3");
    await button(ada, "New room").click();
    await ada.page.getByLabel("Title").fill("Tea time");
    await ada.page.keyboard.press("Enter");
    await ada.page.getByRole("heading", { name: "Tea time", level: 1 }).waitFor();
    await grace.until("the archive to list it", async () => {
      await grace.page.keyboard.press("Control+k");
      await grace.page.keyboard.type("Tea ti");
      const found = grace.page.getByRole("option", { name: /Tea time.*Open room/u });
      const isFound = await found.waitFor({ timeout: 2_000 }).then(
        () => true,
        () => false,
      );
      if (isFound) await found.click();
      else await grace.page.keyboard.press("Escape");
      return isFound;
    });
    await grace.page.getByText("You are visiting this room").waitFor();
    await expectAccessible(grace, "a visit");
    await button(grace, "Join").click();
    await grace.page.getByText("You are visiting this room").waitFor({ state: "detached" });
    await ada.page.getByText("joined this room.").waitFor();
    await button(ada, "About this room").click();
    await button(ada, "Room settings").click();
    await ada.page.getByLabel("Topic").fill("Green or black?");
    await ada.page.getByLabel("Wait between two messages").selectOption({ label: "5 minutes" });
    await ada.page.getByLabel("Time to edit a message").selectOption({ label: "15 minutes" });
    await expectAccessible(ada, "the settings of a room");
    await button(ada, "Save").click();
    await ada.page.locator(".facts").getByText("15 minutes").waitFor();
    await grace.page.locator(".room-topic", { hasText: "Green or black?" }).waitFor();
    await grace.page.getByText("Slow mode: one message in 5 minutes").waitFor();
    await grace.page.getByRole("textbox", { name: "Filter rooms" }).fill("zzz");
    await grace.page.getByText("No room of yours matches.").waitFor();
    await grace.page.getByRole("textbox", { name: "Filter rooms" }).fill("tea");
    await listed(grace, "Tea time").waitFor();
    await grace.page.keyboard.press("Escape");
    await button(grace, "About this room").click();
    await button(grace, "Leave this room").click();
    await expectAccessible(grace, "the question before leaving");
    await dialog(grace).getByRole("button", { name: "Leave" }).click();
    await grace.page.getByRole("heading", { name: "Tea time", level: 1 }).waitFor({
      state: "detached",
    });
    await listed(grace, "Tea time").waitFor({ state: "detached" });
    await leave(ada, grace);
  });
}
