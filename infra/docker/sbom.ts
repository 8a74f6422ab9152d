// SBOM: writes the list of all packages in the image, for scanners and for the release.
//
//   node infra/docker/sbom.ts [IMAGE]   .parley/release/parley.cdx.json (CycloneDX)
//
// Syft reads the finished image: packages of npm, packages of Debian, and Node itself. So the list
// holds what runs, and not what package-lock.json intends.

import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { REPOSITORY } from "../embedded/service-process.ts";
import { ensureGoProgram, SYFT } from "#tools/programs/go-program.ts";
import { ToolMissing } from "#tools/programs/programs.ts";
import { hasImage, PARLEY_IMAGE } from "./images.ts";

const OUT = ".parley/release/parley.cdx.json";

/** Writes the SBOM of an image that the Docker daemon has. */
export async function writeSbom(image: string, file: string): Promise<void> {
  const syft = await ensureGoProgram(SYFT);
  mkdirSync(dirname(file), { recursive: true });
  execFileSync(syft, ["scan", `docker:${image}`, "--quiet", "--output", `cyclonedx-json=${file}`], {
    env: { ...process.env, SYFT_CHECK_FOR_APP_UPDATE: "false" },
    stdio: ["ignore", "inherit", "inherit"],
  });
}

if (import.meta.main) {
  const [image = PARLEY_IMAGE] = process.argv.slice(2);
  try {
    if (!hasImage(image)) throw new ToolMissing(`there is no image ${image}: run make image first`);
    await writeSbom(image, join(REPOSITORY, OUT));
    console.log(OUT);
  } catch (error: unknown) {
    if (!(error instanceof ToolMissing)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
