// Start failures: what each service prints when its environment is invalid.

import { spawnSync } from "node:child_process";
import { expect } from "chai";
import { parseObject } from "#shared/kit/json.ts";
import { REPOSITORY } from "#infra/embedded/service-process.ts";

const UNREACHABLE = "nats://127.0.0.1:9";
const START_WITHIN_MS = 60_000;

function start(service: string, env: NodeJS.ProcessEnv): { code: number | null; lines: string[] } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [`services/${service}/main.ts`], {
    cwd: REPOSITORY,
    env: { PATH: process.env["PATH"], ...env },
    encoding: "utf8",
    timeout: START_WITHIN_MS,
  });
  return { code: status, lines: `${stdout}${stderr}`.trim().split("\n") };
}

describe("A service that cannot start", function () {
  this.timeout(4 * START_WITHIN_MS);

  for (const service of ["gateway", "room", "persistence"]) {
    it(`start-failure.1: ${service} names the invalid variable in one line`, () => {
      const { code, lines } = start(service, { PARTITIONS: "many" });
      expect(code).to.equal(1);
      expect(lines).to.have.length(1);
      const line = parseObject(lines[0] ?? "");
      expect(line).to.include({ level: "fatal", msg: "the environment is not valid" });
      expect(String(line?.["complaints"])).to.contain("PARTITIONS");
    });
  }

  it("start-failure.1: a room node without NATS reports it in one line", () => {
    const { code, lines } = start("room", { NATS_URL: UNREACHABLE });
    expect(code).to.equal(1);
    expect(lines).to.have.length(1);
    expect(parseObject(lines[0] ?? "")).to.include({
      msg: "NATS is not reachable",
      url: UNREACHABLE,
    });
  });
});
