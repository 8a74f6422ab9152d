// Faulty images: the own image with one real fault in its gateways, for the test of a canary. The
// fault is a file of the image. The product has no switch for it.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const STALLED_TAG = "kubernetes-stalled";

/** The event loop stands still for 1 s of each 1.3 s, without work for the processors. */
const STALLED = `
const never = new Int32Array(new SharedArrayBuffer(4));
setInterval(() => Atomics.wait(never, 0, 0, 1_000), 1_300);
await import("./start.ts");
`;

const FAULTS = { [STALLED_TAG]: STALLED } as const;

/** Builds them from the image `own`. Returns their names. */
export function buildFaultyImages(own: string, repository: string): string[] {
  return Object.entries(FAULTS).map(([tag, main]) => {
    const folder = mkdtempSync(join(tmpdir(), "parley-faulty-"));
    const dockerfile = [
      `FROM ${own}`,
      `COPY --from=${own} /parley/services/gateway/main.ts services/gateway/start.ts`,
      "COPY main.ts services/gateway/main.ts",
    ];
    writeFileSync(join(folder, "Dockerfile"), dockerfile.join("\n"));
    writeFileSync(join(folder, "main.ts"), main);
    const name = `${repository}:${tag}`;
    try {
      execFileSync("docker", ["build", "--quiet", `--tag=${name}`, folder], { stdio: "pipe" });
    } finally {
      rmSync(folder, { recursive: true });
    }
    return name;
  });
}
