// `node verify/kubernetes/main.ts SUITE…`: runs test suites in a sandbox, in which `startCluster`
// starts a real Kubernetes of one node.
//
//   KEEP=1   keeps the sandbox and its cluster for the next run, and prints how to enter it
//
// Programs and images are made before the sandbox opens, because it has no way to other networks.

import { join } from "node:path";
import { ToolMissing } from "#tools/programs/programs.ts";
import { ensureTofu } from "#tools/programs/tofu.ts";
import { findMetricPrograms } from "./autoscaling.ts";
import { findGatewayApi } from "./gateway-api.ts";
import { buildCanaryImages } from "./canary-images.ts";
import { IMAGES_FILE, saveImages } from "./images.ts";
import { pathsIn } from "./node-config.ts";
import { findPrograms } from "./programs.ts";
import { Sandbox, SandboxError } from "./sandbox.ts";

async function main(suites: readonly string[], keeps: boolean): Promise<number> {
  await findPrograms();
  await findMetricPrograms();
  const isCanary = suites.includes("canary");
  if (isCanary) await findGatewayApi();
  else await ensureTofu();
  const images = await saveImages(isCanary ? buildCanaryImages : undefined);
  const sandbox = await Sandbox.open({ keeps });
  // Ctrl-C reaches the tests too. They end first, then the sandbox.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => undefined);
  try {
    return await sandbox.run([process.execPath, "tools/test-run/main.ts", ...suites], {
      [IMAGES_FILE]: images,
    });
  } finally {
    if (keeps) console.log(`kept; to enter: ${enter(sandbox)}`);
    else await sandbox[Symbol.asyncDispose]();
  }
}

/** A shell in the sandbox, in which kubectl of .tools reaches the cluster. */
function enter({ folder, words }: Sandbox): string {
  const { certificates } = pathsIn(join(folder, "cluster"));
  return [`KUBECONFIG=${join(certificates, "admin.kubeconfig")}`, ...words, "bash"].join(" ");
}

try {
  process.exitCode = await main(process.argv.slice(2), process.env["KEEP"] === "1");
} catch (error: unknown) {
  if (!(error instanceof ToolMissing) && !(error instanceof SandboxError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
