// Recording: takes docs/images/gateway-killed.webp, two users whose gateway is killed in the middle
// of their conversation, on a real cluster and with real windows.
//
//   node client/web/test/recording.ts
//
// It takes a picture of both windows whenever one of them changed. The pace of the recording is the
// real one, except that a still picture is shown for at least MS_MIN and at most MS_MAX.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Browser, Page } from "playwright-core";
import { startCluster } from "#infra/embedded/cluster.ts";
import { buildWebClient } from "#infra/embedded/web-client.ts";
import { ensureChromium } from "#tools/programs/chromium.ts";
import { animatedWebp } from "./animated-webp.ts";
import type { Frame, Part } from "./animated-webp.ts";
import { BrowserUser, openBrowser } from "./browser-user.ts";
import { ensureEmojiFont } from "./emoji-font.ts";

const IMAGE = join(import.meta.dirname, "../../../docs/images/gateway-killed.webp");
const BYTES_MAX = 500_000;
const WINDOW = { width: 520, height: 560 };
const GAP = 12;
const CAPTION = 44;
const SIZE = { width: 2 * WINDOW.width + 3 * GAP, height: WINDOW.height + 2 * GAP + CAPTION };
const EVERY_MS = 120;
const MS_MIN = 120;
const MS_MAX = 1_800;
const QUALITY = 0.72;

interface Shot {
  readonly windows: readonly Buffer[];
  readonly caption: string;
  readonly at: number;
}

/** Takes pictures until `stop`; a picture like the one before is left out. */
class Camera {
  readonly shots: Shot[] = [];
  readonly #pages: readonly Page[];
  #caption = "";
  #isOn = true;
  readonly #running: Promise<void>;

  constructor(pages: readonly Page[]) {
    this.#pages = pages;
    this.#running = this.#run();
  }

  caption(text: string): void {
    this.#caption = text;
  }

  async stop(): Promise<readonly Shot[]> {
    this.#isOn = false;
    await this.#running;
    return this.shots;
  }

