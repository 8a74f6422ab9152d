// Canary images: what the test of a canary needs beside the images of the chart: Flagger, and the
// own image with one real fault in its gateways.
//
// The fault is a file of the image. The product has no switch for it.

import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureGoProgram, FLAGGER } from "#tools/programs/go-program.ts";
import { IMAGE, NATS } from "./images.ts";

export const STALLED_TAG = "kubernetes-stalled";
export const FLAGGER_IMAGE = { repository: "parley-flagger", tag: "local" } as const;

/** The event loop stalls for 1 s of each 1.3 s, without work for the processors. */
const STALLED = `
const never = new Int32Array(new SharedArrayBuffer(4));
setInterval(() => Atomics.wait(never, 0, 0, 1_000), 1_300);
await import("./start.js");
`;

/** Builds them from the image `own`, and resolves with their names. */
export async function buildCanaryImages(own: string): Promise<readonly string[]> {
  return [buildStalled(own), await buildFlagger()];
}

function buildStalled(own: string): string {
  const lines = [
    `FROM ${own}`,
    `COPY --from=${own} /parley/services/gateway/dist/main.js services/gateway/dist/start.js`,
    "COPY main.js services/gateway/dist/main.js",
  ];
  return build(`${IMAGE.repository}:${STALLED_TAG}`, lines, (folder) => {
    writeFileSync(join(folder, "main.js"), STALLED);
  });
}

/**
 * The image that Flagger's chart expects: its program in the working folder, and `wget` for the
 * probes. Alpine has that `wget`.
 */
async function buildFlagger(): Promise<string> {
  const program = await ensureGoProgram(FLAGGER);
  const lines = [`FROM ${NATS}`, "WORKDIR /flagger", "COPY flagger .", "USER 10001"];
  const { repository, tag } = FLAGGER_IMAGE;
  return build(`${repository}:${tag}`, lines, (folder) => {
    copyFileSync(program, join(folder, "flagger"));
  });
}

/** `fill` writes the files that the lines of the Dockerfile copy. Returns the name. */
function build(
  name: string,
  dockerfile: readonly string[],
  fill: (folder: string) => void,
): string {
  const folder = mkdtempSync(join(tmpdir(), "parley-canary-"));
  try {
    writeFileSync(join(folder, "Dockerfile"), dockerfile.join("\n"));
    fill(folder);
    execFileSync("docker", ["build", "--quiet", `--tag=${name}`, folder], { stdio: "pipe" });
  } finally {
    rmSync(folder, { recursive: true });
  }
  return name;
}
