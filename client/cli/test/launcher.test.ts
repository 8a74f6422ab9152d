// The launcher parley.js, beside a command that the test writes.

import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  accessSync,
  constants,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { whichOn } from "#tools/programs/programs.ts";

/** Ends with a code of its own, by which the test sees that the signal reached it. */
const COMMAND = `
process.on("SIGTERM", () => process.exit(7));
setInterval(() => undefined, 1_000);
console.log(process.argv.slice(2).join(" "));
`;

describe("The launcher of the command", () => {
  let root = "";
  let folder = "";
  before(() => {
    root = mkdtempSync(join(tmpdir(), "parley-launcher-"));
    folder = join(root, "client/cli");
    for (const name of [folder, join(root, "node_modules/.bin")]) {
      mkdirSync(name, { recursive: true });
    }
    symlinkSync(process.execPath, join(root, "node_modules/.bin/node"));
    copyFileSync(join(import.meta.dirname, "../parley.js"), join(folder, "parley.js"));
    writeFileSync(join(folder, "parley.ts"), COMMAND);
    writeFileSync(join(folder, "package.json"), `{"type":"module"}`);
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  /** The Node of this test, and the one of the system, which can be older. */
  const path = (process.env["PATH"] ?? "").replaceAll(/[^:]*node_modules[^:]*/g, "");
  const nodes = new Set([process.execPath, whichOn(path, "node") ?? process.execPath]);

  const start = async (node: string): Promise<ReturnType<typeof spawn>> => {
    const stdio = ["ignore", "pipe", "inherit"] as const;
    const launcher = spawn(node, [join(folder, "parley.js"), "chat", "x"], {
      stdio: [...stdio],
      env: { ...process.env, NODE_COMPILE_CACHE: join(folder, "compiled") },
    });
    const [line] = (await once(launcher.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
    expect(line.toString()).to.equal("chat x\n");
    return launcher;
  };

  it("parley.1: SIGTERM reaches the command, whose exit code is the launcher's", async () => {
    for (const node of nodes) {
      const launcher = await start(node);
      launcher.kill("SIGTERM");
      expect(await once(launcher, "exit"), node).to.deep.equal([7, null]);
    }
  });

  it("starts without npm, as `parley` at the root of the repository", () => {
    const short = realpathSync(join(import.meta.dirname, "../../../parley"));
    expect(short).to.equal(realpathSync(join(import.meta.dirname, "../parley.js")));
    accessSync(short, constants.X_OK);
  });

  it("parley.1: the launcher ends by the signal that ends the command", async () => {
    for (const node of nodes) {
      const launcher = await start(node);
      launcher.kill("SIGHUP");
      expect(await once(launcher, "exit"), node).to.deep.equal([null, "SIGHUP"]);
    }
  });
});
