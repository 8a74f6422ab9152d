// LoadedPackages: which packages a command loads before its first request, as real processes. A
// package that a command does not need costs its user time at every start.

import { expect } from "chai";
import { fileURLToPath } from "node:url";
import { runProgram } from "#tools/programs/short-runs.ts";

const LAUNCHER = fileURLToPath(new URL("../parley.js", import.meta.url));
/** Nothing listens there: every command below ends when its first request is refused. */
const REFUSED = "127.0.0.1:1";
const NATS = ["--nats", `nats://${REFUSED}`];
const GATEWAY = ["--url", `http://${REFUSED}`];

/** Makes the names of all loaded packages the last line of standard error. */
const HOOK = `
import { registerHooks } from "node:module";
const packages = new Set();
registerHooks({
  load(url, context, next) {
    const [, name] = /.*\\/node_modules\\/((?:@[^/]+\\/)?[^/]+)\\//.exec(url) ?? [];
    if (name !== undefined) packages.add(name);
    return next(url, context);
  },
});
process.on("exit", () => process.stderr.write("\\n" + JSON.stringify([...packages].sort())));
`;

async function packagesOf(words: readonly string[], program = LAUNCHER): Promise<unknown> {
  const hook = `data:text/javascript,${encodeURIComponent(HOOK)}`;
  const env = { DATA: "/nonexistent", NODE_COMPILE_CACHE: "" };
  const run = await runProgram(process.execPath, ["--import", hook, program, ...words], { env });
  return JSON.parse(run.stderr.split("\n").at(-1) ?? "");
}

describe("Packages that a command loads", () => {
  const commands = {
    help: ["--help"],
    status: ["status", ...NATS],
    tail: ["tail", "general", ...GATEWAY],
    send: ["send", "general", "hello", ...GATEWAY],
    history: ["history", "general", ...GATEWAY],
  };
  const found: Record<string, unknown> = {};
  before(async () => {
    const runs = Object.entries(commands).map(async ([name, words]) => {
      found[name] = await packagesOf(words);
    });
    await Promise.all(runs);
  });

  for (const name of ["help", "tail", "send", "history"]) {
    it(`${name}: the parser of the command line alone`, () => {
      expect(found[name]).to.deep.equal(["commander"]);
    });
  }

  it("status: the parser of the command line, and the client of NATS", () => {
    expect(found["status"]).to.deep.equal([
      "@nats-io/nats-core",
      "@nats-io/nkeys",
      "@nats-io/nuid",
      "@nats-io/transport-node",
      "commander",
      "tweetnacl",
    ]);
  });
});
