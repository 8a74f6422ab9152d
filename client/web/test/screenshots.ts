// Screenshots: takes the pictures of the page in docs/images, from the fixture at a fixed time:
//
//   node client/web/test/screenshots.ts [web-arabic.png …: only these]
//
// They show a sample conversation over three days, which a fresh cluster does not have.

import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { createServer } from "vite";
import type { BrowserContextOptions, Page } from "playwright-core";
import { ensureChromium } from "#tools/programs/chromium.ts";
import { openBrowser } from "./browser-user.ts";
import { ensureEmojiFont } from "./emoji-font.ts";
import { ROOM_SHOTS } from "./room-shots.ts";

const ROOT = join(import.meta.dirname, "../../..");
const IMAGES = join(ROOT, "docs/images");
const NOW = new Date("2026-11-03T15:42:20");
const TYPE = "parleyFixture.server.type('general', 'Ada', true)";
const BYTES_MAX = 200_000;
/** Vite transforms each file when it is loaded first, which takes long on a busy machine. */
const LOAD_MS = 240_000;

interface Shot {
  readonly file: string;
  readonly options: BrowserContextOptions;
  readonly room?: string;
  /** A scene of the fixture; default: a talk in which Ada types. */
  readonly scene?: "trouble";
  readonly prepare?: (page: Page) => Promise<void>;
}

const DESKTOP = { viewport: { width: 1360, height: 900 }, deviceScaleFactor: 1 };
const PHONE = { viewport: { width: 390, height: 760 }, deviceScaleFactor: 1.75 };

const SHOTS: readonly Shot[] = [
  { file: "web-light.png", options: { ...DESKTOP, colorScheme: "light" } },
  {
    file: "web-dark.png",
    options: { ...DESKTOP, colorScheme: "dark" },
    prepare: async (page) => {
      await page.locator(".message-mine .status").last().click();
      await page.mouse.move(5, 5);
    },
  },
  {
    file: "web-phone.png",
    options: { ...PHONE, isMobile: true, hasTouch: true, colorScheme: "light" },
  },
  {
    file: "web-thread.png",
    options: { ...DESKTOP, colorScheme: "light" },
    prepare: async (page) => {
      await page.getByRole("button", { name: "2 replies" }).click();
      await page.keyboard.type("In client/web/store.");
      await page.locator(".chat-main .message", { hasText: "Done. It reconnected" }).hover();
    },
  },
  {
    file: "web-phone-thread.png",
    options: { ...PHONE, isMobile: true, hasTouch: true, colorScheme: "dark" },
    prepare: async (page) => {
      await page.getByRole("button", { name: "2 replies" }).tap();
      await page.locator(".thread .message", { hasText: "Me too" }).tap();
    },
  },
  {
    file: "web-arabic.png",
    options: { ...PHONE, isMobile: true, hasTouch: true, colorScheme: "light", locale: "ar-EG" },
  },
  {
    file: "web-offline.png",
    options: { ...DESKTOP, colorScheme: "light", locale: "de-DE" },
    scene: "trouble",
    prepare: (page) => page.locator(".waiting .link").click(),
  },
  {
    file: "web-contrast.png",
    options: { ...DESKTOP, colorScheme: "dark", contrast: "more" },
  },
  ...ROOM_SHOTS.map(({ file, room, isPhone, isDark, prepare }): Shot => {
    const colorScheme = isDark === true ? "dark" : "light";
    const screen = isPhone === true ? { ...PHONE, isMobile: true, hasTouch: true } : DESKTOP;
    return { file, room, options: { ...screen, colorScheme }, prepare };
  }),
];

async function main(): Promise<void> {
  await ensureEmojiFont();
  const executable = await ensureChromium();
  if (executable === undefined) throw new Error("no Chromium");
  const web = join(ROOT, "client/web");
  const server = await createServer({
    configFile: join(web, "vite.config.ts"),
    server: { port: 0, host: "127.0.0.1", hmr: false },
    logLevel: "error",
  });
  await server.listen();
  const address = server.resolvedUrls?.local[0];
  if (address === undefined) throw new Error("vite has no address");
  const browser = await openBrowser(executable);
  mkdirSync(IMAGES, { recursive: true });
  try {
    const wanted = process.argv.slice(2);
    for (const { file, options, room = "general", scene, prepare } of SHOTS) {
      if (wanted.length > 0 && !wanted.includes(file)) continue;
      const context = await browser.newContext({ locale: "en-GB", ...options });
      const page = await context.newPage();
      page.setDefaultTimeout(LOAD_MS);
      await page.clock.install({ time: NOW });
      const query = `user=Grace&room=${room}&scene=${scene ?? "talk"}`;
      await page.goto(`${address}test/fixture/index.html?${query}`);
      // After the label of the day disappears, while a user types.
      await page.clock.runFor(scene === undefined ? 5_000 : 2_000);
      await page
        .locator(scene !== undefined ? ".waiting" : room === "general" ? ".typing i" : ".message")
        .first()
        .waitFor();
      await prepare?.(page);
      // Again: on a slow machine the name has disappeared meanwhile.
      if (scene === undefined) await page.evaluate(TYPE);
      await page.clock.runFor(500);
      const path = join(IMAGES, file);
      await page.screenshot({ path, animations: "disabled" });
      if (statSync(path).size > BYTES_MAX) throw new Error(`${file} is too large`);
      await context.close();
    }
  } finally {
    await browser.close();
    await server.close();
  }
}

await main();
