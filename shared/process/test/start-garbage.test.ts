// StartGarbage: what it gives back, and that no service takes work before it.

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "chai";
import { getHeapSpaceStatistics } from "node:v8";
import { collectStartGarbage } from "../start-garbage.ts";

const MIB = 1024 * 1024;
const youngBytes = (): number =>
  getHeapSpaceStatistics().find(({ space_name: name }) => name === "new_space")?.space_size ?? NaN;

describe("StartGarbage", () => {
  it("start-garbage.1: the young generation is small afterwards, and `gc` is no global", () => {
    let kept: object[] = [];
    for (let n = 0; n < 1_000_000; n++) {
      kept.push({ n });
      if (kept.length > 100_000) kept = [];
    }
    expect(youngBytes()).to.be.above(2 * MIB);
    collectStartGarbage();
    expect(youngBytes()).to.be.below(2 * MIB + 1);
    expect(globalThis.gc).to.equal(undefined);
  });

  it("start-garbage.1: it is collected before a service connects, so no user waits for it", async () => {
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
