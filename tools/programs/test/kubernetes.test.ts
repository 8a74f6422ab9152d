import { readFileSync } from "node:fs";
import { expect } from "chai";
import { KUBERNETES_PROGRAMS, KUBERNETES_RELEASE } from "../kubernetes.ts";

const MODULE = readFileSync(new URL("../kubernetes/go.mod", import.meta.url), "utf8");

describe("the programs of Kubernetes", () => {
  it("kubernetes.1: report the version that go.mod pins, and are built from it", () => {
    expect(MODULE).to.include(`k8s.io/kubernetes v${KUBERNETES_RELEASE}`);
    for (const { module, ldflags } of Object.values(KUBERNETES_PROGRAMS)) {
      expect(MODULE).to.include(`${module}\n`);
      expect(ldflags).to.include(`gitVersion=v${KUBERNETES_RELEASE} `);
    }
  });

  it("takes all modules of Kubernetes from one release", () => {
    const [, minor, patch] = KUBERNETES_RELEASE.split(".");
    const staged = [...MODULE.matchAll(/^\tk8s\.io\/\S+ => k8s\.io\/\S+ (\S+)$/gm)];
    expect(staged.length).to.be.greaterThan(20);
    expect(new Set(staged.map(([, version]) => version))).to.deep.equal(
      new Set([`v0.${minor}.${patch}`]),
    );
  });
});
