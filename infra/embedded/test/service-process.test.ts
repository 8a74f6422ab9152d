// ServiceProcess: what every deployment gives a service, whatever starts it.

import { expect } from "chai";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { releaseEnv } from "../../ansible/release.ts";
import { DOCKERFILE } from "../../docker/images.ts";
import { MALLOC_ARENA_MAX, REPOSITORY } from "../service-process.ts";

const read = (path: string): string => readFileSync(join(REPOSITORY, path), "utf8");

describe("A service", () => {
  it("has as many arenas of malloc from the image and from a release for hosts as in the embedded cluster", () => {
    const line = `MALLOC_ARENA_MAX=${MALLOC_ARENA_MAX}`;
    const image = read(DOCKERFILE);
    const variables = image.slice(image.lastIndexOf("\nENV "));
    expect(variables.split(/[\s\\]+/)).to.include(line);
    expect(releaseEnv("1.2.3").split("\n")).to.include(line);
  });

  it("keeps that number: the compose file, the chart and the playbooks set no other", () => {
    for (const path of [
      "compose.yaml",
      "infra/helm/parley/templates/_helpers.tpl",
      "infra/ansible/roles/service/templates/service.env.j2",
      "infra/ansible/roles/job/templates/job.env.j2",
    ]) {
      expect(read(path), path).to.not.contain("MALLOC_ARENA_MAX");
    }
  });
});
