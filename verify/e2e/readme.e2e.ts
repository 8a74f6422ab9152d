// README: the code block of the first screen runs as written against an embedded cluster.
//
// The block reaches Node through its standard input, with the repository as the working folder, so
// that its relative import works. Only the port is replaced: another cluster may use 8080.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { until } from "#shared/testing/wait.ts";
import { startCluster } from "#infra/embedded/cluster.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";
import { REPOSITORY } from "#infra/embedded/service-process.ts";

describe("README", function () {
  this.timeout(120_000);

  let cluster: Cluster;
  const dataDir = mkdtempSync(join(tmpdir(), "parley-readme-"));
  const readme = readFileSync(join(REPOSITORY, "README.md"), "utf8");
  const [, block = ""] = /```ts\n([^]*?)```/.exec(readme) ?? [];

  before(async () => {
    cluster = await startCluster({ dataDir, port: 0, partitions: 4, say: () => undefined });
  });
  after(async () => {
    await cluster.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it("the code block has at most ten lines and addresses the default port", () => {
    expect(block.trim().split("\n")).to.have.length.within(1, 10);
    expect(block.match(/localhost:8080/g)).to.have.length(2);
  });

  it("the code block sends a message, prints its sequence number and receives it", async () => {
    const { port } = new URL(cluster.url);
    const child = spawn(process.execPath, ["--input-type=module-typescript"], { cwd: REPOSITORY });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
    }
    child.stdin.end(block.replaceAll("localhost:8080", `localhost:${port}`));
    try {
      await until(() => output.includes("1 ada: hello") && output.includes("acked"), {
        withinMs: 30_000,
        what: "the output of the README's code",
      });
      expect(output).to.match(/kind: 'acked', seq: 1\b/);
    } finally {
      child.kill("SIGKILL");
    }
  });
});
