// Images: builds the images of a test with the real Dockerfile, and saves them to one file that
// containerd imports.
//
// Owns: the names of the images and the saved file. Does not own: the base images
// (infra/docker/stand-ins.ts, where no registry is reachable).
//
//   kubernetes/images.1. The file is written again only when an image has changed.

import { execFile, execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { buildImage, localBase, NODE_BASE } from "#infra/docker/images.ts";
import { ensureStandIns } from "#infra/docker/stand-ins.ts";
import { REPOSITORY } from "#infra/embedded/service-process.ts";
import { ToolMissing } from "#tools/programs/programs.ts";
import { PAUSE_IMAGE } from "./node-config.ts";

const run = promisify(execFile);

export const IMAGE = { repository: "parley", tag: "kubernetes" } as const;
/** The same image under another name, for an upgrade. */
export const NEXT_TAG = "kubernetes-next";
/** The images that values.yaml names. */
export const NATS = "nats:2.15.2-alpine";
const SERVERS = [NATS, "postgres:18-bookworm"];
const FOLDER = join(REPOSITORY, ".parley/kubernetes-images");
/** The variable that holds the path of the file in the sandbox. */
export const IMAGES_FILE = "PARLEY_IMAGES";
const BUILD_WITHIN_MS = 30 * 60_000;

/** The file of images, for a test in the sandbox. */
export function imagesFile(): string {
  return process.env[IMAGES_FILE] ?? "";
}

/** Builds further images from the own image, and resolves with their names. */
export type BuildFurther = (own: string) => Promise<readonly string[]>;

/** Resolves with the path of the file. Throws ToolMissing without a Docker engine. */
export async function saveImages(buildFurther?: BuildFurther): Promise<string> {
  await docker("version").catch(() => {
    throw new ToolMissing(
      "the images need a running Docker engine: start dockerd (Debian: apt-get install docker.io)",
    );
  });
  await ensureStandIns([NODE_BASE.tag, ...SERVERS]);
  const own = `${IMAGE.repository}:${IMAGE.tag}`;
  buildImage(own);
  execFileSync("docker", ["build", "--quiet", "--tag", PAUSE_IMAGE, "-"], {
    input: `FROM ${localBase()}\nENTRYPOINT ["sleep", "infinity"]\n`,
    stdio: ["pipe", "ignore", "inherit"],
  });
  const next = `${IMAGE.repository}:${NEXT_TAG}`;
  await docker("tag", own, next);
  const further = buildFurther === undefined ? [] : await buildFurther(own);
  return save([own, next, ...further, PAUSE_IMAGE, ...SERVERS]);
}

/** kubernetes/images.1. */
async function save(images: readonly string[]): Promise<string> {
  const ids = await docker("image", "inspect", "--format={{.Id}}", ...images);
  const hash = createHash("sha256").update(ids).digest("hex").slice(0, 16);
  const file = join(FOLDER, `${hash}.tar`);
  if (existsSync(file)) return file;
  mkdirSync(FOLDER, { recursive: true });
  for (const name of readdirSync(FOLDER)) rmSync(join(FOLDER, name));
  await docker("save", `--output=${file}.partial`, ...images);
  renameSync(`${file}.partial`, file);
  return file;
}

async function docker(...words: string[]): Promise<string> {
  const options = { cwd: REPOSITORY, timeout: BUILD_WITHIN_MS };
  const { stdout } = await run("docker", words, options);
  return stdout;
}
