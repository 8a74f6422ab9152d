// Faulty images: the own image with one real fault in its gateways, for the test of a canary. The
// fault is a file of the image. The product has no switch for it.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const SLOW_TAG = "kubernetes-slow";

/** Every command to an owner is 2.6 s late, in order, so every ack is. */
const SLOW = `
import { Socket } from "node:net";
const write = Socket.prototype.write;
Socket.prototype.write = function (...args) {
  const isCommand = this.remotePort === 4222 && Buffer.from(args[0]).includes("PUB cmd.");
  if (!isCommand) return write.apply(this, args);
  setTimeout(() => write.apply(this, args), 2_600);
  return true;
};
await import("./start.ts");
`;

const FAULTS = { [SLOW_TAG]: SLOW } as const;

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
