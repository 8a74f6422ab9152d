// Build: the files of the package @parley/client, from client/sdk.
//
//   node tools/sdk/build.ts   client/sdk/package/dist, and .parley/sdk/parley-client-<version>.tgz
//
// Owns: bundling, and the list of entries. Does not own: the manifest and README.md of the package
// (client/sdk/package).
//
//   build.1. A bundle holds everything that it needs: the package has no dependency. A framework
//        of an entry for hooks is the only import that stays.

import { execFile } from "node:child_process";
import { copyFile, mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "tsdown";
import type { InlineConfig, Rolldown } from "tsdown";
import { parseObject } from "#shared/kit/json.ts";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
export const PACKAGE = join(ROOT, "client/sdk/package");
/** The source file of each entry. */
const ENTRIES = {
  client: "../public.ts",
  react: "../hooks/react.ts",
  preact: "../hooks/preact.ts",
};
/** They share little with the client: a bundle of their own keeps the client one file. */
const OTHERS = {
  browser: "../browser.ts",
  dev: "../dev.ts",
  files: "../files.ts",
  node: "../node.ts",
  server: "../server/server.ts",
  sessions: "../sessions.ts",
};

let built: Promise<void> | undefined;

/** Writes `dist`, once in a process. */
export function buildSdk(): Promise<void> {
  return (built ??= writeBundles());
}

async function writeBundles(): Promise<void> {
  const options: InlineConfig = {
    config: false,
    cwd: PACKAGE,
    format: "esm",
    platform: "neutral",
    target: "es2022",
    tsconfig: join(ROOT, "tsconfig.sdk.json"),
    // TypeScript 7.0 writes the declarations with its command line, 7.1 with its interface.
    dts: true,
    minify: true,
    treeshake: { moduleSideEffects: false },
    outputOptions: { comments: false },
    deps: {
      // zod types the wire in shared/protocol; no entry uses such a type, so nothing of it stays.
      neverBundle: ["zod", "react", /^preact/, /^node:/],
      onlyBundle: ["jose", "openapi-fetch", "openapi-typescript-helpers"],
    },
    logLevel: "error",
  };
  await build({ ...options, entry: ENTRIES, clean: true });
  await build({ ...options, entry: OTHERS, clean: false, plugins: [errorsOfClient] });
}

/** The back end's errors extend those of the client, so that `instanceof` works across entries. */
const errorsOfClient: Rolldown.Plugin = {
  name: "errors-of-client",
  resolveId(source) {
    return source.endsWith("/errors.ts") && !source.startsWith("#")
      ? { id: "./client.js", external: true }
      : null;
  },
};

/** Builds, packs into `folder`, and resolves with the path of the archive. */
export async function packSdk(folder: string): Promise<string> {
  await buildSdk();
  await copyFile(join(ROOT, "LICENSE"), join(PACKAGE, "LICENSE"));
  await mkdir(folder, { recursive: true });
  try {
    const pack = ["pack", "--ignore-scripts", `--pack-destination=${folder}`, "--loglevel=error"];
    await run("npm", pack, { cwd: PACKAGE });
  } finally {
    await rm(join(PACKAGE, "LICENSE"));
  }
  const manifest = parseObject(await readFile(join(PACKAGE, "package.json"), "utf8"));
  return join(folder, `parley-client-${String(manifest?.["version"])}.tgz`);
}

if (import.meta.main) console.log(await packSdk(join(ROOT, ".parley/sdk")));
