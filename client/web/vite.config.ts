// Vite configuration: the build of the web client. dist/ holds every file, without inline scripts,
// inline styles and data: assets, so that the gateway can serve it under `default-src 'self'`.
//
// Owns: the bundle, the list of files in the service worker, the compressed copies. Does not own:
// the headers (shared/adapters/http-static.ts).

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { preact } from "@preact/preset-vite";
import { defineConfig } from "vite";
import type { Plugin } from "vite";

const ROOT = import.meta.dirname;
const WORKER = "sw.js";
/** Besides the bundle; of the icons only what the page itself shows. */
const PUBLIC_SHELL = ["theme.js", "mark.svg", "manifest.webmanifest"];

/**
 * Writes the files of the shell and their version into the service worker. They are read from the
 * disk: the bundle of Vite also names chunks that it does not write, and one missing file would
 * keep the worker from being installed.
 */
function writeShellList(outDir: string): void {
  const built = readdirSync(join(outDir, "assets")).map((name) => `assets/${name}`);
  const names = [...PUBLIC_SHELL, ...built].sort();
  const path = join(outDir, WORKER);
  const code = readFileSync(path, "utf8");
  const hash = createHash("sha256").update(code);
  for (const name of ["index.html", ...names]) {
    hash.update(name).update(readFileSync(join(outDir, name)));
  }
  const files = ["/", ...names.map((name) => `/${name}`)];
  const shell = { version: hash.digest("hex").slice(0, 16), files };
  writeFileSync(path, `const SHELL=${JSON.stringify(shell)};${code}`);
}

const LARGE_BYTES = 1024 * 1024;
const TEXT = /\.(?:js|css|svg|webmanifest)$/u;

/** Writes `.br` and `.gz` beside each text of the build: a gateway compresses no file. */
function writeCompressedCopies(outDir: string): void {
  for (const name of readdirSync(outDir, { recursive: true, encoding: "utf8" })) {
    if (!TEXT.test(name)) continue;
    const path = join(outDir, name);
    const text = readFileSync(path);
    // The renderer of /docs: the best quality takes seconds and saves a tenth.
    const quality = text.length > LARGE_BYTES ? 9 : constants.BROTLI_MAX_QUALITY;
    const params = { [constants.BROTLI_PARAM_QUALITY]: quality };
    writeFileSync(`${path}.br`, brotliCompressSync(text, { params }));
    writeFileSync(`${path}.gz`, gzipSync(text, { level: 9 }));
  }
}

/** The comments of the pages are for developers, and each first load would have them. */
function withoutComments(): Plugin {
  return {
    name: "parley-without-comments",
    apply: "build",
    transformIndexHtml: (html) => html.replaceAll(/\s*<!--.*?-->/gsu, ""),
  };
}

const THEME =
  /(<script src="\/theme\.js"><\/script>\s*)(<script type="module"[^>]*><\/script>\s*)/u;

/**
 * The first file that the page names gets the open connection of the page. The others open their
 * own, which costs a round trip: the largest one must not be among them.
 */
function moduleFirst(): Plugin {
  return {
    name: "parley-module-first",
    apply: "build",
    transformIndexHtml: (html) => html.replace(THEME, "$2$1"),
  };
}

/** What follows when every file of the build is on the disk. */
function completeBuild(): Plugin {
  let outDir = "";
  return {
    name: "parley-complete-build",
    apply: "build",
    configResolved: ({ root, build }) => {
      outDir = resolve(root, build.outDir);
    },
    closeBundle() {
      if (existsSync(join(outDir, WORKER))) writeShellList(outDir);
      writeCompressedCopies(outDir);
    },
  };
}

/** Redoc names its maker with a picture of another server, which the gateway's policy refuses. */
const FOREIGN_PICTURE = /https:\/\/cdn\.redoc\.ly\/redoc\/logo-mini(?:-full)?\.svg/gu;
const OWN_PICTURE =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='38' height='14'%3E" +
  "%3Ctext y='11' font-size='11' font-family='sans-serif' fill='%230044d4'%3ERedoc%3C/text%3E%3C/svg%3E";

function withoutForeignPictures(): Plugin {
  return {
    name: "parley-own-pictures",
    transform(code, id) {
      if (!id.includes("redoc.standalone")) return null;
      const found = code.match(FOREIGN_PICTURE)?.length;
      if (found !== 2) throw new Error(`redoc names ${found ?? 0} pictures of its maker, not 2`);
      return { code: code.replaceAll(FOREIGN_PICTURE, OWN_PICTURE), map: null };
    },
  };
}

type Modules = {
  getModuleInfo(id: string): { isEntry: boolean; importers: readonly string[] } | null;
};

/** Whether the page imports the module before it runs. Views that load later are not. */
function isInFirstLoad(id: string, modules: Modules, seen = new Set<string>()): boolean {
  const info = modules.getModuleInfo(id);
  if (info === null || seen.has(id)) return false;
  seen.add(id);
  if (info.isEntry) return !/(?:service-worker\.ts|docs\.html)$/u.test(id);
  return info.importers.some((by) => isInFirstLoad(by, modules, seen));
}

/** What shows and uploads files, which the first file loads. */
const OF_FILES = /\/client\/(?:web\/(?:store|ui)|sdk)\/files\/|english-files\.ts$/u;

export default defineConfig({
  root: ROOT,
  plugins: [preact(), withoutForeignPictures(), withoutComments(), moduleFirst(), completeBuild()],
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2024",
    // These browsers know `light-dark()` and nesting, so both stay untranslated.
    cssTarget: ["chrome123", "safari17.5", "firefox120"],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
    rolldownOptions: {
      input: {
        index: join(ROOT, "index.html"),
        sw: join(ROOT, "service-worker.ts"),
        docs: join(ROOT, "docs.html"),
      },
      output: {
        // Not among the assets, all of which the service worker keeps.
        entryFileNames: ({ name }) =>
          name === "sw" ? WORKER : `${name === "docs" ? "docs" : "assets"}/[name]-[hash].js`,
        // One file: it compresses better than several that are always loaded together.
        codeSplitting: {
          groups: [
            { name: (id, modules) => (isInFirstLoad(id, modules) ? "page" : null) },
            { name: (id) => (OF_FILES.test(id) ? "files" : null) },
          ],
        },
      },
    },
  },
  server: {
    // For development against a running cluster: `make start`, and `vite client/web` beside it.
    proxy: { "/v1": { target: "http://localhost:8080", ws: true } },
  },
});
