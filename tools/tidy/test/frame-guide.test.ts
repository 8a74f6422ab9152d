// Frame guide: the section "How to add a frame" of docs/hacking.md against the compiler.
//
// The test adds four made-up kinds of frames to a copy of the source and compiles the copy. The
// files that fail to compile must be the files that the section marks.

import { expect } from "chai";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const GUIDE = "docs/hacking.md";
const SECTION = /^## How to add a frame\n([^]*?)^## /m;
const STEP = /^\d+\. ([^]*?)(?=^\d+\. |^$)/gm;
const PATH = /`([\w-]+(?:\/[\w.-]+)+\.ts)`/g;
/** A step with these words names files that do not compile until they are changed. */
const MARK = "does not compile";

interface Patch {
  readonly path: string;
  readonly before: string;
  readonly after: string;
}

const FRAMES = "shared/protocol/client-frames.ts";
const SERVER_FRAMES = "shared/protocol/server-frames.ts";

/** The first edit for each kind of frame. `before` stands once in its file. */
const PATCHES: readonly Patch[] = [
  {
    path: FRAMES,
    before: "  typing: z.object({ t:",
    after:
      '  wave: z.object({ t: z.literal("wave"), room: roomSchema, id: messageIdSchema, trace: z.string().optional() }),\n' +
      '  poke: z.object({ t: z.literal("poke"), ref }),\n' +
      "  typing: z.object({ t:",
  },
  {
    path: "shared/protocol/commands.ts",
    before: 'export type WriteOp = "send" |',
    after: 'export type WriteOp = "wave" | "send" |',
  },
  {
    path: "shared/protocol/events.ts",
    before: "export type RoomEvent = MessageEvent |",
    after: 'export type RoomEvent = (EventHead & { readonly t: "wave" }) | MessageEvent |',
  },
  {
    path: SERVER_FRAMES,
    before: "export type ServerFrame =\n",
    after: 'export type ServerFrame =\n  | { readonly t: "poked"; readonly ref: number }\n',
  },
];

function guide(): string {
  const text = readFileSync(join(ROOT, GUIDE), "utf8");
  return SECTION.exec(text)?.[1] ?? "";
}

function steps(): string[] {
  return [...guide().matchAll(STEP)].map((match) => match[1] ?? "");
}

const pathsIn = (text: string): string[] => [...text.matchAll(PATH)].map((match) => match[1] ?? "");

/** The files of a patched copy of the source that do not compile. */
function failingFiles(patches: readonly Patch[]): string[] {
  const copy = mkdtempSync(join(tmpdir(), "parley-frame-"));
  try {
    const isSource = (path: string): boolean => !/\/(?:test|dist)$/.test(path);
    for (const folder of ["services", "shared", "client"]) {
      cpSync(join(ROOT, folder), join(copy, folder), { recursive: true, filter: isSource });
    }
    for (const name of ["package.json", "tsconfig.json"])
      cpSync(join(ROOT, name), join(copy, name));
    symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
    for (const { path, before, after } of patches) {
      const text = readFileSync(join(copy, path), "utf8");
      expect(text.split(before), `${path} has ${before}`).to.have.length(2);
      writeFileSync(join(copy, path), text.replace(before, after));
    }
    const tsc = join(ROOT, "node_modules/.bin/tsc");
    const { stdout } = spawnSync(tsc, ["--pretty", "false"], { cwd: copy, encoding: "utf8" });
    const files = [...stdout.matchAll(/^([\w./-]+\.tsx?)\(\d+,\d+\): error/gm)];
    return [...new Set(files.map((match) => match[1] ?? ""))].sort();
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

describe("How to add a frame", function () {
  this.timeout(120_000);

  it("names files that exist, in numbered steps", () => {
    expect(steps().length).to.be.at.least(5);
    for (const path of pathsIn(guide())) expect(existsSync(join(ROOT, path)), path).to.equal(true);
  });

  it("marks exactly the files that do not compile with a new frame", () => {
    const marked = steps()
      .filter((step) => step.includes(MARK))
      .flatMap(pathsIn);
    expect(failingFiles(PATCHES)).to.deep.equal([...new Set(marked)].sort());
  });

  it("names the exhaustive table of each kind of frame", () => {
    for (const [name, path] of [...guide().matchAll(/`([A-Z_]{5,})` of `([\w./-]+\.ts)`/g)].map(
      (match) => [match[1] ?? "", match[2] ?? ""] as const,
    )) {
      const text = readFileSync(join(ROOT, path), "utf8");
      expect(text, `${name} in ${path}`).to.match(new RegExp(`const ${name}: \\{`));
    }
  });
});
