// Screenshots: takes the pictures of the admin page in docs/images, of a sample cluster at a fixed
// time:
//
//   node client/operator/test/screenshots.ts

import { statSync } from "node:fs";
import { join } from "node:path";
import { createServer } from "vite";
import type { BrowserContextOptions, Page } from "playwright-core";
import type { ProcessId } from "#shared/protocol/ids.ts";
import type { ClusterSnapshot, WatchedProcess } from "#shared/protocol/operator-page.ts";
import { ensureChromium } from "#tools/programs/chromium.ts";
import { openBrowser } from "../../web/test/browser-user.ts";

const ROOT = join(import.meta.dirname, "..");
const IMAGES = join(ROOT, "../../docs/images");
const NOW = Date.parse("2026-11-03T15:42:20Z");
const BYTES_MAX = 200_000;
/** Vite transforms each file when it is loaded first, which takes long on a busy machine. */
const LOAD_MS = 240_000;
const DESKTOP = { viewport: { width: 1360, height: 900 }, deviceScaleFactor: 1 };

const SHOTS: readonly (readonly [string, BrowserContextOptions, (page: Page) => Promise<void>])[] =
  [
    ["admin-light.png", { ...DESKTOP, colorScheme: "light" }, () => Promise.resolve()],
    [
      "admin-dark.png",
      { ...DESKTOP, colorScheme: "dark" },
      (page) => page.getByRole("button", { name: "Drain room-7c1e5ab0d2f4" }).click(),
    ],
  ];

const owns = (...partitions: readonly number[]): Record<string, number> =>
  Object.fromEntries(partitions.map((p) => [p, 4_100 + p * 37]));

function one(id: string, kind: WatchedProcess["kind"], more: Partial<WatchedProcess>) {
  const known = { v: 1, id: id as ProcessId, kind, version: "0.1.0", lastAt: NOW } as const;
  return { ...known, host: "chat-1", pid: 4_210, upSeconds: 12_700, ...more };
}

const load = (busy: number) => ({ capacity: 1, busy, weight: 1, hot: [] });
const log = (p: number) => ({
  p,
  isReachable: true,
  lagEntries: p % 3,
  lagSeconds: 0,
  fill: 0.031,
});
const OWNERS = ["room-7c1e5ab0d2f4", "room-b39f02c8e611"];

const STATE: ClusterSnapshot = {
  at: NOW,
  now: NOW,
  isConnected: true,
  problems: [],
  processes: [
    one("gw-1f0c88a2b7d3", "gateway", { connections: 1_284, rooms: 96 }),
    one("gw-90be4d15a6c7", "gateway", { host: "chat-2", connections: 1_301, rooms: 102 }),
    one(OWNERS[0] ?? "", "room", { owns: owns(0, 2, 4, 6), load: load(0.31), rooms: 61 }),
    one(OWNERS[1] ?? "", "room", {
      host: "chat-2",
      owns: owns(1, 3, 5, 7),
      load: load(0.28),
      rooms: 57,
    }),
    one("room-04de77f1a95b", "room", {
      host: "chat-2",
      upSeconds: 610,
      lastAt: NOW - 23_000,
      owns: {},
    }),
    one("pers-66aa013cf9e2", "persistence", { logs: Array.from({ length: 8 }, (_, p) => log(p)) }),
    one("hook-2b9d5fe07c14", "webhooks", {}),
    one("op-e47a1c90b358", "operator", { upSeconds: 86_000 }),
  ],
  partitions: Array.from({ length: 8 }, (_, p) => ({
    p,
    owners: [[OWNERS[p % 2] ?? "", 4_100 + p * 37] as const],
    log: log(p),
  })),
  webhooks: [],
  history: [2_402, 2_610, 2_585].map((sockets, n) => ({
    at: NOW - (2 - n) * 5_000,
    sockets,
    rooms: 110 + n * 4,
    lagEntries: [41, 3, 8][n] ?? 0,
  })),
};

const ANSWERS: Readonly<Record<string, object>> = {
  "sign-in": { user: "ada", csrf: "x", endsAt: NOW },
  state: STATE,
  rooms: { rooms: [], more: 0 },
};

const server = await createServer({
  root: ROOT,
  configFile: join(ROOT, "vite.config.ts"),
  logLevel: "error",
  server: { port: 0, host: "127.0.0.1", proxy: {} },
});
await server.listen();
const url = server.resolvedUrls?.local[0] ?? "";
const browser = await openBrowser((await ensureChromium()) ?? "");
try {
  for (const [file, options, prepare] of SHOTS) {
    const context = await browser.newContext({ ...options, locale: "en-GB" });
    const page = await context.newPage();
    page.setDefaultTimeout(LOAD_MS);
    await page.route(/\/operator\/(?:sign-in|state|rooms)/u, (route) => {
      const name = new URL(route.request().url()).pathname.split("/").at(-1) ?? "";
      return route.fulfill({ json: ANSWERS[name] });
    });
    await page.goto(url, { timeout: LOAD_MS });
    await page.getByText("0 s old").waitFor();
    await prepare(page);
    const path = join(IMAGES, file);
    await page.screenshot({ path, animations: "disabled" });
    const { size } = statSync(path);
    if (size > BYTES_MAX) throw new Error(`${file} has ${size} bytes: at most ${BYTES_MAX}`);
    await context.close();
  }
} finally {
  await browser.close();
  await server.close();
}
