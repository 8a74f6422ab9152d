// Files in a real browser on a real cluster: choose, drop, paste, refuse, send, look at, download.
// axe-core finds nothing in any state.

import { readFile } from "node:fs/promises";
import { expect } from "chai";
import type { Page } from "playwright-core";
import sharp from "sharp";
import { faintTexts } from "./appearance.ts";
import { expectAccessible } from "./axe.ts";
import { BrowserCluster } from "./browser-cluster.ts";
import type { BrowserUser } from "./browser-user.ts";

const MIB = 1024 * 1024;
const NOTES = "the agenda\n".repeat(1_000);
/** ELF: no type that the default of ATTACHMENTS_TYPES has. */
const PROGRAM = Buffer.from("\x7fELF\x02\x01\x01".padEnd(200, "\0"), "latin1");

interface Chosen {
  readonly name: string;
  readonly mimeType: string;
  readonly buffer: Buffer;
}

const text = (name: string, content: string | Buffer = NOTES): Chosen => ({
  name,
  mimeType: "text/plain",
  buffer: Buffer.from(content),
});

async function picture(name: string, width: number, height: number): Promise<Chosen> {
  const create = { width, height, channels: 3 as const, background: "#3a7d5c" };
  const buffer = await sharp({ create }).png().toBuffer();
  return { name, mimeType: "image/png", buffer };
}

type Locator = ReturnType<BrowserUser["page"]["locator"]>;

const chips = ({ page }: BrowserUser, state = ""): Locator =>
  page.locator(`.chat-main .chip${state}`);

async function choose(user: BrowserUser, ...files: readonly Chosen[]): Promise<void> {
  await user.page.locator(".chat-main .composer input[type=file]").setInputFiles([...files]);
}

async function untilUploaded(user: BrowserUser, count: number): Promise<void> {
  await user.until(
    "the uploads",
    async () => (await chips(user, ".chip-uploaded").count()) === count,
  );
}

/** Loads the image, and names its size on the page. */
async function sizeOf(image: Locator): Promise<{ width: number; height: number; natural: number }> {
  await image.waitFor();
  return image.evaluate(async (element) => {
    await (element as HTMLImageElement).decode();
    const { width, height } = element.getBoundingClientRect();
    return { width, height, natural: (element as HTMLImageElement).naturalWidth };
  });
}

/** Hands a file to an element. The function resolves with false when the page prevents the rest. */
function handing(
  page: Page,
): (name: string, selector: string, kind: string, isText?: boolean) => Promise<boolean> {
  return (name, selector, kind, isText = false) =>
    page.locator(selector).evaluate(
      (element, [file, type, isText]) => {
        const data = new DataTransfer();
        data.items.add(new File(["content"], file, { type: "text/plain" }));
        if (isText) data.setData("text/plain", "words");
        const init = { bubbles: true, cancelable: true };
        const event =
          type === "paste"
            ? new ClipboardEvent(type, { ...init, clipboardData: data })
            : new DragEvent(type, { ...init, dataTransfer: data });
        return element.dispatchEvent(event);
      },
      [name, kind, isText] as const,
    );
}

