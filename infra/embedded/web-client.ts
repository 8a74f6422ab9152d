// Web client: Vite builds it into client/web/dist, and the admin page into client/operator/dist,
// when one of their sources has changed.

import { execFile } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { REPOSITORY } from "./service-process.ts";
import { BUILT_FROM, hashSources } from "./source-hash.ts";

const run = promisify(execFile);

/** Every folder that the bundle can depend on, without tests. */
const SOURCES = ["client/web", "client/sdk", "shared/protocol", "shared/kit", "shared/ports"];
/** The admin page uses parts of the web client. */
const OPERATOR_SOURCES = ["client/operator", ...SOURCES];
const BUILD_TIMEOUT_MS = 120_000;

export type WebBuild =
  | { readonly kind: "built" | "fresh" }
  /** The cluster serves without a web client. */
  | { readonly kind: "absent" | "failed"; readonly reason: string };

export function buildWebClient(say: (line: string) => void): Promise<WebBuild> {
  return build({ folder: "client/web", what: "the web client", sources: SOURCES }, say);
}

export function buildOperatorPage(say: (line: string) => void): Promise<WebBuild> {
  const sources = OPERATOR_SOURCES;
  return build({ folder: "client/operator", what: "the admin page", sources }, say);
}

async function build(
  { folder, what, sources }: { folder: string; what: string; sources: readonly string[] },
  say: (line: string) => void,
): Promise<WebBuild> {
  const root = join(REPOSITORY, folder);
  if (!existsSync(join(root, "index.html"))) {
    return { kind: "absent", reason: `${folder} has no index.html` };
  }
  const stamp = join(root, "dist", BUILT_FROM);
  const hash = hashSources(sources);
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === hash) return { kind: "fresh" };
  say(`building ${what} …`);
  try {
    await run(
      process.execPath,
      [join(REPOSITORY, "node_modules/vite/bin/vite.js"), "build", root],
      {
        cwd: root,
        timeout: BUILD_TIMEOUT_MS,
        env: { ...process.env, NODE_ENV: "production" },
      },
    );
  } catch (error: unknown) {
    const { stderr, stdout } = error as { stderr?: string; stdout?: string };
    const text = [stderr, stdout].find((part) => part !== undefined && part.trim() !== "");
    return { kind: "failed", reason: text?.trim() ?? String(error) };
  }
  writeFileSync(stamp, hash);
  return { kind: "built" };
}
