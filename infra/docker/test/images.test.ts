// The base of the project's image: stated once, pinned, and replaced only where it does not exist.

import { expect } from "chai";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { REPOSITORY } from "../../embedded/service-process.ts";
import { baseOf, DOCKERFILE, localBase, NODE_BASE } from "../images.ts";

const TAG = "node:1.2.3-slim";
const PINNED = `${TAG}@sha256:${"a".repeat(64)}`;

describe("The base of the image", () => {
  it("images.1: every stage starts from the one base, which is pinned by digest and has the Node of package.json", () => {
    const text = readFileSync(join(REPOSITORY, DOCKERFILE), "utf8");
    const { devDependencies } = JSON.parse(
      readFileSync(join(REPOSITORY, "package.json"), "utf8"),
    ) as { devDependencies: { node: string } };
    expect(NODE_BASE.tag).to.equal(`node:${devDependencies.node}-bookworm-slim`);
    expect(NODE_BASE.pinned).to.match(/@sha256:[0-9a-f]{64}$/);
    const stages = [...text.matchAll(/^FROM (\S+)(?: AS (\S+))?$/gm)];
    const names = stages.map(([, , name]) => name);
    expect(stages.length).to.be.greaterThan(1);
    for (const [line, from] of stages) {
      const isOwn = from === "${NODE_IMAGE}" || from === "scratch" || names.includes(from);
      expect(isOwn, line).to.equal(true);
    }
  });

  it("reads a base with and without a digest, and refuses a Dockerfile without a base", () => {
    expect(baseOf(`ARG NODE_IMAGE=${PINNED}\n`)).to.deep.equal({ pinned: PINNED, tag: TAG });
    expect(baseOf(`ARG NODE_IMAGE=${TAG}\n`)).to.deep.equal({ pinned: TAG, tag: TAG });
    for (const text of ["FROM node:24\n", "ARG NODE_IMAGE=node\n", `ARG NODE_IMAGE=${TAG}@x\n`]) {
      expect(() => baseOf(text), text).to.throw("expected a line ARG NODE_IMAGE=");
    }
  });

  it("a build uses the digest, unless only the tag exists on this machine", () => {
    const base = { pinned: PINNED, tag: TAG };
    for (const [present, expected] of [
      [[], PINNED],
      [[TAG], TAG],
      [[PINNED], PINNED],
      [[TAG, PINNED], PINNED],
    ] as const) {
      const has = (name: string): boolean => (present as readonly string[]).includes(name);
      expect(localBase(has, base), present.join()).to.equal(expected);
    }
  });
});