describe("Files in a browser", function () {
  this.timeout(120_000);
  const shared = new BrowserCluster();
  before(() => shared.start({ env: { ATTACHMENTS_FILE_MIB: "1", ATTACHMENTS_USER_MIB: "3" } }));
  after(() => shared.stop());

  it("AT1: an image and a text are sent; another user sees the thumbnail, opens the image, downloads the text", async () => {
    const ada = await shared.arrive("ada", "plans");
    const grace = await shared.arrive("grace", "plans");
    await choose(ada, await picture("garden.png", 1_200, 900), text("agenda.txt"));
    await untilUploaded(ada, 2);
    await expectAccessible(ada, "two uploaded files");
    await ada.send("the plan");
    await ada.until("no chips", async () => (await chips(ada).count()) === 0);

    const row = grace.message("the plan");
    // The place of the image has its size before the image is there.
    const place = row.locator(".file-image");
    await grace.until("the place", async () => (await place.boundingBox())?.width === 360);
    expect((await place.boundingBox())?.height).to.equal(270);
    const thumbnail = await sizeOf(row.getByRole("img", { name: "garden.png" }));
    expect(thumbnail).to.deep.include({ natural: 720 });
    expect(await place.boundingBox()).to.include({ width: 360, height: 270 });
    await expectAccessible(grace, "a message with files");

    await row.getByRole("button", { name: "Open garden.png" }).click();
    const dialog = grace.page.getByRole("dialog", { name: "garden.png" });
    expect((await sizeOf(dialog.getByRole("img"))).natural).to.equal(1_200);
    await expectAccessible(grace, "an image in full");
    const [image] = await Promise.all([
      grace.page.waitForEvent("download"),
      dialog.getByRole("button", { name: "Download" }).click(),
    ]);
    expect(image.suggestedFilename()).to.equal("garden.png");
    await grace.page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    expect(
      await grace.page.evaluate(() => document.activeElement?.closest(".message") !== null),
      "the focus returns",
    ).to.equal(true);

    const [download] = await Promise.all([
      grace.page.waitForEvent("download"),
      row.getByRole("button", { name: /agenda\.txt/u }).click(),
    ]);
    expect(download.suggestedFilename()).to.equal("agenda.txt");
    expect(await readFile(await download.path(), "utf8")).to.equal(NOTES);

    await ada.use(ada.message("the plan"), "Delete");
    await ada.page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await grace.message("This message was deleted.").waitFor();
    expect(await grace.page.locator(".files").count()).to.equal(0);
    ada.expectNoErrors();
    grace.expectNoErrors();
    await ada.leave();
    await grace.leave();
  });

  it("AT11: a file that is too large, of a refused type, empty, or over the quota is refused in words, and can be removed", async () => {
    const eve = await shared.arrive("eve", "refusals");
    await choose(
      eve,
      text("large.txt", Buffer.alloc(2 * MIB, "x")),
      text("program.txt", PROGRAM),
      text("empty.txt", ""),
    );
    const notes = [
      ["large.txt", "Too large: a file has at most 1 MB."],
      ["program.txt", "This server does not accept files of this type."],
      ["empty.txt", "This file is empty."],
    ] as const;
    for (const [name, words] of notes) {
      await chips(eve).filter({ hasText: name }).getByText(words).waitFor();
    }
    await eve.field.fill("with text");
    const send = eve.page.getByRole("button", { name: "Send", exact: true });
    expect(await send.isDisabled(), "a refused file keeps the message").to.equal(true);
    await expectAccessible(eve, "refused files");
    for (const [name] of notes) {
      await eve.page.getByRole("button", { name: `Remove ${name}` }).click();
    }
    expect(await eve.field.evaluate((item) => item === document.activeElement)).to.equal(true);
    expect(await send.isDisabled()).to.equal(false);

    const megabyte = Buffer.alloc(MIB - 1, "x");
    await choose(eve, ...[1, 2, 3, 4].map((n) => text(`part ${n}.txt`, megabyte)));
    await chips(eve).getByText("All your files together are too large.").first().waitFor();
    await choose(eve, ...Array.from({ length: 9 }, (_, n) => text(`more ${n}.txt`, "")));
    await eve.page.getByText("A message has at most 10 files.").waitFor();
    expect(await chips(eve).count()).to.equal(10);
    eve.expectNoErrorsBut(/Failed to load resource/u);
    await eve.leave();
  });

  it("AT1: files are dropped and pasted, sent without a text and from a thread; a pasted text stays a text", async () => {
    const ben = await shared.arrive("ben", "drops");
    const { page } = ben;
    const hand = handing(page);
    await hand("a.txt", ".chat-main .list-scroller", "dragover");
    await page.locator(".chat-main[data-drop='Drop files to attach them']").waitFor();
    await hand("dropped.txt", ".chat-main .list-scroller", "drop");
    expect(await page.locator("[data-drop]").count()).to.equal(0);
    expect(await hand("pasted.txt", ".chat-main textarea", "paste")).to.equal(false);
    expect(await hand("picture of words.txt", ".chat-main textarea", "paste", true)).to.equal(true);
    expect(await hand("beside.txt", ".sidebar", "drop"), "stays on the page").to.equal(false);
    await untilUploaded(ben, 2);
    await page.keyboard.press("Enter");
    await page
      .locator(".chat-main")
      .getByRole("button", { name: /dropped\.txt/u })
      .waitFor();
    const line = "You: Files: dropped.txt and pasted.txt";
    await page.locator(".room-active .room-last", { hasText: line }).waitFor();
    expect(await page.getByRole("button", { name: /beside|words/u }).count()).to.equal(0);
    await page.locator(".status-mine").first().waitFor();

    await ben.use(page.locator(".chat-main .message"), "Reply in thread");
    await ben.thread.locator("input[type=file]").setInputFiles([text("reply.txt")]);
    await ben.thread.locator(".chip-uploaded").waitFor();
    await ben.thread.locator("textarea").fill("in the thread");
    await ben.thread.locator("textarea").press("Enter");
    await ben.thread.getByRole("button", { name: /reply\.txt/u }).waitFor();
    await ben.thread.locator(".status-mine").nth(1).waitFor({ state: "attached" });
    await expectAccessible(ben, "files in a thread");
    ben.expectNoErrors();
    await ben.leave();
  });

  it("AT13: a file that is dropped where no message takes it does not replace the page", async () => {
    const owner = shared.client("olga");
    await owner.createRoom("archive", { kind: "open" }).done;
    const room = owner.join("archive");
    const sent = await room.send({ text: "of before" }).done;
    if (sent.kind !== "acked") throw new Error(sent.message);
    await room.send({ text: "a reply" }, { thread: sent.seq }).done;
    await room.update({ archived: true }).done;
    owner.close();
    const ben = await shared.arrive("ben", "archive");
    const hand = handing(ben.page);
    await ben.page.locator(".chat-main .composer-bar").waitFor();
    for (const kind of ["dragover", "drop"]) {
      for (const selector of [".chat-main .list-scroller", ".composer-bar", ".sidebar"]) {
        expect(await hand("a.txt", selector, kind), `${kind} on ${selector}`).to.equal(false);
      }
    }
    expect(await ben.page.locator("[data-drop], .chip").count()).to.equal(0);
    await ben.use(ben.message("of before"), "Reply in thread");
    await ben.thread.locator(".composer-bar").waitFor();
    expect(await hand("a.txt", ".thread .composer-bar", "drop"), "a thread").to.equal(false);
    await ben.page.locator(".me button").last().click();
    await ben.page.locator("#name").waitFor();
    for (const kind of ["dragover", "drop"]) {
      expect(await hand("a.txt", "form", kind), `${kind} on the sign-in form`).to.equal(false);
    }
    ben.expectNoErrors();
    await ben.leave();
  });

  for (const [name, options] of [
    ["light", { colorScheme: "light" }],
    ["dark", { colorScheme: "dark" }],
    ["Arabic", { colorScheme: "light", locale: "ar" }],
  ] as const) {
    it(`S6: at 360 px, ${name}: files fit, are readable, and are reached by the keyboard`, async () => {
      const phone = { viewport: { width: 360, height: 740 }, ...options };
      const cy = await shared.arrive("cy", `phone-${name.toLowerCase()}`, phone);
      const { page } = cy;
      const [chooser] = await Promise.all([
        page.waitForEvent("filechooser"),
        page.locator(".chat-main .attach").press("Enter"),
      ]);
      await chooser.setFiles([
        await picture("a wide picture.png", 900, 300),
        await picture("a high picture.png", 200, 1_000),
        text("a file with a name that is much too long for a phone, and then some.txt"),
        text("empty.txt", ""),
      ]);
      await untilUploaded(cy, 3);
      const fits = (): Promise<boolean> =>
        page.evaluate(() =>
          [...document.querySelectorAll(".chip, .file, .file-image")].every((element) => {
            const { left, right } = element.getBoundingClientRect();
            return left >= 0 && right <= innerWidth;
          }),
        );
      expect(await fits()).to.equal(true);
      expect(await faintTexts(page)).to.deep.equal([]);
      await expectAccessible(cy, `${name}: chips`);
      await chips(cy, ".chip-failed").getByRole("button").press("Enter");
      await page.keyboard.press("Enter");
      await sizeOf(page.getByRole("img", { name: "a high picture.png" }));
      expect(await fits()).to.equal(true);
      expect(await faintTexts(page)).to.deep.equal([]);
      await expectAccessible(cy, `${name}: files`);
      await page.keyboard.press("Shift+ArrowUp");
      await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      const dialog = page.getByRole("dialog", { name: "a wide picture.png" });
      await sizeOf(dialog.getByRole("img"));
      expect(
        await dialog.evaluate((element) => element.getBoundingClientRect().right <= innerWidth),
      ).to.equal(true);
      await expectAccessible(cy, `${name}: the viewer`);
      cy.expectNoErrors();
      await cy.leave();
    });
  }

  it("AT12: a page whose cluster takes no files offers none, and shows the files of before", async () => {
    const off = await shared.arrive("off", "off");
    await choose(off, text("before.txt"));
    await untilUploaded(off, 1);
    await off.send("of before");
    // As a gateway without ATTACHMENTS_STORE writes it.
    await off.page.addInitScript(() => {
      const write = (): void =>
        document.querySelector('meta[name="parley-attachments"]')?.setAttribute("content", "{}");
      new MutationObserver(write).observe(document, { childList: true, subtree: true });
    });
    await off.page.reload();
    const lines = off.page.getByRole("button", { name: /before\.txt/u });
    await lines.first().waitFor();
    expect(await lines.count(), "room-timeline.5").to.equal(1);
    expect(await off.page.locator(".attach, input[type=file]").count()).to.equal(0);
    await off.leave();
  });
});
