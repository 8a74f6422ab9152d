// The folders of `make mutants`: a renamed test file must not silently leave a pattern empty.

import { expect } from "chai";
import { globSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { FOLDERS } from "../folders.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

describe("Folders of mutants", () => {
  for (const { name, path, tests, without } of FOLDERS) {
    it(`${name}: each pattern, and each alternative of a pattern, matches a file`, () => {
      for (const pattern of [`${path}/*.ts`, ...tests, ...without].flatMap(alternatives)) {
        expect(globSync(pattern, { cwd: ROOT }), pattern).to.have.length.of.at.least(1);
      }
    });
  }
});

/** `a{b,c}` is `ab` and `ac`. */
function alternatives(pattern: string): string[] {
  const [, before = "", list, after = ""] = /^(.*?)\{(.*?)\}(.*)$/.exec(pattern) ?? [];
  if (list === undefined) return [pattern];
  return list.split(",").map((one) => `${before}${one}${after}`);
}
