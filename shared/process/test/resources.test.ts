// Resources: the count of open files, by the kernel and by a list, in a process of its own: other
// tests may open files meanwhile.

import { execFileSync } from "node:child_process";
import { expect } from "chai";
import { openFiles } from "../resources.ts";

const MORE = 50;

const PROGRAM = `
  import { openSync } from "node:fs";
  import { openFiles } from "#shared/process/resources.ts";
  const both = () => [openFiles(), openFiles(() => 0)];
  const before = both();
  for (let n = 0; n < ${MORE}; n++) openSync("/dev/null", "r");
  console.log(JSON.stringify([before, both()]));
`;

describe("Resources", () => {
  it("resources.3: the kernel's count of open files and that of a list are equal", () => {
    const flags = ["--input-type=module-typescript", "--eval", PROGRAM];
    const cwd = new URL("../../..", import.meta.url);
    const printed = execFileSync(process.execPath, flags, { cwd, encoding: "utf8" });
    const [before, after] = JSON.parse(printed) as [[number, number], [number, number]];
    expect(before[0]).to.be.above(0).and.equal(before[1]);
    expect(after).to.deep.equal(before.map((count) => count + MORE));
  });

  it("resources.2: where neither can be read the count is absent", () => {
    const broken = (): number => {
      throw new Error("ENOENT");
    };
    expect(openFiles(broken)).to.equal(undefined);
  });
});
