// Release: checks a tag against the tree, and writes the files of its release.
//
//   TAG=v1.2.3 node tools/release/main.ts   .parley/release/notes.md and …/parley-1.2.3.tgz
//
//   release/main.1. Every file that states the version states that of the tag, and CHANGELOG.md has
//        a section for it. Otherwise each difference is reported and no file is written.
//   release/main.2. The links of the notes lead to the files at the tag.

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { parseObject } from "#shared/kit/json.ts";
import { ensureGoProgram, HELM } from "../programs/go-program.ts";
import { ToolMissing } from "../programs/programs.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const CHART = "infra/helm/parley";
const OUT = ".parley/release";
const TAG = /^v(\d+\.\d+\.\d+)$/;

export type ReadFile = (path: string) => string;

/** The version of each file that states one. */
const VERSIONS: Readonly<Record<string, (read: ReadFile) => unknown>> = {
  "package.json": (read) => parseObject(read("package.json"))?.["version"],
  "package-lock.json": (read) => parseObject(read("package-lock.json"))?.["version"],
  "client/sdk/package/package.json": (read) =>
    parseObject(read("client/sdk/package/package.json"))?.["version"],
  "version of Chart.yaml": (read) => chartOf(read).version,
  "appVersion of Chart.yaml": (read) => chartOf(read).appVersion,
  "infra/docker/Dockerfile": (read) =>
    /npm_package_version=(\S+)/.exec(read("infra/docker/Dockerfile"))?.[1],
};

function chartOf(read: ReadFile): { readonly version?: unknown; readonly appVersion?: unknown } {
  return parse(read(`${CHART}/Chart.yaml`)) as { version?: unknown; appVersion?: unknown };
}

/** Each reason why this tree cannot be released as `tag`. */
export function faultsOf(tag: string, read: ReadFile): string[] {
  const version = TAG.exec(tag)?.[1];
  if (version === undefined) return [`TAG is "${tag}"; expected a tag like v1.2.3`];
  const stated = Object.entries(VERSIONS).map(([name, find]) => [name, find(read)] as const);
  return [
    ...stated
      .filter(([, found]) => found !== version)
      .map(([name, found]) => `${name} states ${String(found)}; the tag states ${version}`),
    ...(notesOf(tag, read) === ""
      ? [`CHANGELOG.md has no text under "## ${version}"; rename the section "Unreleased"`]
      : []),
  ];
}

/**
 * The section of CHANGELOG.md of a valid tag, or "". `base` is the address of the tree at the tag.
 */
export function notesOf(tag: string, read: ReadFile, base?: string): string {
  const heading = `## ${tag.slice(1)}`;
  const lines = read("CHANGELOG.md").split("\n");
  const start = lines.findIndex((line) => line === heading || line.startsWith(`${heading} `));
  if (start < 0) return "";
  const length = lines.slice(start + 1).findIndex((line) => line.startsWith("## "));
  const end = length < 0 ? lines.length : start + 1 + length;
  const text = lines
    .slice(start + 1, end)
    .join("\n")
    .trim();
  if (base === undefined) return text;
  return text.replaceAll(/\]\((?!https?:|#)/g, `](${base}/`); // release/main.2
}

async function main(): Promise<void> {
  const { TAG: tag = "", GITHUB_SERVER_URL: host, GITHUB_REPOSITORY: repository } = process.env;
  const read: ReadFile = (path) => readFileSync(join(ROOT, path), "utf8");
  const faults = faultsOf(tag, read);
  if (faults.length > 0) {
    for (const fault of faults) console.error(fault);
    process.exitCode = 1;
    return;
  }
  const base = repository === undefined ? undefined : `${host}/${repository}/blob/${tag}`;
  const out = join(ROOT, OUT);
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, "notes.md"), `${notesOf(tag, read, base)}\n`);
  const helm = await ensureGoProgram(HELM);
  execFileSync(helm, ["package", join(ROOT, CHART), "--destination", out], { stdio: "ignore" });
  console.log(`${OUT}/notes.md\n${OUT}/parley-${tag.slice(1)}.tgz`);
}

if (import.meta.main) {
  try {
    await main();
  } catch (error: unknown) {
    if (!(error instanceof ToolMissing)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
