// Tidy: the rules of this tree that no linter checks, and proof that each check can fail.
//
// The first tests check the repository. Each other test plants one violation in a small tree of its
// own, because a check that finds nothing in a clean tree proves nothing.
//
//   tidy.1. No file contains a banned word or an exit without its reason, has a vague name, is too
//        long or lacks its opening comment.
//   tidy.2. Every import is allowed by the table of folders.
//   tidy.3. The rules of docs/SPEC.md and the titles of tests agree, both ways.
//   tidy.4. Documents, verbs, links and packages agree with what is there.
//   tidy.5. No file imports itself through other files.
//   tidy.6. The tree that docs/architecture.md draws is the tree of the repository.
//   tidy.7. No retired word stands outside CHANGELOG.md.
//   tidy.8. No comment is wider than 100 columns.
//   tidy.9. The tests that docs/operating/degradation.md names exist.
//   tidy.10. The tests and rules that SECURITY.md names exist.

import { expect } from "chai";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkBans, longFiles } from "../bans.ts";
import { checkCitedTests, SECURITY } from "../cited-tests.ts";
import { checkCycles } from "../cycles.ts";
import { checkCommentWidth } from "../comment-width.ts";
import { checkDegradation, DEGRADATION } from "../degradation.ts";
import { checkDocuments, DEPENDENCIES } from "../documents.ts";
import { ARCHITECTURE, checkDrawnTree } from "../drawn-tree.ts";
import { checkImports } from "../imports.ts";
import { checkRetiredWords, RETIRED } from "../retired-words.ts";
import { checkSpecRules, SPEC } from "../spec-rules.ts";
import { readTree } from "../tree.ts";
import type { Complaint, SourceFile } from "../tree.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const HEAD = "// A file.\n";

const show = (complaints: readonly Complaint[]): string[] =>
  complaints.map(({ path, line, what }) => `${path}:${line} ${what}`);
const file = (path: string, text: string): SourceFile => ({ path, text });
const anywhere = (): boolean => true;

describe("Tidy", () => {
  const tree = readTree(ROOT);

  after(() => {
    // A warning fails no test, so only its print shows it.
    for (const line of longFiles(tree)) console.log(`warning: ${line}`);
  });

  for (const [name, complaints] of [
    ["tidy.1: no banned word, name or size, and no missing head", checkBans(tree)],
    ["tidy.2: every import is allowed by the table of folders", checkImports(tree)],
    ["tidy.5: no import closes a cycle", checkCycles(tree)],
    ["tidy.3: rules and tests agree, both ways", checkSpecRules(tree)],
    [
      "tidy.4: documents, verbs and packages agree",
      checkDocuments(tree, (path) => existsSync(join(ROOT, path))),
    ],
    ["tidy.6: the drawn tree equals the repository", checkDrawnTree(tree)],
    ["tidy.7: no retired word is in use", checkRetiredWords(tree)],
    ["tidy.8: no comment is wider than 100 columns", checkCommentWidth(tree)],
    ["tidy.9: the tests of the degradation page exist", checkDegradation(tree)],
    ["tidy.10: the tests and rules of the security page exist", checkCitedTests(tree)],
  ] as const) {
    it(name, () => {
      expect(tree.length).to.be.above(100);
      expect(show(complaints)).to.deep.equal([]);
    });
  }
});

