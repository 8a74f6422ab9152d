import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect } from "chai";

const PROVISION = fileURLToPath(new URL("../provision.ts", import.meta.url));
/** No server listens on this port. */
const NOWHERE = "nats://127.0.0.1:1";

describe("provision", function () {
  this.timeout(60_000);

  it("reports an unreachable NATS in one line, without a stack", async () => {
    const child = spawn(process.execPath, [PROVISION], {
      env: { ...process.env, NATS_URL: NOWHERE, PARTITIONS: "4" },
    });
    let errors = "";
    child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
    const [code] = (await once(child, "close")) as [number | null];
    expect(code).to.equal(1);
    expect(errors.trim().split("\n")).to.have.length(1);
    expect(errors).to.include(`NATS does not answer at ${NOWHERE}`);
  });
});
