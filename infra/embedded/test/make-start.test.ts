// MakeStart: the command of `make start`, as make prints it.

import { execFileSync } from "node:child_process";
import { expect } from "chai";
import { COMPILED, REPOSITORY } from "../service-process.ts";

describe("make start", () => {
  it("runs the supervisor with the compiled code of the last start, as its services", () => {
    const { MAKEFLAGS: _of, MAKELEVEL: _this, ...env } = process.env; // The run of `make check`.
    const words = ["--dry-run", "--old-file=node_modules/.package-lock.json", "start"];
    const command = execFileSync("make", words, { cwd: REPOSITORY, env, encoding: "utf8" });
    expect(command).to.include(`NODE_COMPILE_CACHE=\${NODE_COMPILE_CACHE:-${COMPILED}} `);
    expect(command).to.match(/exec node infra\/embedded\/start\.ts\n$/);
  });
});