  async #run(): Promise<void> {
    while (this.#isOn) {
      const at = performance.now();
      const options = { caret: "hide", animations: "disabled" } as const;
      const windows = await Promise.all(this.#pages.map((page) => page.screenshot(options)));
      const last = this.shots.at(-1);
      const isSame =
        last?.caption === this.#caption && last.windows.every((png, i) => png.equals(windows[i]!));
      if (!isSame) this.shots.push({ windows, caption: this.#caption, at });
      await sleep(EVERY_MS);
    }
  }
}

async function record(
  browser: Browser,
  url: string,
  kill: () => Promise<void>,
): Promise<readonly Shot[]> {
  const options = { viewport: WINDOW, colorScheme: "light" } as const;
  const ada = await BrowserUser.open(browser, url, { name: "Ada", room: "general" }, options);
  const grace = await BrowserUser.open(browser, url, { name: "Grace", room: "general" }, options);
  const camera = new Camera([ada.page, grace.page]);
  const say = async (user: BrowserUser, text: string): Promise<void> => {
    await user.field.pressSequentially(text, { delay: 30 });
    await user.field.press("Enter");
  };
  camera.caption("Two users, one cluster");
  await say(ada, "Shall we kill the gateway?");
  await grace.waitForText("Shall we kill the gateway?");
  await say(grace, "Go on 👍");
  await ada.waitForText("Go on");
  camera.caption("$ kill -9 gateway-1");
  await kill();
  await ada.page.locator(".trouble-note").waitFor();
  await say(ada, "This one was sent while it was dead");
  await ada.page.locator(".message-pending").waitFor();
  await say(grace, "And this one");
  await grace.page.locator(".message-pending").waitFor();
  for (const user of [ada, grace]) {
    await user.waitUntilComplete();
    await user.waitForText("This one was sent while it was dead");
    await user.waitForText("And this one");
    await user.page.locator(".message-pending").waitFor({ state: "detached" });
  }
  camera.caption("Both are back. Every message is there once, in one order");
  await sleep(2 * EVERY_MS + MS_MAX);
  return camera.stop();
}

/** Draws the windows beside each other, in the browser that took them. */
async function framesOf(browser: Browser, shots: readonly Shot[]): Promise<readonly Frame[]> {
  const page = await browser.newPage();
  const frames: Frame[] = [];
  for (const [index, { windows, caption, at }] of shots.entries()) {
    const pictures = windows.map((png) => `data:image/png;base64,${png.toString("base64")}`);
    const drawn = await page.evaluate(draw, { pictures, caption, SIZE, WINDOW, GAP, QUALITY });
    if (drawn === undefined) continue;
    const ms = Math.round((shots[index + 1]?.at ?? Infinity) - at);
    const shown = Math.min(Math.max(ms, MS_MIN), index === shots.length - 1 ? 4_000 : MS_MAX);
    frames.push({ webp: Buffer.from(drawn.base64, "base64"), ms: shown, part: drawn.part });
  }
  await page.close();
  return frames;
}

/** In the page. Returns the part that changed since the last call; undefined: none did. */
async function draw(what: {
  readonly pictures: readonly string[];
  readonly caption: string;
  readonly SIZE: { readonly width: number; readonly height: number };
  readonly WINDOW: { readonly width: number; readonly height: number };
  readonly GAP: number;
  readonly QUALITY: number;
}): Promise<{ readonly base64: string; readonly part: Part } | undefined> {
  const { pictures, caption, SIZE: size, WINDOW: window, GAP: gap, QUALITY: quality } = what;
  const canvas = new OffscreenCanvas(size.width, size.height);
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("no canvas");
  context.fillStyle = "#9aa5a1";
  context.fillRect(0, 0, size.width, size.height);
  for (const [index, picture] of pictures.entries()) {
    const image = await createImageBitmap(await (await fetch(picture)).blob());
    context.drawImage(image, gap + index * (window.width + gap), gap);
  }
  const isCommand = caption.startsWith("$");
  const foot = window.height + 2 * gap;
  context.fillStyle = isCommand ? "#7a1f1f" : "#20302a";
  context.fillRect(0, foot - gap / 2, size.width, size.height - foot + gap);
  context.fillStyle = "#ffffff";
  context.font = isCommand ? "600 20px monospace" : "600 19px sans-serif";
  context.textAlign = "center";
  context.fillText(caption, size.width / 2, foot + 24);
  const now = context.getImageData(0, 0, size.width, size.height);
  const drawing = globalThis as { shown?: Uint32Array };
  const pixels = new Uint32Array(now.data.buffer);
  let [left, above, right, bottom] = [size.width, size.height, -1, -1];
  for (let at = 0; at < pixels.length; at++) {
    if (drawing.shown?.[at] === pixels[at]) continue;
    const [x, y] = [at % size.width, Math.floor(at / size.width)];
    [left, right] = [Math.min(left, x), Math.max(right, x)];
    [above, bottom] = [Math.min(above, y), Math.max(bottom, y)];
  }
  drawing.shown = pixels;
  if (right < 0) return undefined;
  const [x, y] = [left - (left % 2), above - (above % 2)];
  const part = { left: x, top: y, width: right - x + 1, height: bottom - y + 1 };
  const piece = new OffscreenCanvas(part.width, part.height);
  piece.getContext("2d")?.drawImage(canvas, -x, -y);
  const blob = await piece.convertToBlob({ type: "image/webp", quality });
  let text = "";
  for (const byte of new Uint8Array(await blob.arrayBuffer())) text += String.fromCharCode(byte);
  return { base64: btoa(text), part };
}

await ensureEmojiFont();
const executable = await ensureChromium();
if (executable === undefined) throw new Error("no Chromium");
const dataDir = await mkdtemp(join(tmpdir(), "parley-recording-"));
await buildWebClient(() => {});
const cluster = await startCluster({ dataDir, port: 0, say: () => {} });
const browser = await openBrowser(executable);
try {
  // The gateway allows only this origin.
  const url = cluster.url.replace("127.0.0.1", "localhost");
  const shots = await record(browser, url, () => cluster.kill("gateway-1"));
  const picture = animatedWebp(await framesOf(browser, shots), SIZE);
  if (picture.length > BYTES_MAX) throw new Error(`more than ${BYTES_MAX} bytes`);
  await writeFile(IMAGE, picture);
} finally {
  await browser.close();
  await cluster.stop();
  await rm(dataDir, { recursive: true, force: true });
}