describe("Tidy's own rules", () => {
  for (const { path, text, found } of [
    { path: "a/test/x.test.ts", text: `it.only("O1: x", f);`, found: "it.only" },
    { path: "a/test/x.test.ts", text: `describe.skip("x", f);`, found: "describe.skip" },
    { path: "a/test/x.test.ts", text: `this.skip();`, found: "print the reason" },
    { path: "a/x.ts", text: `${HEAD}\nprocess.exit(1);`, found: "why the process needs the exit" },
    { path: "a/x.js", text: `${HEAD}\nprocess.exit();`, found: "why the process needs the exit" },
    { path: "a/x.ts", text: `${HEAD}// TODO: later`, found: "TODO" },
    { path: "a/x.ts", text: `${HEAD}// FIXME`, found: "FIXME" },
    { path: "services/a/x.ts", text: `${HEAD}console.log(1);`, found: "logger" },
    { path: "docs/x.md", text: "look into /home/ada/notes", found: "/home/ada" },
    { path: "a/x.ts", text: `${HEAD}export * from "./y.ts";`, found: "barrel" },
    { path: "a/x.ts", text: `${HEAD}enum Colour { red }`, found: "as const" },
    { path: "a/utils.ts", text: HEAD, found: "one subject" },
    { path: "a/x.ts", text: "export const x = 1;", found: "begin with a comment" },
    { path: "a/x.ts", text: HEAD + "\n".repeat(451), found: "451 lines" },
    { path: "a/test/x.test.ts", text: "\n".repeat(451), found: "451 lines" },
  ]) {
    it(`tidy.1: finds ${found} in ${path}`, () => {
      expect(show(checkBans([file(path, text)])).join("\n")).to.contain(found);
    });
  }

  it("tidy.1: accepts text that resembles a violation", () => {
    const clean = [
      file("client/cli/x.ts", `${HEAD}console.log(1);`),
      file("a/x.ts", `${HEAD}// TODO(#12): later; see https://x.example/home/ada and /v1/tmp/x`),
      file("a/test/x.test.ts", "\n".repeat(449)),
      file("a/test/y.test.ts", "const CODE = `\nprocess.exit(1)`;"),
      file("a/z.ts", `${HEAD}f();\n// A timer is left.\nprocess.exit(1);\nhost.process.exit();`),
      file("a/y.ts", HEAD.repeat(600) + `import {\n  a,\n} from "b";\n`.repeat(200) + "\n"),
    ];
    expect(show(checkBans(clean))).to.deep.equal([]);
  });

  it("tidy.1: warns about a file above 350 lines of code, without comments and imports", () => {
    const long = file("a/x.ts", HEAD.repeat(9) + "\n".repeat(351));
    expect(longFiles([long])).to.deep.equal(["a/x.ts: 351 lines of code"]);
    expect(longFiles([file("a/x.ts", HEAD.repeat(400))])).to.deep.equal([]);
  });

  for (const { path, text } of [
    { path: "services/room/main.ts", text: `import { x } from "../gateway/x.ts";` },
    { path: "services/room/main.ts", text: `const x = await import("../gateway/x.ts");` },
    { path: "services/room/core/x.ts", text: `import { readFile } from "node:fs";` },
    { path: "services/room/core/x.ts", text: `import {\n  a,\n} from "#shared/adapters/x.ts";` },
    { path: "services/room/core/x.ts", text: `import type { Pool } from "pg";` },
    { path: "services/room/core/x.ts", text: `import { x } from "../runtime/y.ts";` },
    { path: "services/room/main.ts", text: `import { x } from "#client/cli/y.ts";` },
    { path: "infra/embedded/x.ts", text: `import { x } from "#client/sdk/y.ts";` },
    { path: "infra/embedded/x.ts", text: `import { x } from "#verify/checker/y.ts";` },
    { path: "client/cli/x.ts", text: `import { x } from "../../loadtest/bench/y.ts";` },
    { path: "tools/x.ts", text: `import { x } from "#infra/embedded/y.ts";` },
    { path: "services/room/test/x.test.ts", text: `import { x } from "#verify/sim/y.ts";` },
    { path: "shared/kit/x.ts", text: `import { x } from "../process/config.ts";` },
    { path: "shared/testing/x.ts", text: `import { x } from "#infra/embedded/ports.ts";` },
    { path: "client/web/x.tsx", text: `import { x } from "#shared/process/logger.ts";` },
    { path: "client/sdk/x.ts", text: `import "node:fs";` },
    { path: "verify/checker/x.ts", text: `import { Client } from "pg";` },
    { path: "verify/checker/x.ts", text: `import { x } from "../dumps/dump.ts";` },
    { path: "verify/checker/x.ts", text: `import { x } from "#shared/protocol/entry.ts";` },
    { path: "verify/checker/x.ts", text: `import { x } from "#shared/adapters/x.ts";` },
  ]) {
    it(`tidy.2: finds ${text.replaceAll("\n", " ")} in ${path}`, () => {
      expect(checkImports([file(path, `${HEAD}${text}`)])).to.have.length.of.at.least(1);
    });
  }

  it("tidy.2: accepts allowed imports", () => {
    const allowed = [
      file("services/room/core/x.ts", `import type { Bus } from "#shared/ports/bus.ts";`),
      file("services/room/core/x.ts", `import { y } from "./y.ts";`),
      file("services/room/test/x.test.ts", `import { x } from "#infra/embedded/y.ts";`),
      file("services/room/main.ts", `import { y } from "./core/y.ts";\nimport pg from "pg";`),
      file("shared/protocol/x.ts", `import { z } from "zod";\nimport { y } from "../kit/y.ts";`),
      file("verify/x.ts", `import { y } from "#client/sdk/y.ts";`),
      file("verify/checker/x.ts", `import type { y } from "#shared/protocol/ids.ts";`),
      file("verify/checker/test/x.test.ts", `import { y } from "#shared/protocol/entry.ts";`),
    ];
    expect(show(checkImports(allowed))).to.deep.equal([]);
  });

  for (const { what, files } of [
    {
      what: "two files that import each other",
      files: [
        file("a/x.ts", `${HEAD}import { y } from "./y.ts";`),
        file("a/y.ts", `${HEAD}import { x } from "./x.ts";`),
      ],
    },
    {
      what: "a cycle of type imports over three files",
      files: [
        file("shared/x.ts", `${HEAD}import type { Y } from "#tools/y.ts";`),
        file("tools/y.ts", `${HEAD}import type { Z } from "./z.ts";`),
        file(
          "tools/z.ts",
          `${HEAD}import { w } from "./w.ts";\nimport type { X } from "#shared/x.ts";`,
        ),
        file("tools/w.ts", HEAD),
      ],
    },
    { what: "a file that imports itself", files: [file("a/x.ts", `${HEAD}import "./x.ts";`)] },
  ]) {
    it(`tidy.5: finds ${what}`, () => {
      const complaints = show(checkCycles(files));
      expect(complaints).to.have.length(1);
      expect(complaints[0]).to.contain("import cycle").and.to.contain("x.ts → ");
    });
  }

  it("tidy.5: allows two paths to one file", () => {
    const diamond = [
      file("a/w.ts", `${HEAD}import "./x.ts";\nimport "./y.ts";`),
      file("a/x.ts", `${HEAD}import "./z.ts";`),
      file("a/y.ts", `${HEAD}import "./z.ts";`),
      file("a/z.ts", HEAD),
    ];
    expect(show(checkCycles(diamond))).to.deep.equal([]);
  });

  const spec = file(SPEC, "# Spec\n- **O1** One.\n- **O2** Two.\n");
  const good = `it("O1: a", f);\nit("O2: b", f);\n`;
  const test = (titles: string): SourceFile => file("a/test/x.test.ts", titles);

  it("tidy.3: accepts rules with tests, and titles without a rule", () => {
    const both = test(`it("O1: a", f);\nit(\n  \`O2, O1: \${b}\`,\n  f);\nit("works", f);`);
    expect(show(checkSpecRules([spec, both]))).to.deep.equal([]);
    const stated = file("a/x.ts", "// X.\n//\n//   x.1. It holds.\n//   x.2. It lasts.\n");
    const other = file("b/x.ts", "// X.\n//\n//   b/x.1. It holds too.\n");
    const titles = test(`${good}it("x.2 and b/x.1: a", f);`);
    expect(show(checkSpecRules([spec, stated, other, titles]))).to.deep.equal([]);
  });

  for (const { what, files, found } of [
    {
      what: "a rule without a test",
      files: [spec, test(`it("O1: a", f);`)],
      found: `${SPEC}:3 no test's title begins with O2`,
    },
    {
      what: "a rule that stands twice",
      files: [file(SPEC, `${spec.text}- **O2** Again.\n`), test(good)],
      found: `${SPEC}:4 O2 stands where number 3 of O is expected`,
    },
    {
      what: "a gap between two rules",
      files: [file(SPEC, `${spec.text}- **O4** Later.\n`), test(`${good}it("O4: c", f);`)],
      found: `${SPEC}:4 O4 stands where number 3 of O is expected`,
    },
    {
      what: "a missing page",
      files: [test(good)],
      found: `${SPEC}:1 the specification is missing`,
    },
    {
      what: "an unknown id",
      files: [spec, test(`${good}it("x.1: a", f);`)],
      found: `a/test/x.test.ts:3 x.1 is no rule of ${SPEC} and no file's invariant`,
    },
    {
      what: "an invariant with a bare id",
      files: [spec, test(good), file("a/x.ts", "// X.\n//\n//   O1. It holds.\n")],
      found: `a/x.ts:3 O1 belongs to ${SPEC}; a file's invariants are named after the file`,
    },
    {
      what: "an invariant with another file's name",
      files: [spec, test(good), file("a/y.ts", "// Y.\n//\n//   x.1. It holds.\n")],
      found: "a/y.ts:3 x.1 is not named after its file",
    },
    {
      what: "one id in two files",
      files: [
        spec,
        test(good),
        file("a/x.ts", "// X.\n//\n//   x.1. It holds.\n"),
        file("b/x.ts", "// X.\n//\n//   x.1. It holds.\n"),
      ],
      found: "b/x.ts:3 x.1 stands where number 2 of x is expected",
    },
  ]) {
    it(`tidy.3: finds ${what}`, () => {
      expect(show(checkSpecRules(files))).to.deep.equal([found]);
    });
  }

  it("tidy.9: finds a part without a test, a test without a part, and an unknown title", () => {
    const page = (rows: string): SourceFile =>
      file(DEGRADATION, `| away | a | b | c | d |\n|---|---|---|---|---|\n${rows}`);
    const tests = file("a/test/x.test.ts", `it("O1: holds", f);\nit(\n  "wide", f);`);
    const link = "[x](../../a/test/x.test.ts)";
    const part = "| NATS | all | none | it | soon |\n";
    const check = (rows: string): string[] => show(checkDegradation([page(rows), tests]));
    expect(check(`${part}\n| NATS | ${link} | O1: holds |\n`)).to.deep.equal([]);
    expect(check(part)).to.deep.equal([`${DEGRADATION}:3 NATS has no test`]);
    expect(check(`${part}\n| NATS | ${link} | O1: hold |\n`)).to.deep.equal([
      `${DEGRADATION}:5 a/test/x.test.ts has no test "O1: hold"`,
    ]);
    expect(
      check(`${part}\n| NATS | ${link} | O1: holds |\n| tea | ${link} | O1: holds |\n`),
    ).to.have.length(1);
    expect(check("")).to.have.length(1);
    expect(checkDegradation([tests])).to.have.length(1);
  });

  it("tidy.10: finds a missing test, another link text, an id without a title, and an unknown rule", () => {
    const spec = file(SPEC, "- **O1** x\n- **O2** x\n- **O3** x\n");
    const tests = file("a/test/x.test.ts", `it("O1, O2: holds", () => {});`);
    const link = "[x.test.ts](a/test/x.test.ts)";
    const check = (text: string): string[] =>
      show(checkCitedTests([file(SECURITY, text), spec, tests]));
    expect(check(`| ${link} O1, O2 |\n| ${link} O1–O2, [b](b.ts) O3 |\n| ${link} |`)).to.deep.equal(
      [],
    );
    expect(check(`| ${link} O1 to O3 | O3 |`)).to.deep.equal([
      `${SECURITY}:1 a/test/x.test.ts has no test O3`,
    ]);
    expect(check("x\n| [y.test.ts](a/test/x.test.ts) O1 |")).to.deep.equal([
      `${SECURITY}:2 the text of the link to a/test/x.test.ts is "y.test.ts"`,
    ]);
    expect(check("[z.test.ts](a/test/z.test.ts)")).to.deep.equal([
      `${SECURITY}:1 a/test/z.test.ts is missing`,
    ]);
    expect(check("x (O4)")).to.deep.equal([`${SECURITY}:1 O4 is no rule of ${SPEC}`]);
    expect(checkCitedTests([spec])).to.have.length(1);
  });

  const makefile = file("Makefile", "start: ## run\n\t@x\n");

  it("tidy.4: finds an unknown verb, and a verb without a description", () => {
    const readme = file("README.md", "`make start` and `make tea`\n");
    expect(show(checkDocuments([makefile, readme], anywhere))).to.deep.equal([
      "README.md:1 the Makefile has no verb tea",
    ]);
    const silent = file("Makefile", "start: ## run\nquiet: start\n");
    expect(show(checkDocuments([silent], anywhere))).to.have.length(1);
  });

  it("tidy.4: finds a link to a missing file", () => {
    const page = file("docs/a.md", "[b](b.md) [c](../c.md#x) [d](https://d.example)");
    const exists = (path: string): boolean => path === "docs/b.md";
    expect(show(checkDocuments([makefile, page], exists))).to.deep.equal([
      "docs/a.md:1 ../c.md does not exist",
    ]);
  });

  it("tidy.4: finds a link to a missing heading, in this page and in another", () => {
    const a = file(
      "docs/a.md",
      "# One two\n[1](#one-two) [2](b.md#a-b-1) [3](#three) [4](b.md#code)\n",
    );
    const b = file("docs/b.md", "# A b\n```sh\n# code\n```\n## `A` b!\n");
    expect(show(checkDocuments([makefile, a, b], anywhere))).to.deep.equal([
      "docs/a.md:2 docs/a.md has no heading #three",
      "docs/a.md:2 docs/b.md has no heading #code",
    ]);
  });

  it("tidy.4: finds a variable without a row, and a row that nothing reads", () => {
    const config = file("services/room/config.ts", "z.object({\n  NATS_URL: z.string(),\n});");
    const main = file("services/room/main.ts", `process.env["TZ_OFFSET"]`);
    const page =
      "| `ODD` | not of the section |\n## Environment\n| `NATS_URL`, `OLD` | x |\n## Next\n";
    const page2 = file("docs/operating/settings.md", page);
    expect(show(checkDocuments([makefile, config, main, page2], anywhere))).to.deep.equal([
      'services/room/main.ts:1 TZ_OFFSET has no row under "## Environment" in docs/operating/settings.md',
      "docs/operating/settings.md:3 nothing reads OLD",
    ]);
  });

  it("tidy.4: finds a range of versions, and a package without a reason", () => {
    const manifest = file("package.json", `{"dependencies":{"ws":"^8.0.0","pg":"8.1.0"}}`);
    const reasons = file(DEPENDENCIES, "- `ws`: sockets\n");
    const complaints = show(checkDocuments([makefile, manifest, reasons], anywhere)).join("\n");
    expect(complaints).to.contain("ws ^8.0.0").and.to.contain("pg has no reason");
  });

  it("tidy.6: finds a folder that is missing in the drawn tree, and one that does not exist", () => {
    const page = "# A\n## The tree\n\n```\ndocs/  x\na/     x\n  b/   x\n  c/   x\n```\n  d/\n";
    const files = [
      file(ARCHITECTURE, page),
      file("a/b/deep/x.ts", HEAD),
      file("a/e/x.ts", HEAD),
      file(".ci/run", ""),
      file("Makefile", ""),
    ];
    expect(show(checkDrawnTree(files))).to.deep.equal([
      `${ARCHITECTURE}:2 the tree lacks a/e/`,
      `${ARCHITECTURE}:8 the tree draws a/c/, which does not exist or holds no text`,
    ]);
  });

  for (const path of ["services/a/x.ts", "docs/x.md", "infra/prometheus/rules.yml", "Makefile"]) {
    it(`tidy.7: finds a retired word in ${path}`, () => {
      const text = "# A\n# it ends the reign of a node\n";
      expect(show(checkRetiredWords([file(path, text)]))).to.deep.equal([
        `${path}:2 "reign" is retired; write: tenure`,
      ]);
    });
  }

  it("tidy.7: allows retired words in the change log, and words that only contain one", () => {
    const clean = [
      file("CHANGELOG.md", "reign is now tenure"),
      file("docs/x.md", "a foreign key of a sovereign"),
    ];
    expect(show(checkRetiredWords(clean))).to.deep.equal([]);
  });

  it("tidy.7: no word is retired twice", () => {
    const sources = RETIRED.map(({ pattern }) => pattern.source);
    expect(new Set(sources).size).to.equal(sources.length);
  });

  const wide = "x".repeat(96);
  for (const { what, text, line } of [
    { what: "a line comment", text: `${HEAD}// ${wide} y\n`, line: 2 },
    { what: "a comment behind code", text: `${HEAD}\nconst x = 1; // ${wide}\n`, line: 3 },
    { what: "a line of a block comment", text: `${HEAD}/**\n * ${wide} y\n */\n`, line: 3 },
  ]) {
    it(`tidy.8: finds ${what} that is too wide`, () => {
      const found = checkCommentWidth([file("tools/x.ts", text)]);
      expect(found.map((complaint) => complaint.line)).to.deep.equal([line]);
    });
  }

  it("tidy.8: counts characters, and ignores wide code", () => {
    const code = `${HEAD}// ${"…".repeat(97)}\nconst url = "https://x.example/${wide}";\n`;
    expect(show(checkCommentWidth([file("tools/x.ts", code)]))).to.deep.equal([]);
  });
});
