// Images: the names of the images that the project builds and uses, and how to build its own.
//
// The Dockerfile states its base with a digest. A base that exists only on this machine has none
// (stand-ins.ts, an image that was loaded from a file), so the build then names it by its tag.
//
//   images.1. The Dockerfile names one base, and its version is the Node of package.json.

import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { REPOSITORY } from "../embedded/service-process.ts";

export const DOCKERFILE = "infra/docker/Dockerfile";
/** The name in compose.yaml. */
export const PARLEY_IMAGE = "parley:local";

const BASE = /^ARG NODE_IMAGE=(([^\s@]+:[^\s@]+)(?:@sha256:[0-9a-f]{64})?)$/m;

export interface Base {
  /** With its digest, as in the Dockerfile. */
  readonly pinned: string;
  /** Without it. */
  readonly tag: string;
}

/** The base of the project's image. */
export function baseOf(dockerfile: string): Base {
  const [, pinned, tag] = BASE.exec(dockerfile) ?? [];
  if (pinned === undefined || tag === undefined) {
    throw new Error(`${DOCKERFILE}: expected a line ARG NODE_IMAGE=name:tag@sha256:digest`);
  }
  return { pinned, tag };
}

export const NODE_BASE = baseOf(readFileSync(join(REPOSITORY, DOCKERFILE), "utf8"));

export function hasImage(name: string): boolean {
  return spawnSync("docker", ["image", "inspect", name], { stdio: "ignore" }).status === 0;
}

/**
 * The base that a build on this machine uses: by tag when only that exists here, else by digest.
 */
export function localBase(has: (name: string) => boolean = hasImage, base = NODE_BASE): string {
  return !has(base.pinned) && has(base.tag) ? base.tag : base.pinned;
}

/** Builds the project's image under `name`, as `make image` does. Throws when the build fails. */
export function buildImage(name: string, ...options: readonly string[]): void {
  const base = `NODE_IMAGE=${localBase()}`;
  const args = `build --quiet --network host --file ${DOCKERFILE} --build-arg ${base}`.split(" ");
  args.push("--tag", name, ...options, ".");
  execFileSync("docker", args, { cwd: REPOSITORY, stdio: ["ignore", "ignore", "inherit"] });
}
