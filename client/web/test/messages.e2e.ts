// What users do with messages, in a real browser on a real cluster: edit, delete, react, pin, reply
// in a thread, with the pointer and with the keyboard alone. axe-core finds nothing in any state.

import { expect } from "chai";
import { expectAccessible } from "./axe.ts";
import { useBrowserCluster } from "./browser-cluster.ts";
import type { BrowserCluster } from "./browser-cluster.ts";
import type { BrowserUser } from "./browser-user.ts";
import { expectHarmless } from "./harmless.ts";
import { HOSTILE_MARKDOWN, HOSTILE_TEXTS } from "./hostile-texts.ts";

describe("Messages in a browser", () => {
  const shared = useBrowserCluster();
  const arrive: BrowserCluster["arrive"] = (...args) => shared.arrive(...args);

  const leave = async (...users: readonly BrowserUser[]): Promise<void> => {
    for (const user of users) {
      user.expectNoErrors();
      await user.leave();
    }
  };

  it("an edit shows its text with a mark, and a deletion one quiet line, to both users", async () => {
    const ada = await arrive("ada", "edits");
    const grace = await arrive("grace", "edits");
    await ada.send("helo");
    await ada.send("oops");
    await ada.use(ada.message("helo"), "Edit");
    await ada.until("its text", async () => (await ada.field.inputValue()) === "helo");
    await expectAccessible(ada, "editing a message");
    await ada.field.press("Escape");
    expect(await ada.field.inputValue()).to.equal("");
    await ada.use(ada.message("helo"), "Edit");
    await ada.until("its text again", async () => (await ada.field.inputValue()) === "helo");
    await ada.send("hello");
    for (const user of [ada, grace]) {
      await user.message("hello").getByText("edited").waitFor();
      expect(await user.messages()).to.deep.equal([
        { seq: 1, text: "hello" },
        { seq: 2, text: "oops" },
      ]);
    }
    await ada.use(ada.message("oops"), "Delete");
    await expectAccessible(ada, "the question before a deletion");
    await ada.page.locator("dialog .secondary").click();
    await ada.use(ada.message("oops"), "Delete");
    await ada.page.locator("dialog .danger").click();
    for (const user of [ada, grace]) {
      await user.message("This message was deleted.").waitFor();
      expect(await user.message("oops").count()).to.equal(0);
      expect(await user.page.locator(".chat-main .message").count()).to.equal(2);
      await expectAccessible(user, "an edited and a deleted message");
    }
    await grace.message("hello").hover();
    expect(await grace.page.getByRole("button", { name: "Edit", exact: true }).count()).to.equal(0);
    await leave(ada, grace);
  });

  it("reactions are buttons with counts; the own one is marked, and a click toggles it", async () => {
    const ada = await arrive("ada", "reactions");
    const grace = await arrive("grace", "reactions");
    await ada.send("ship it?");
    await grace.use(grace.message("ship it?"), "React");
    await expectAccessible(grace, "the picker of emoji");
    await grace.page.keyboard.press("Escape");
    await grace.react(grace.message("ship it?"), "rocket");
    const own = (user: BrowserUser): ReturnType<BrowserUser["message"]> =>
      user.page.getByRole("button", { name: /^🚀/u });
    await own(ada).click();
    for (const user of [ada, grace]) {
      await user.until("two rockets", async () => (await own(user).textContent())?.[2] === "2");
      expect(await own(user).getAttribute("aria-pressed")).to.equal("true");
    }
    expect(await own(ada).getAttribute("title")).to.equal("grace and ada");
    await expectAccessible(ada, "a reaction");
    await own(grace).click();
    for (const user of [ada, grace]) {
      await user.until("one rocket", async () => (await own(user).textContent())?.[2] === "1");
    }
    expect(await own(grace).getAttribute("aria-pressed")).to.equal("false");
    await own(ada).click();
    await own(grace).waitFor({ state: "detached" });
    await leave(ada, grace);
  });

  it("replies in a thread leave the main line and are read and written beside it", async () => {
    const ada = await arrive("ada", "threads");
    const grace = await arrive("grace", "threads");
    await ada.send("lunch?");
    await grace.use(grace.message("lunch?"), "Reply in thread");
    const field = grace.thread.locator("textarea");
    await field.fill("at noon");
    await field.press("Enter");
    await ada.page.getByRole("button", { name: "1 reply" }).click();
    await ada.thread.locator(".text", { hasText: "at noon" }).waitFor();
    await ada.page.keyboard.type("fine");
    await ada.page.keyboard.press("Enter");
    await grace.thread.locator(".text", { hasText: "fine" }).waitFor();
    await grace.page.getByRole("button", { name: "2 replies" }).waitFor();
    for (const user of [ada, grace]) {
      expect((await user.messages()).map(({ text }) => text)).to.deep.equal(["lunch?"]);
      await expectAccessible(user, "a thread");
    }
    // An edit and a reaction within the thread.
    await ada.page.keyboard.press("ArrowUp");
    await ada.page.keyboard.press("Control+a");
    await ada.page.keyboard.type("half past");
    await ada.page.keyboard.press("Enter");
    await grace.thread.locator(".message", { hasText: "half past" }).getByText("edited").waitFor();
    await grace.react(grace.thread.locator(".message", { hasText: "half past" }), "thanks");
    await ada.thread.getByRole("button", { name: /^🙏/u }).waitFor();
    // A reload reads the same thread again.
    await grace.page.reload();
    await grace.waitUntilComplete();
    await grace.page.getByRole("button", { name: "2 replies" }).click();
    await grace.thread.locator(".text", { hasText: "half past" }).waitFor();
    expect(await grace.thread.locator(".text").allTextContents()).to.deep.equal([
      "lunch?",
      "at noon",
      "half past",
    ]);
    await grace.page.getByRole("button", { name: "Close this panel" }).click();
    expect(await grace.page.evaluate(() => document.activeElement?.className)).to.contain(
      "message",
    );
    await leave(ada, grace);
  });

  it("a pin is marked, and a refusal is one sentence at the message", async () => {
    const owner = shared.client("ada");
    const members = [{ user: "grace" }];
    await owner.createRoom("pins", { kind: "closed", members }).done;
    const ada = await arrive("ada", "pins");
    const grace = await arrive("grace", "pins");
    await ada.send("the door code is 1234");
    // Only moderators pin, so members are not offered it.
    await grace.message("door code").hover();
    await grace.page.getByRole("button", { name: "React", exact: true }).waitFor();
    expect(await grace.page.getByRole("button", { name: "Pin", exact: true }).count()).to.equal(0);
    await grace.send("thank yuo");
    await grace.message("thank yuo").locator(".status-mine").waitFor();
    const end = Date.now() + 1_000;
    await grace.use(grace.message("thank yuo"), "Edit");
    await grace.page.getByText("Editing a message").waitFor();
    await owner.join("pins").update({ editWindow: 1 }).done;
    owner.close();
    await grace.until("the end of the time for edits", () => Date.now() > end);
    await grace.send("thank you");
    const problem = grace.message("thank yuo").getByRole("alert");
    await problem.getByText("Not edited. The time to edit this message is over.").waitFor();
    await expectAccessible(grace, "a refusal");
    await problem.getByRole("button", { name: "Close" }).click();
    await problem.waitFor({ state: "detached" });
    await ada.use(ada.message("door code"), "Pin");
    await grace.message("door code").getByText("pinned").waitFor();
    await expectAccessible(grace, "a pinned message");
    await ada.use(ada.message("door code"), "Unpin");
    await grace.message("door code").getByText("pinned").waitFor({ state: "detached" });
    await leave(ada, grace);
  });

  it("C3: a muted user and an archived room are offered only the changes that the room takes", async () => {
    const owner = shared.client("ada");
    await owner.createRoom("rights", { kind: "closed", members: [{ user: "grace" }] }).done;
    const room = owner.join("rights");
    const sent = await room.send({ text: "of ada" }).done;
    if (sent.kind !== "acked") throw new Error(sent.message);
    await room.react(sent.seq, "👍").done;
    await room.send({ text: "a reply" }, { thread: sent.seq }).done;
    const grace = await arrive("grace", "rights");
    await grace.send("of grace");
    await grace.message("of grace").locator(".status-mine").waitFor();
    const offered = (text: string): Promise<(string | null)[]> => offeredTo(grace, text);
    const reaction = grace.message("of ada").getByRole("button", { name: /^👍/u });
    const all = ["React", "Reply in thread", "Edit", "Delete"];
    expect(await offered("of grace")).to.deep.equal(all);
    expect(await reaction.isEnabled()).to.equal(true);

    const mutedUntil = Date.now() + 3_600_000;
    await room.setMember("grace", { role: "member", mutedUntil }).done;
    const muted = grace.page.getByText("You are muted until");
    await muted.waitFor();
    await grace.page.getByText("made grace a member of this room.").waitFor();
    expect(await offered("of grace")).to.deep.equal(["Delete"]);
    expect(await offered("of ada"), "its thread can be read").to.deep.equal(["Reply in thread"]);
    expect(await reaction.isEnabled()).to.equal(false);
    await expectAccessible(grace, "a muted user");

    await room.setMember("grace", { role: "member" }).done;
    await muted.waitFor({ state: "detached" });
    expect(await offered("of grace")).to.deep.equal(all);
    await room.update({ archived: true }).done;
    owner.close();
    await grace.page.getByText("This room is archived.").waitFor();
    expect(await offered("of grace")).to.deep.equal(["Delete"]);
    await grace.use(grace.message("of grace"), "Delete");
    await grace.page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await grace.message("This message was deleted.").waitFor();
    await leave(grace);
  });

  it("C3: an edit is offered until the time of the room for edits is over", async () => {
    const owner = shared.client("ada");
    await owner.createRoom("edit-window", { kind: "closed", members: [{ user: "grace" }] }).done;
    await owner.join("edit-window").update({ editWindow: 600 }).done;
    owner.close();
    const grace = await arrive("grace", "edit-window");
    await grace.page.clock.install();
    await grace.page.reload();
    await grace.waitUntilComplete();
    await grace.send("of grace");
    const message = grace.message("of grace");
    await message.locator(".status-mine").waitFor();
    const all = ["React", "Reply in thread", "Edit", "Delete"];
    expect(await offeredTo(grace, "of grace")).to.deep.equal(all);
    await message.getByRole("button", { name: "Edit" }).focus();
    await grace.page.clock.fastForward(601_000);
    await message.getByRole("button", { name: "Edit" }).waitFor({ state: "detached" });
    expect(await offeredTo(grace, "of grace")).to.deep.equal([
      "React",
      "Reply in thread",
      "Delete",
    ]);
    expect(await message.evaluate((element) => element === document.activeElement)).to.equal(true);
    await grace.page.keyboard.press("e");
    await grace.field.press("ArrowUp");
    expect(await grace.page.getByText("Editing a message").count()).to.equal(0);
    await leave(grace);
  });

  it("M3: a mute ends without a reload, in the page of the muted user and in the list of people", async () => {
    const owner = shared.client("ada");
    await owner.createRoom("mute-end", { kind: "closed", members: [{ user: "grace" }] }).done;
    const mutedUntil = Date.now() + 600_000;
    await owner.join("mute-end").setMember("grace", { role: "member", mutedUntil }).done;
    owner.close();
    const [ada, grace] = await Promise.all([
      arrive("ada", "mute-end"),
      arrive("grace", "mute-end"),
    ]);
    for (const user of [ada, grace]) {
      await user.page.clock.install();
      await user.page.reload();
      await user.waitUntilComplete();
    }
    const muted = grace.page.getByText("You are muted until");
    await muted.waitFor();
    const tag = ada.page.locator(".users li", { hasText: "grace" }).getByText("muted");
    await tag.waitFor();
    for (const user of [ada, grace]) await user.page.clock.fastForward(601_000);
    await muted.waitFor({ state: "detached" });
    await grace.field.waitFor();
    await tag.waitFor({ state: "detached" });
    await leave(ada, grace);
  });

  it("M3: a page that is loaded again knows a mute that is older than the part of the room that it gets", async () => {
    const owner = shared.client("ada");
    await owner.createRoom("older-mute", { kind: "closed", members: [{ user: "grace" }] }).done;
    const room = owner.join("older-mute");
    const mutedUntil = Date.now() + 3_600_000;
    await room.setMember("grace", { role: "member", mutedUntil }).done;
    const later = Array.from({ length: 110 }, (_, i) => room.send({ text: `later ${i}` }).done);
    await Promise.all(later);
    const grace = await arrive("grace", "older-mute");
    const muted = grace.page.getByText("You are muted until");
    await muted.waitFor();
    expect(await grace.field.count()).to.equal(0);
    await grace.page.reload();
    await muted.waitFor();
    await grace.message("later 109").hover();
    expect(await grace.page.getByRole("toolbar").count()).to.equal(0);
    await room.setMember("grace", { role: "member" }).done;
    owner.close();
    await grace.field.waitFor();
    await muted.waitFor({ state: "detached" });
    await grace.send("again");
    await grace.message("again").locator(".status-mine").waitFor();
    await leave(grace);
  });

  it("DN4: a user is shown with the display name, and the id beside it", async () => {
    const grace = shared.client("grace", "Grace Hopper");
    const room = grace.join("names");
    await room.send({ text: "by name" }).done;
    const ada = await shared.arrive("ada", "names");
    const who = ada.message("by name").locator(".message-who .name");
    await ada.until("the name", async () => (await who.textContent()) === "Grace Hopper");
    expect(await who.getAttribute("title")).to.equal("Grace Hopper (grace)");
    await expectAccessible(ada, "with a display name");
    grace.close();
    await ada.leave();
  });

  it("DN4: a notice has the display names of the users in it, and their ids beside them", async () => {
    const grace = shared.client("grace", "Grace Hopper");
    await grace.createRoom("named-notices", { kind: "closed", members: [{ user: "ada" }] }).done;
    const ada = await shared.arrive("ada", "named-notices");
    const notice = ada.page.locator(".notice", { hasText: "an owner of this room." });
    await ada.until("the names", async () => {
      const text = await notice.textContent();
      return text === "Grace Hopper made Grace Hopper an owner of this room.";
    });
    const named = notice.locator(".name").last();
    expect(await named.getAttribute("title")).to.equal("Grace Hopper (grace)");
    await ada.page.getByText("Grace Hopper made ada a member of this room.").waitFor();
    grace.close();
    await ada.leave();
  });

  it("S6: the keyboard alone edits, reacts, replies and deletes", async () => {
    const ada = await arrive("ada", "keyboard");
    const { keyboard } = ada.page;
    await keyboard.type("one");
    await keyboard.press("Enter");
    await keyboard.type("tow");
    await keyboard.press("Enter");
    await ada.until("both numbers", async () => (await ada.seqs())[1] === 2);
    await keyboard.press("ArrowUp");
    await ada.page.getByText("Editing a message").waitFor();
    await keyboard.press("Control+a");
    await keyboard.type("two");
    await keyboard.press("Enter");
    await ada.message("two").getByText("edited").waitFor();
    await keyboard.press("Shift+ArrowUp");
    await keyboard.press("r");
    await keyboard.press("ArrowRight");
    await keyboard.press("Enter");
    await ada.message("two").getByRole("button", { name: /^👎/u }).waitFor();
    await keyboard.press("t");
    await ada.thread.locator("textarea").waitFor();
    await keyboard.type("in the thread");
    await keyboard.press("Enter");
    await ada.message("two").getByText("1 reply").waitFor();
    await keyboard.press("Escape");
    await keyboard.press("Shift+ArrowUp");
    await keyboard.press("ArrowUp");
    await keyboard.press("Delete");
    await ada.page.getByRole("dialog").waitFor();
    await keyboard.press("Tab");
    await keyboard.press("Enter");
    await ada.message("This message was deleted.").waitFor();
    const focused = await ada.page.evaluate(
      () => document.activeElement?.closest<HTMLElement>(".message")?.dataset["seq"],
    );
    expect(focused, "the focus returns to the message").to.equal("1");
    // The toolbar is the next stop of the tab key.
    await keyboard.press("ArrowDown");
    await keyboard.press("Tab");
    await expectAccessible(ada, "the toolbar of a message");
    expect(await ada.page.evaluate(() => document.activeElement?.tagName)).to.equal("BUTTON");
    await leave(ada);
  });

  it("H4: Markdown is shown without its markers", async () => {
    const ada = await arrive("ada", "markdown");
    await ada.send("**bold** *soft* `code` ~~gone~~ [docs](https://parley.example/docs)");
    const text = ada.page.locator(".chat-main .message .text").first();
    await text.getByText("bold").waitFor();
    expect(await text.textContent()).to.equal("bold soft code gone docs (parley.example)");
    expect(await text.locator("strong, em, code, s").allTextContents()).to.deep.equal([
      "bold",
      "soft",
      "code",
      "gone",
    ]);
    await ada.send("- one\n- two\n> said\n1. first");
    await ada.page.locator(".chat-main blockquote", { hasText: "said" }).waitFor();
    const items = ada.page.locator(".chat-main :is(ul, ol) > li", { hasText: /one|two|first/u });
    expect(await items.allTextContents()).to.deep.equal(["one", "two", "first"]);
    await expectAccessible(ada, "Markdown");
    await leave(ada);
  });

  it("H4: hostile texts in edits, replies, reactions and names run no code and create no element", async function () {
    this.timeout(120_000);
    const name = "<img src=x onerror=window.pwned=98>";
    const hostile = [...HOSTILE_TEXTS, ...HOSTILE_MARKDOWN];
    const mallory = shared.client(name);
    const texts = { title: HOSTILE_TEXTS[1] ?? "", topic: HOSTILE_TEXTS.join(" ").slice(0, 400) };
    const created = await mallory.createRoom("hostile-edits", { kind: "open", ...texts }).done;
    expect(created.kind).to.equal("acked");
    const room = mallory.join("hostile-edits");
    const acked = async ({ done }: { done: Promise<{ kind: string }> }): Promise<void> => {
      expect((await done).kind).to.equal("acked");
    };
    let first = 0;
    for (const text of hostile) {
      const sent = await room.send({ text: "harmless" }).done;
      const seq = sent.kind === "acked" ? sent.seq : 0;
      first ||= seq;
      await acked(room.edit(seq, { text }));
      await acked(room.send({ text }, { thread: first }));
    }
    await acked(room.setMember(HOSTILE_TEXTS[0] ?? "", { role: "reader" }));
    await acked(room.react(first, ":script:"));
    for (const emoji of ["<img>", "javascript:x", "a"]) {
      expect((await room.react(first, emoji).done).kind, emoji).to.equal("refused");
    }
    mallory.close();
    const ada = await arrive("ada", "hostile-edits");
    const count = hostile.length;
    await ada.until("all edits", async () => {
      return (await ada.page.locator(".chat-main .marks", { hasText: "edited" }).count()) === count;
    });
    await ada.page.getByRole("button", { name: `${count} replies` }).click();
    await ada.until("all replies", async () => {
      return (await ada.thread.locator(".message").count()) === count + 1;
    });
    await ada.use(ada.page.locator(".chat-main .message").first(), "Reply in thread");
    await expectHarmless(ada.page);
    await leave(ada);
  });
});

/** The tools of the message under the pointer. */
async function offeredTo(user: BrowserUser, text: string): Promise<(string | null)[]> {
  await user.message(text).hover();
  const tools = user.message(text).getByRole("toolbar");
  await tools.waitFor();
  return tools
    .getByRole("button")
    .evaluateAll((buttons) => buttons.map((one) => one.getAttribute("aria-label")));
}
