// YoungGeneration: what it gives back at the start, and how it grows.

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "chai";
import { getHeapSpaceStatistics } from "node:v8";
import { collectStartGarbage, growInOneStep } from "../young-generation.ts";

const MIB = 1024 * 1024;
const youngBytes = (): number =>
  getHeapSpaceStatistics().find(({ space_name: name }) => name === "new_space")?.space_size ?? NaN;

/** Allocates objects, of which some survive a collection. */
function allocateWhile(isOn: () => boolean): void {
  let kept: object[] = [];
  for (let n = 0; n % 10_000 !== 0 || isOn(); n++) {
    kept.push({ n });
    if (kept.length > 100_000) kept = [];
  }
}

describe("YoungGeneration", () => {
  it("young-generation.1: the young generation is small afterwards, and `gc` is no global", () => {
    allocateWhile(() => youngBytes() <= 2 * MIB);
    collectStartGarbage();
    expect(youngBytes()).to.be.below(2 * MIB + 1);
    expect(globalThis.gc).to.equal(undefined);
  });

  it("young-generation.2: under load it gets its whole size in one step", () => {
    collectStartGarbage();
    growInOneStep();
    const small = youngBytes();
    allocateWhile(() => youngBytes() <= small);
    expect(youngBytes()).to.be.at.least(16 * MIB);
  });

  it("young-generation.1: it is collected before a service connects, so no user waits for it", async () => {
    const main = fileURLToPath(new URL("../../../services/room/main.ts", import.meta.url));
    const env = { ...process.env, NATS_URL: "nats://127.0.0.1:9", PARTITIONS: "4" };
    // No server listens there, so the process ends when it connects. V8 calls a collection that a
    // program demands a test.
    const failure: unknown = await promisify(execFile)(process.execPath, ["--trace-gc", main], {
      env,
    }).catch((error: unknown) => error);
    const { stdout } = failure as { readonly stdout: string };
    const [collected, ended] = [/ testing;/u, /NATS is not reachable/u].map((pattern) =>
      stdout.search(pattern),
    );
    expect(collected).to.be.above(0);
    expect(ended).to.be.above(collected ?? Infinity);
  });
});
