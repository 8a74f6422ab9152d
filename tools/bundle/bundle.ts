// Bundle: the services as an image and a release run them, built from their sources.
//
//   node tools/bundle/main.ts   services/<service>/dist/<program>.js, for each program
//
// Owns: which programs are bundled, and how. Does not own: what runs them (infra/docker,
// infra/ansible, loadtest/bench), the web client and the SDK, which other tools bundle.
//
//   bundle.1. A bundle is readable: no name is shortened, no line is joined, and a comment names
//        the source file of each part. A stack trace in a log leads to it without a source map.
//   bundle.2. A bundle is ASCII. V8 keeps the text of a module for as long as the process runs,
//        with two bytes for each character when one character is beyond Latin-1.
//   bundle.3. A bundle lies one folder below its service, as the source files do that find others
//        by their own path: the migrations of persistence, the thread of thumbnails.
//   bundle.4. While a bundle is built again, its programs can start and run: a whole file replaces
//        another. A part, whose name has a hash of its contents, stays for a day after it was
//        built.

import { mkdir, mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "tsdown";
import type { Rolldown } from "tsdown";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The programs of each service: its processes, its jobs and its threads. */
const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  gateway: ["main.ts", "adapters/thumbnail-worker.ts"],
  operator: ["main.ts"],
  persistence: ["main.ts", "migrate-main.ts"],
  region: ["main.ts"],
  room: ["main.ts"],
  webhooks: ["main.ts"],
};

/**
 * They stay in node_modules: sharp loads native code, pino and pg find files by their own path, and
 * OpenTelemetry patches modules when a collector is configured.
 */
const NEVER_BUNDLED = ["sharp", "pino", "pg", /^@opentelemetry\/(?!api$)/];

/** A process that started before a build loads some of its parts later. */
const PARTS_KEPT_MS = 24 * 3_600_000;

const BEYOND_ASCII = /[^\0-\x7f]/g;
const RAW_BEYOND_ASCII = /String\.raw`[^`]*[^\0-\x7f][^`]*`/;

/** bundle.2. In strings, templates and regular expressions the escape means the same character. */
const ascii: Rolldown.Plugin = {
  name: "ascii",
  generateBundle(_, files) {
    for (const file of Object.values(files)) {
      if (file.type === "chunk") file.code = toAscii(file.code);
    }
  },
};

/** Throws when the text of a `String.raw` would change. */
export function toAscii(code: string): string {
  const [raw] = RAW_BEYOND_ASCII.exec(code) ?? [];
  if (raw !== undefined) throw new Error(`an escape would change ${raw}`);
  return code.replaceAll(BEYOND_ASCII, escape);
}

function escape(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/**
 * Builds all bundles from the sources of this checkout into the services of a `tree`: a checkout,
 * or a release. The paths of the programs, relative to it.
 */
export async function bundleServices(tree = ROOT): Promise<readonly string[]> {
  // On the file system of the services, where a rename is atomic, and where no tool reads.
  const scratch = join(tree, "node_modules");
  await mkdir(scratch, { recursive: true });
  const folder = await mkdtemp(join(scratch, ".bundle-"));
  try {
    const built = Object.entries(PROGRAMS).map(async ([service, programs]) => {
      await bundle(service, programs, join(folder, service));
      const dist = `services/${service}/dist`;
      const names = programs.map((program) => `${nameOf(program)}.js`);
      await replaceFiles(join(folder, service), join(tree, dist), names);
      return names.map((name) => `${dist}/${name}`);
    });
    return (await Promise.all(built)).flat();
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function bundle(service: string, programs: readonly string[], to: string): Promise<void> {
  const entries = programs.map((program) => [nameOf(program), `services/${service}/${program}`]);
  await build({
    config: false,
    cwd: ROOT,
    entry: Object.fromEntries(entries) as Record<string, string>,
    outDir: to,
    format: "esm",
    platform: "node",
    target: "node24",
    fixedExtension: false,
    dts: false,
    minify: false, // bundle.1
    outputOptions: { comments: { legal: false, annotation: false, jsdoc: false } },
    deps: { alwaysBundle: [/./], neverBundle: NEVER_BUNDLED },
    plugins: [ascii],
    logLevel: "error",
  });
}

function nameOf(program: string): string {
  return basename(program, ".ts");
}

/** bundle.4. A program comes after the parts that it names. */
async function replaceFiles(from: string, to: string, programs: readonly string[]): Promise<void> {
  await mkdir(to, { recursive: true });
  const files = await readdir(from);
  const parts = files.filter((file) => !programs.includes(file));
  for (const file of [...parts, ...programs]) await rename(join(from, file), join(to, file));
  const oldest = Date.now() - PARTS_KEPT_MS;
  for (const file of await readdir(to)) {
    if (files.includes(file)) continue;
    const path = join(to, file);
    const isOld = await stat(path).then(
      ({ mtimeMs }) => mtimeMs < oldest,
      () => false,
    );
    if (isOld) await rm(path, { force: true });
  }
}
