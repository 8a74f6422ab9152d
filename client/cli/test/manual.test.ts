// The command table: each command has examples, fields of JSON, and completion, and docs/cli.md
// describes it.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Command } from "commander";
import { skipTest } from "#tools/test-run/skip.ts";
import { cliPage } from "../cli-page.ts";
import { completionScript, SHELLS } from "../completion.ts";
import { commandsOf, MANUAL } from "../manual.ts";
import { createProgram, runProgram } from "../program.ts";

const PAGE = new URL("../../../docs/cli.md", import.meta.url);

function newProgram(): Command {
  return createProgram(() => undefined).program;
}

/** The words of a command line, with "…" and '…' as in a shell. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    (match) => match[1] ?? match[2] ?? match[3] ?? "",
  );
}

describe("parley: the manual", () => {
  const commands = [...commandsOf(newProgram())];

  it("manual.1: every command has examples and JSON, and the manual names no other", () => {
    const paths = commands.map(({ path }) => path);
    expect(Object.keys(MANUAL)).to.have.members(paths);
    for (const [path, { examples, json }] of Object.entries(MANUAL)) {
      expect(examples, path).to.not.be.empty;
      expect(json, path).to.not.be.empty;
      for (const line of examples) expect(line).to.match(new RegExp(`^parley ${path}\\b`));
    }
  });

  for (const [path, { examples }] of Object.entries(MANUAL)) {
    it(`manual.1: the examples of ${path} are valid`, async () => {
      for (const line of examples) {
        let usage = "";
        const { program } = createProgram((text) => (usage += text));
        let ran = "";
        for (const one of commandsOf(program)) {
          one.command.action(() => {
            ran = one.path;
          });
        }
        const [, ...args] = wordsOf(line);
        await program.parseAsync(args, { from: "user" }).catch(() => undefined);
        expect(usage).to.equal("");
        expect(ran, line).to.equal(path);
      }
    });
  }

  it("manual.1: --help shows the flags of every command, examples and the JSON", async () => {
    const print = process.stdout.write.bind(process.stdout);
    for (const { path } of commands) {
      let text = "";
      process.stdout.write = (chunk) => (text += String(chunk)) !== "";
      const code = await runProgram([...path.split(" "), "--help"], () => undefined).finally(
        () => (process.stdout.write = print),
      );
      expect(code, path).to.equal(0);
      expect(text).to.contain("Examples:").and.to.contain("--token <token>");
      expect(text).to.contain("With --json each line is");
    }
  });

  it("manual.1: docs/cli.md describes every command (WRITE=1 writes it)", () => {
    const page = cliPage(newProgram());
    if (process.env["WRITE"] === "1") writeFileSync(PAGE, page);
    expect(readFileSync(PAGE, "utf8")).to.equal(page);
  });

  it("output.1: a failure is one JSON object, also of a wrong use", async () => {
    const failure = async (...args: string[]): Promise<unknown> => {
      const lines: string[] = [];
      expect(await runProgram(args, (line) => lines.push(line))).to.equal(1);
      expect(lines).to.have.length(1);
      return JSON.parse(lines[0]!);
    };
    const wrong = await failure("send", "b@d", "hi", "--json");
    expect(wrong).to.have.property("error", "usage");
    expect(await failure("--json", "send", "general", " ")).to.have.property("message");
    const [url, token] = ["--url=http://127.0.0.1:1", "--token=x"];
    const closed = await failure("history", "general", url, token, "--json");
    expect(closed).to.have.property("error", "gateway_unreachable");
    const noToken = await failure("history", "general", url, "--json");
    expect(noToken).to.have.property("error", "token_unreachable");
    const noFile = await failure("history", "general", "--token-file=nowhere", "--json");
    expect(noFile).to.have.property("message").that.contains("--token-file");
  });
});

describe("parley completion", () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), "parley-completion-"))));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const needShell = (test: Mocha.Context, shell: string): void => {
    if (spawnSync(shell, ["-c", "true"]).status === 0) return;
    skipTest(test, `this machine has no ${shell}`);
  };

  for (const shell of SHELLS) {
    it(`completion.1: the script for ${shell} has every command and flag`, () => {
      const program = newProgram();
      const script = completionScript(program, shell);
      const named = (flag: string): string =>
        shell === "fish" ? `-l ${flag.replace(/^--/, "")} ` : flag;
      for (const { path, command } of commandsOf(program)) {
        expect(script).to.contain(path);
        for (const { long } of command.options) expect(script).to.contain(named(long ?? ""));
      }
      for (const { long } of program.options) expect(script).to.contain(named(long ?? ""));
    });

    it(`completion.1: ${shell} accepts its script`, function () {
      needShell(this, shell);
      const script = completionScript(newProgram(), shell);
      const file = join(folder, shell);
      writeFileSync(file, script);
      const { status, stderr } = spawnSync(shell, ["-n", file], { encoding: "utf8" });
      expect({ status, stderr }).to.deep.equal({ status: 0, stderr: "" });
    });
  }

  const cases = [
    { line: "parley ro", has: ["room", "rooms"], lacks: ["send"] },
    { line: "parley --user ada room l", has: ["list", "link"], lacks: ["create"] },
    { line: "parley config set --service ", has: ["gateway", "persistence"], lacks: ["get"] },
    { line: "parley region mode ", has: ["synchronous", "asynchronous"], lacks: ["status"] },
    { line: "parley room list --fi", has: ["--find"], lacks: ["--limit"] },
    { line: "parley send --user send --t", has: ["--thread", "--trace", "--token"], lacks: [] },
  ];
  for (const { line, has, lacks } of cases) {
    it(`completion.2: bash completes \`${line}\``, function () {
      needShell(this, "bash");
      const script = completionScript(newProgram(), "bash");
      const words = line.split(" ");
      const run = `${script}\nCOMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")})
COMP_CWORD=${words.length - 1}; _parley; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const { stdout } = spawnSync("bash", ["-c", run], { encoding: "utf8" });
      expect(stdout.split("\n")).to.include.members(has);
      expect(stdout.split("\n")).to.not.include.members(lacks.length > 0 ? lacks : ["\0"]);
    });

    it(`completion.2: fish completes \`${line}\``, function () {
      needShell(this, "fish");
      const run = `${completionScript(newProgram(), "fish")}\ncomplete -C '${line}'`;
      const { stdout } = spawnSync("fish", ["-c", run], { encoding: "utf8" });
      const offered = stdout.split("\n").map((one) => one.split("\t")[0]);
      expect(offered).to.include.members(has);
      for (const one of lacks) expect(offered).to.not.include(one);
    });
  }
});
