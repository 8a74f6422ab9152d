// Site: `make docs` writes the documentation as a static site to .parley/docs/site.
//
//   site.1. A dead link fails the build: of a document to a file (stage.ts), between pages
//        (VitePress), or of the built pages to a place in another (links.ts).

import { execFile } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ensureDocsTools } from "../programs/docs-tools.ts";
import { ICON } from "./config.ts";
import { deadLinks } from "./links.ts";
import { stageSite } from "./stage.ts";
import type { Page } from "./stage.ts";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const ICON_FILE = "client/web/public/mark.svg";
const OUTPUT_MAX = 16 * 1024 * 1024;

/** Resolves with the folder of the site. `folder` is emptied; `base`: "/" or "/path/". */
export async function buildSite({
  folder,
  base,
}: {
  readonly folder: string;
  readonly base: string;
}): Promise<string> {
  const modules = await ensureDocsTools();
  const pages = join(folder, "pages");
  const site = join(folder, "site");
  rmSync(folder, { recursive: true, force: true });
  const { pages: all, assets } = stageSite(ROOT);
  for (const { place, text } of all) write(join(pages, place), text);
  copyAssets(assets, pages);
  write(join(pages, ".vitepress/config.mjs"), configText(base, all));
  const program = join(modules, "vitepress/bin/vitepress.js");
  await run(process.execPath, [program, "build", pages, "--outDir", site], {
    maxBuffer: OUTPUT_MAX,
  }).catch((error: unknown) => {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`VitePress failed:\n${stdout.slice(-4_000)}${stderr.slice(-4_000)}`, {
      cause: error,
    });
  });
  copyFileSync(join(ROOT, ICON_FILE), join(site, ICON));
  copyAssets(assets, site); // VitePress copies what a page shows, not what it links to.
  const dead = deadLinks(filesOf(site), base);
  if (dead.length > 0) throw new Error(`dead links:\n${dead.join("\n")}`);
  return site;
}

function configText(base: string, pages: readonly Page[]): string {
  const titles = pages
    .filter(({ place }) => !place.startsWith("source/"))
    .map(({ place, text }) => [place, titleOf(place, text)] as const);
  const facts = JSON.stringify({ base, titles: Object.fromEntries(titles) });
  const config = JSON.stringify(fileURLToPath(new URL("config.ts", import.meta.url)));
  return `import { configOf } from ${config};\nexport default configOf(${facts});\n`;
}

function titleOf(place: string, text: string): string {
  const heading = /^# (.+)$/m.exec(text)?.[1] ?? place;
  return heading.replaceAll("`", "").replaceAll("&lt;", "<");
}

function copyAssets(assets: ReadonlyMap<string, string>, folder: string): void {
  for (const [place, path] of assets) {
    mkdirSync(dirname(join(folder, place)), { recursive: true });
    copyFileSync(join(ROOT, path), join(folder, place));
  }
}

function filesOf(site: string): ReadonlyMap<string, string | undefined> {
  const paths = readdirSync(site, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return new Map(
    paths.map((path) => [
      path.slice(site.length + 1),
      path.endsWith(".html") ? readFileSync(path, "utf8") : undefined,
    ]),
  );
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
