// Bundles: what they contain, what they import, and that each program starts.

import { isBuiltin } from "node:module";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { runInNewContext } from "node:vm";
import { expect } from "chai";
import { parseObject } from "#shared/kit/json.ts";
import { runProgram } from "#tools/programs/short-runs.ts";
import type { RunResult } from "#tools/programs/short-runs.ts";
import { bundleServices, toAscii } from "../bundle.ts";

const ROOT = join(import.meta.dirname, "../../..");
/** It is started by a gateway, as a thread. */
const THREADS = ["services/gateway/dist/thumbnail-worker.js"];
const IMPORT = /^(?:import|export) (?:[^"'\n]* from )?"([^"]+)"|\bimport\("([^"]+)"\)/gm;
const BY_PATH = /new URL\("(\.[^"]+)", import\.meta\.url\)/g;
const SOURCE = /^\/\/ (services\/\S+\.ts)$/gm;

describe("Bundles of the services", function () {
  this.timeout(120_000);
  let tree = "";
  let programs: readonly string[] = [];
  let files: readonly string[] = [];
  let starts: ReadonlyMap<string, Promise<RunResult>> = new Map();

  const textOf = (file: string): string => readFileSync(join(tree, file), "utf8");
  const filesOf = (service: string): string[] =>
    readdirSync(join(tree, "services", service, "dist")).map(
      (name) => `services/${service}/dist/${name}`,
    );

  before(async () => {
    tree = mkdtempSync(join(tmpdir(), "parley-bundles-"));
    programs = await bundleServices(tree);
    for (const name of readdirSync(join(ROOT, "node_modules"))) {
      if (!name.startsWith(".")) {
        symlinkSync(join(ROOT, "node_modules", name), join(tree, "node_modules", name));
      }
    }
    files = readdirSync(join(tree, "services")).flatMap(filesOf);
    // A service refuses this number when it has loaded all its modules.
    const env = { PARTITIONS: "0", NODE_COMPILE_CACHE: "" };
    starts = new Map(
      programs
        .filter((program) => !THREADS.includes(program))
        .map((program) => [program, runProgram(process.execPath, [program], { cwd: tree, env })]),
    );
    await Promise.all(starts.values());
  });
  after(() => rmSync(tree, { recursive: true, force: true }));

  it("E15, bundle.1: a bundle names each source file, and keeps the names and lines of its code", () => {
    for (const program of programs) {
      const sources = [...textOf(program).matchAll(SOURCE)].map(([, source]) => source!);
      expect(sources.length, program).to.be.greaterThan(0);
      for (const source of sources) expect(existsSync(join(ROOT, source)), source).to.equal(true);
    }
    const bundle = textOf("services/room/dist/main.js");
    const source = readFileSync(join(ROOT, "services/room/core/commit.ts"), "utf8");
    const methods = [...source.matchAll(/^ {2}(#?\w+)\(/gm)].map(([, name]) => name!);
    expect(methods.length).to.be.greaterThan(10);
    const [, part = ""] = bundle.split("// services/room/core/commit.ts\n");
    for (const name of methods) expect(part).to.match(new RegExp(`^\t${name}\\(`, "m"));
  });

  it("bundle.2: every file is ASCII, and escapes keep what a program does", () => {
    expect(files.length).to.be.greaterThan(programs.length);
    for (const file of files) expect(/[^\0-\x7f]/.test(textOf(file)), file).to.equal(false);
    const code = "[`ä${'→'}`, /^[é-ü😀]$/u.test('😀'), 'a\u2028b'.length, { ü: 1 }.ü]";
    expect(toAscii(code)).to.match(/^[\0-\x7f]+$/);
    expect(runInNewContext(`(${toAscii(code)})`)).to.deep.equal(runInNewContext(`(${code})`));
    expect(() => toAscii("String.raw`\\d→`")).to.throw("String.raw`\\d→`");
  });

  it("bundle.3: every file that a bundle finds by its own path exists", () => {
    const found = files.flatMap((file) =>
      [...textOf(file).matchAll(BY_PATH)].map(([, path]) => join(dirname(file), path!)),
    );
    expect(found).to.include("services/persistence/migrations/");
    for (const path of found) {
      const place = path.includes("/dist/") ? tree : ROOT;
      expect(existsSync(join(place, path)), path).to.equal(true);
    }
    for (const thread of THREADS) expect(programs).to.include(thread);
  });

  it("E15: a bundle imports only its own parts, Node, and dependencies that a release has", () => {
    const manifest = parseObject(readFileSync(join(ROOT, "package.json"), "utf8"));
    const dependencies = Object.keys(manifest?.["dependencies"] as object);
    const imported = new Set<string>();
    for (const file of files) {
      for (const [, stated, later] of textOf(file).matchAll(IMPORT)) {
        const name = stated ?? later ?? "";
        if (!name.startsWith("./") && !isBuiltin(name)) imported.add(name);
      }
    }
    expect([...imported].sort()).to.deep.equal(["@opentelemetry/sdk-node", "pg", "pino", "sharp"]);
    expect(dependencies).to.include.members([...imported]);
  });

  it("E15: each program loads all its modules", async () => {
    for (const [program, start] of starts) {
      const { status, stdout, stderr } = await start;
      expect(stdout, `${program}: ${stderr}`).to.contain("the environment is not valid");
      expect(status).to.equal(1);
    }
  });

  it("bundle.4: builds at the same time leave the files of one, and keep older parts for a day", async () => {
    const dist = join(tree, "services/room/dist");
    const before = readdirSync(dist);
    const daysAgo = (days: number): Date => new Date(Date.now() - days * 24 * 3_600_000);
    for (const [name, days] of [
      ["kept-00000000.js", 0.9],
      ["gone-00000000.js", 1.1],
    ] as const) {
      writeFileSync(join(dist, name), "");
      utimesSync(join(dist, name), daysAgo(days), daysAgo(days));
    }
    await Promise.all([bundleServices(tree), bundleServices(tree)]);
    expect(readdirSync(dist)).to.have.members([...before, "kept-00000000.js"]);
    const left = readdirSync(join(tree, "node_modules")).filter((name) => name.startsWith("."));
    expect(left).to.deep.equal([]);
  });
});
