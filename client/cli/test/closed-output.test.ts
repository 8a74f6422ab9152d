// A command whose standard output is closed before it prints, as by `| head`.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect } from "chai";

describe("A command without a reader", () => {
  it("output.3: it ends without an error when the reader of its output is gone", async () => {
    const program = join(import.meta.dirname, "../parley.ts");
    const command = spawn(process.execPath, [program, "--help"], { stdio: "pipe" });
    command.stdout.destroy();
    let errors = "";
    command.stderr.on("data", (part: Buffer) => (errors += part.toString()));
    expect(await once(command, "close")).to.deep.equal([0, null]);
    expect(errors).to.equal("");
  });
});
