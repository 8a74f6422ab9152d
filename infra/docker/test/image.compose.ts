// The project's image: its size, its contents, what a process in it may do, and its compile cache.
//
// `make test-compose` runs it. The sizes that it prints are those with the base on this machine,
// which may be a stand-in.

import { expect } from "chai";
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { printFigure } from "#tools/test-run/figure.ts";
import { REPOSITORY } from "../../embedded/service-process.ts";
import { buildImage, localBase } from "../images.ts";

const IMAGE = "parley:test";
const COMPRESSED_BYTES_MAX = 120_000_000;
const SERVICES = ["gateway", "room", "persistence", "webhooks", "operator", "region"];
/** As in compose.yaml and in the chart; no network, because no test here needs one. */
const HARDENED =
  "run --rm --network none --read-only --cap-drop ALL --security-opt no-new-privileges";
/** Prints the peak of the resident memory in KiB when the process exits. */
const PRINT_PEAK =
  'data:text/javascript,process.on("exit",()=>console.error(process.resourceUsage().maxRSS))';

interface Inspected {
  readonly Config: {
    readonly User: string;
    readonly Env: readonly string[];
    readonly Labels: Readonly<Record<string, string>>;
  };
  readonly RootFS: { readonly Layers: readonly string[] };
}

function docker(...words: readonly string[]): string {
  return execFileSync("docker", words, { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
}

function inspect(): Inspected {
  const [image] = JSON.parse(docker("image", "inspect", IMAGE)) as Inspected[];
  return image!;
}

/** Runs a shell script in the image with the rights that `docker run` gives without options. */
function sh(script: string, ...options: readonly string[]): string[] {
  const args = ["run", "--rm", "--network", "none", ...options, IMAGE, "sh", "-c", script];
  return docker(...args)
    .split("\n")
    .filter((line) => line !== "");
}

/**
 * Starts a service with a configuration that it refuses: it loads all its modules and exits.
 */
function load(service: string, options: readonly string[], node: readonly string[] = []): string {
  const words = [...HARDENED.split(" "), "--env", "PARTITIONS=0", ...options, IMAGE];
  words.push("node", ...node, `services/${service}/dist/main.js`);
  const { status, stdout, stderr } = spawnSync("docker", words, {
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  expect(status, stderr).to.equal(1);
  expect(stdout).to.contain("the environment is not valid");
  return `${stdout}${stderr}`;
}

/** What Node reports about its compile cache while a service loads. */
function cacheReport(service: string, ...options: readonly string[]): Record<string, number> {
  const debug = ["--env", "NODE_DEBUG_NATIVE=COMPILE_CACHE"];
  const text = load(service, [...debug, ...options]);
  const count = (pattern: RegExp): number => text.match(pattern)?.length ?? 0;
  return {
    types: count(/transpile cache for StrippedTypeScript/g),
    code: count(/V8 code cache for \S+ \S+ was accepted/g),
    missing: count(/no transpile cache for|was not initialized|was rejected/g),
  };
}

describe("The image", function () {
  this.timeout(600_000);

  before(() => buildImage(IMAGE));

  it("E7: has at most 120 MB compressed", () => {
    const [bytes] = execFileSync("sh", ["-c", `docker save ${IMAGE} | gzip -6 | wc -c`], {
      encoding: "utf8",
    }).split("\n");
    printFigure(`${(Number(bytes) / 1e6).toFixed(1)} MB compressed on ${localBase()}`);
    expect(Number(bytes)).to.be.greaterThan(10_000_000);
    expect(Number(bytes)).to.be.at.most(COMPRESSED_BYTES_MAX);
  });

  it("E7: runs without root by itself, and can write neither its code nor its compile cache", () => {
    expect(inspect().Config.User).to.equal("1000:1000");
    const write = "for f in /parley /parley/compiled /parley/compiled/* /usr/local/bin /etc; do";
    expect(
      sh(`id -u; id -g; ${write} touch $f/x 2>/dev/null && echo "$f"; done; true`),
    ).to.deep.equal(["1000", "1000"]);
    const [effective] = sh("grep CapEff /proc/self/status");
    expect(effective).to.match(/CapEff:\s*0+$/);
  });

  it("E7: has no program that changes its user, no package manager of Node, and no file of another user", () => {
    expect(sh("find / -xdev -type f -perm /6000 2>/dev/null; true")).to.deep.equal([]);
    expect(sh("command -v npm npx yarn corepack; true")).to.deep.equal([]);
    expect(
      sh("find /parley ! -user root -o ! -group root -o -perm /022 ! -type l; true"),
    ).to.deep.equal([]);
  });

  it("E7: holds production dependencies, the bundles and the sources: no tests, types, source maps or settings", () => {
    expect(sh("ls -A /parley")).to.have.members(
      "LICENSE client compiled infra node_modules package.json services shared".split(" "),
    );
    const { packages } = JSON.parse(
      readFileSync(join(REPOSITORY, "package-lock.json"), "utf8"),
    ) as { packages: Record<string, { dev?: boolean; optional?: boolean }> };
    const installed = sh(
      "cd /parley && find node_modules -name package.json | sed 's|/package.json$||'",
    ).filter((path) => path in packages);
    const production = Object.entries(packages).filter(([, { dev }]) => dev !== true);
    const required = production.filter(([path, { optional }]) => path !== "" && optional !== true);
    expect(installed).to.include.members(required.map(([path]) => path));
    expect(production.map(([path]) => path)).to.include.members(installed);
    const unwanted = String.raw`.*(/test|\.(test|e2e|compose|contract)\.ts|\.(map|d\.ts|seed|pem|key)|/\.[^/]*)`;
    const own = `find /parley/services /parley/shared /parley/client /parley/infra`;
    expect(sh(`${own} -regextype egrep -regex '${unwanted}'`)).to.deep.equal([]);
    expect(sh("find /parley/node_modules -name '*.map' -o -name '*.d.ts'")).to.deep.equal([]);
    expect(
      sh("find / -xdev -name '.*history' -o -xdev -name .npmrc 2>/dev/null; true"),
    ).to.deep.equal([]);
  });

  it("X4: no layer and no variable of the image has a secret", () => {
    const { Env } = inspect().Config;
    const names = Env.map((pair) => pair.split("=")[0]);
    expect(names).to.have.members(
      "PATH MALLOC_ARENA_MAX NODE_COMPILE_CACHE npm_package_version METRICS_HOST METRICS_PORT".split(
        " ",
      ),
    );
    const history = docker("history", "--no-trunc", "--format", "{{.CreatedBy}}", IMAGE);
    expect(history).to.not.match(/password|secret|token|seed|SU[A-Z0-9]{20}/i);
  });

  it("has the labels that registries and scanners read", () => {
    const { Labels } = inspect().Config;
    const { version } = JSON.parse(readFileSync(join(REPOSITORY, "package.json"), "utf8")) as {
      version: string;
    };
    const prefix = "org.opencontainers.image";
    expect(Labels).to.include({
      [`${prefix}.title`]: "parley",
      [`${prefix}.version`]: version,
      [`${prefix}.licenses`]: "MIT",
      [`${prefix}.base.name`]: localBase(),
    });
  });

  for (const service of SERVICES) {
    it(`E11: a ${service} loads every module from the compile cache with a read-only root, and keeps it unchanged`, () => {
      const { types, code, missing } = cacheReport(service);
      printFigure(`${code} compiled modules`);
      expect(types).to.equal(0); // E15: no file has types.
      expect(code).to.be.greaterThan(10);
      expect(missing).to.equal(0);
    });
  }

  it("E11: the report finds each module that an empty cache does not have", () => {
    const empty = ["--tmpfs", "/empty:mode=1777", "--env", "NODE_COMPILE_CACHE=/empty"];
    const { code, missing } = cacheReport("gateway", ...empty);
    expect(code).to.equal(0);
    expect(missing).to.be.greaterThan(10);
  });

  it("E11: the compile cache saves memory of a service that loads", () => {
    const peak = (cache: string): number => {
      const options = ["--env", `NODE_COMPILE_CACHE=${cache}`];
      const lines = load("gateway", options, ["--import", PRINT_PEAK]).trim().split("\n");
      return Number(lines.at(-1));
    };
    const [cached, without] = [peak("/parley/compiled"), peak("")];
    printFigure(
      `${Math.round(cached / 1024)} MiB with the cache, ${Math.round(without / 1024)} without`,
    );
    expect(cached).to.be.greaterThan(1_000);
    expect(cached).to.be.lessThan(without);
  });
});
