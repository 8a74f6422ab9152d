// Service bundles: tools/bundle builds them when a source of a service has changed.
//
// It runs in its own process: the bundler is large, and a bench measures beside this process.

import { execFile } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { REPOSITORY } from "./service-process.ts";
import { BUILT_FROM, hashSources } from "./source-hash.ts";

const run = promisify(execFile);

const SOURCES = ["services", "shared", "tools/bundle"];
const STAMP = join(REPOSITORY, "services/gateway/dist", BUILT_FROM);

/** Rejects with what the bundler complains about. */
export async function buildServices(say: (line: string) => void): Promise<void> {
  const hash = hashSources(SOURCES);
  if (existsSync(STAMP) && readFileSync(STAMP, "utf8") === hash) return;
  say("bundling the services …");
  await run(process.execPath, ["tools/bundle/main.ts"], { cwd: REPOSITORY });
  writeFileSync(STAMP, hash);
}
