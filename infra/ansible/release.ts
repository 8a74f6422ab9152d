// Release for hosts: writes one archive with everything that a host runs, and the NATS server.
//
//   node infra/ansible/release.ts [VERSION]   .parley/hosts/parley-VERSION.tar.gz, nats-server
//
// The archive holds the bundles of the services, the sources, their production packages, the built
// pages and the pinned Node. A host needs no registry and no Node of its own. The default of
// VERSION is that of package.json.
//
//   ansible/release.1. The archive holds no test, no secret and no development package.

import { execFileSync } from "node:child_process";
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import { bundleServices } from "#tools/bundle/bundle.ts";
import { ensureNatsServer } from "#tools/programs/nats-server.ts";
import { parseObject } from "#shared/kit/json.ts";
import { MALLOC_ARENA_MAX, REPOSITORY } from "../embedded/service-process.ts";
import { buildOperatorPage, buildWebClient } from "../embedded/web-client.ts";

const OUT = ".parley/hosts";
const FOLDERS = ["shared", "services", "client", "infra/docker", "infra/nats"];
const FILES = ["package.json", "package-lock.json", "LICENSE"];
const SKIPPED = new Set(["test", "testing", ".built-from"]);
const VERSION = /^[0-9A-Za-z][0-9A-Za-z.+-]{0,63}$/;

/** Bundles are built into the release: a checkout keeps the parts of older ones (bundle.4). */
function isReleased(path: string): boolean {
  const names = path.split("/");
  return !names.some((name) => SKIPPED.has(name)) && !/^services\/\w+\/dist$/.test(path);
}

/** The files of a release, without the file that states its version. */
async function stage(folder: string): Promise<void> {
  for (const build of [buildWebClient, buildOperatorPage]) {
    const page = await build((line) => console.log(line));
    if ("reason" in page) throw new Error(`a page could not be built: ${page.reason}`);
  }
  for (const file of FILES) copyFileSync(join(REPOSITORY, file), join(folder, file));
  for (const part of FOLDERS) {
    cpSync(join(REPOSITORY, part), join(folder, part), {
      recursive: true,
      filter: (path) => isReleased(relative(REPOSITORY, path)),
    });
  }
  await bundleServices(folder);
  const npm = ["ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"];
  execFileSync("npm", npm, { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
  mkdirSync(join(folder, "bin"));
  copyFileSync(join(REPOSITORY, "node_modules/node/bin/node"), join(folder, "bin/node"));
  chmodSync(join(folder, "bin/node"), 0o755);
}

/** Writes one archive for each version. The path of each. */
export async function writeReleases(versions: readonly string[]): Promise<string[]> {
  for (const version of versions) {
    if (!VERSION.test(version)) throw new Error(`${version}: expected a version such as 1.2.3`);
  }
  const folder = mkdtempSync(join(tmpdir(), "parley-release-"));
  try {
    await stage(folder);
    return versions.map((version) => pack(folder, version));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The variables of each unit. npm would set the version, but npm does not run on a host. */
export function releaseEnv(version: string): string {
  return `npm_package_version=${version}\nMALLOC_ARENA_MAX=${MALLOC_ARENA_MAX}\n`;
}

function pack(folder: string, version: string): string {
  writeFileSync(join(folder, "release.env"), releaseEnv(version));
  const archive = join(REPOSITORY, OUT, `parley-${version}.tar.gz`);
  mkdirSync(dirname(archive), { recursive: true });
  const partial = join(dirname(archive), `.${basename(archive)}.${process.pid}`);
  const sameEachTime = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];
  execFileSync("tar", [...sameEachTime, "--mode=go-w,a+rX", "-czf", partial, "-C", folder, "."]);
  renameSync(partial, archive);
  return archive;
}

async function main(): Promise<void> {
  const own = parseObject(readFileSync(join(REPOSITORY, "package.json"), "utf8"))?.["version"];
  const [version = String(own)] = process.argv.slice(2);
  for (const archive of await writeReleases([version])) {
    console.log(relative(REPOSITORY, archive));
  }
  const server = join(REPOSITORY, OUT, "nats-server");
  copyFileSync(await ensureNatsServer(), server);
  console.log(relative(REPOSITORY, server));
}

if (import.meta.main) {
  try {
    await main();
  } catch (error: unknown) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
