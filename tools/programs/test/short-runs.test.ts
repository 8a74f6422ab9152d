import { expect } from "chai";
import { availableParallelism } from "node:os";
import { runProgram } from "../short-runs.ts";

const SLOTS = availableParallelism();
/** Prints when it began and when it ended. */
const TIMED = "const at = Date.now(); setTimeout(() => console.log(at, Date.now()), 100)";

describe("Short runs", () => {
  it("short-runs.1: no more run at a time than there are processors, and all of them run", async () => {
    const runs = await Promise.all(
      Array.from({ length: 3 * SLOTS }, () => runProgram(process.execPath, ["-e", TIMED])),
    );
    const times = runs.map(({ stdout }) => stdout.split(" ").map(Number));
    for (const [begin] of times) {
      const others = times.filter(([from, to]) => from! <= begin! && begin! <= to!);
      expect(others.length).to.be.within(1, SLOTS);
    }
  });

  it("returns the status, both outputs, and what the input was", async () => {
    const echo = "process.stdin.pipe(process.stdout); console.error(process.env.A, process.cwd());";
    const words = ["-e", `${echo} process.exitCode = 3`];
    const options = { input: "in", cwd: "/", env: { A: "a" } };
    const result = await runProgram(process.execPath, words, options);
    expect(result).to.deep.equal({ status: 3, stdout: "in", stderr: "a /\n" });
  });

  it("short-runs.2: a program that does not exist is a result, and frees its slot", async () => {
    for (let each = 0; each < 2 * SLOTS; each++) {
      const { status, stderr } = await runProgram("/no/such/program", []);
      expect(status).to.equal(null);
      expect(stderr).to.contain("ENOENT");
    }
  });
});
