// Recorded messages: what another version wrote on each wire and into the log, as files.
//
// The messages of a version are the seeds of its own verify/fuzz/targets.ts, so its own encoders
// wrote them. Does not own: the checkout of that version (checkout.ts).
//
//   recorded.1. A file is never edited and never removed while its version is supported.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Target } from "../fuzz/target.ts";
import type { Checkout } from "./checkout.ts";

export interface Recorded {
  readonly version: string;
  /** By the name of the target. */
  readonly messages: Readonly<Record<string, readonly string[]>>;
}

const FOLDER = fileURLToPath(new URL("recorded/", import.meta.url));
const MESSAGES_MAX = 16;
const MESSAGE_UNITS_MAX = 2_000;

export function readRecorded(): Recorded[] {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith(".json"));
  return files.map((name) => JSON.parse(readFileSync(join(FOLDER, name), "utf8")) as Recorded);
}

/** Writes the file of that version, and returns its path. */
export async function record({ version, folder }: Checkout): Promise<string> {
  const module = pathToFileURL(join(folder, "verify/fuzz/targets.ts")).href;
  const { targets } = (await import(module)) as { targets: () => Target[] };
  const messages = Object.fromEntries(
    targets().map(({ name, seeds }) => [name, seeds.filter(isShort).slice(0, MESSAGES_MAX)]),
  );
  const path = join(FOLDER, `${version}.json`);
  writeFileSync(
    path,
    `${JSON.stringify({ version, messages } satisfies Recorded, undefined, 1)}\n`,
  );
  return path;
}

function isShort(message: string): boolean {
  return message.length <= MESSAGE_UNITS_MAX;
}
