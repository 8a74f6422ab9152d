// TwoWindows: takes docs/images/two-windows.png, two users who chat on a real cluster, side by
// side.
//
//   node client/web/test/two-windows.ts
//
// It uses the cluster of `make start`, the page that it serves, and a real browser.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { startCluster } from "#infra/embedded/cluster.ts";
import { ensureChromium } from "#tools/programs/chromium.ts";
import { buildWebClient } from "#infra/embedded/web-client.ts";
import { BrowserUser, openBrowser } from "./browser-user.ts";
import { ensureEmojiFont } from "./emoji-font.ts";

const IMAGE = join(import.meta.dirname, "../../../docs/images/two-windows.png");
const WINDOW = { width: 800, height: 640 };
const GAP = 16;

async function talk(browser: Browser, url: string): Promise<Buffer[]> {
  const options = { viewport: WINDOW, colorScheme: "light" } as const;
  const ada = await BrowserUser.open(browser, url, { name: "Ada", room: "general" }, options);
  const grace = await BrowserUser.open(browser, url, { name: "Grace", room: "general" }, options);
  const lines: readonly (readonly [BrowserUser, string])[] = [
    [ada, "Two windows, one cluster. Do you see this?"],
    [grace, "As #1 👀 It was stored before either of us saw it."],
    [ada, "👍 And if the gateway crashes?"],
    [grace, "Then we both reconnect, and the numbers continue: 1, 2, 3, … None is missing."],
  ];
  for (const [user, text] of lines) {
    await user.send(text);
    await ada.waitForText(text);
    await grace.waitForText(text);
  }
  await ada.waitUntilComplete();
  await grace.waitUntilComplete();
  await ada.field.pressSequentially("Let us try");
  await grace.page.getByText("Ada is typing").waitFor();
  return [await ada.page.screenshot(), await grace.page.screenshot()];
}

/** Combines the pictures side by side, in the browser that took them. */
async function beside(browser: Browser, pictures: readonly Buffer[]): Promise<void> {
  const width = pictures.length * (WINDOW.width + GAP) + GAP;
  const page = await browser.newPage({ viewport: { width, height: WINDOW.height + 2 * GAP } });
  const images = pictures.map(
    (png) => `<img src="data:image/png;base64,${png.toString("base64")}" width="${WINDOW.width}">`,
  );
  const style = `margin:${GAP}px;display:flex;gap:${GAP}px;background:#9aa5a1`;
  await page.setContent(`<body style="${style}">${images.join("")}</body>`);
  await page.screenshot({ path: IMAGE });
}

await ensureEmojiFont();
const executable = await ensureChromium();
if (executable === undefined) throw new Error("no Chromium");
const dataDir = await mkdtemp(join(tmpdir(), "parley-two-windows-"));
await buildWebClient(() => {});
const cluster = await startCluster({ dataDir, port: 0, say: () => {} });
const browser = await openBrowser(executable);
try {
  // The gateway allows only this origin.
  const url = cluster.url.replace("127.0.0.1", "localhost");
  await beside(browser, await talk(browser, url));
} finally {
  await browser.close();
  await cluster.stop();
  await rm(dataDir, { recursive: true, force: true });
}
