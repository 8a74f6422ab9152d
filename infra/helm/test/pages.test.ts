// The pages of Kubernetes: the chart accepts their examples, and has each value that they name.

import { expect } from "chai";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { isObject } from "#shared/kit/json.ts";
import { REPOSITORY } from "../../embedded/service-process.ts";
import { CHART, helmOrSkip, JWKS, objectsOf, ofKind, runHelm } from "./chart.ts";

const PAGES = ["deploy-kubernetes.md", "operating/canary.md", "operating/upgrade.md"].map(
  (name) => [name, readFileSync(join(REPOSITORY, "docs", name), "utf8")] as const,
);
const VALUES = parse(readFileSync(join(CHART, "values.yaml"), "utf8")) as object;

/** The path of a value: in code of its own, or set on a command line. */
const NAMED = /(?:`|--set )([a-z]+(?:\.[a-zA-Z]+)+)[`=:]/g;
/** The name of a file can begin like a value. */
const FILE = /\.(?:seed|conf|ts)$/;

/** The value of a path such as `gateway.service.type`, and undefined where the chart has none. */
function valueOf(path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>((value, key) => (isObject(value) ? value[key] : undefined), VALUES);
}

describe("The pages of Kubernetes", () => {
  it("name only values that the chart has", () => {
    const named = PAGES.flatMap(([page, text]) =>
      [...text.matchAll(NAMED)].map(([, path = ""]) => [page, path] as const),
    );
    for (const [page, path] of named) {
      if (valueOf(path.split(".")[0]!) === undefined || FILE.test(path)) continue;
      expect(valueOf(path), `${page}: ${path}`).to.not.equal(undefined);
    }
    expect(named.length).to.be.greaterThan(20);
  });

  it("have examples of values that the chart accepts", async function () {
    this.timeout(30 * 60_000);
    const helm = await helmOrSkip(this);
    const examples = PAGES.flatMap(([page, text]) =>
      [...text.matchAll(/```yaml\n([^]*?)```/g)].map(
        ([, example = ""]) => [page, example] as const,
      ),
    );
    expect(examples).to.have.length(7);
    for (const [page, example] of examples) {
      const values = { ...JWKS, ...(parse(example) as object) };
      const { ok, output, errors } = await runHelm(helm, "template", values);
      expect(ok, `${page}: ${errors}`).to.equal(true);
      const deployments = /^(?:webhooks|operator):/.test(example) ? 4 : 3;
      expect(ofKind(objectsOf(output), "Deployment")).to.have.length(deployments);
    }
  });
});
