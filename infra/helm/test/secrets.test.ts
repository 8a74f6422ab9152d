// Secrets: their table and values, and the chart's NATS configuration in the real server.

import { expect } from "chai";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureNatsServer } from "#tools/programs/nats-server.ts";
import { permissionsOf } from "../../nats/permissions.ts";
import { SECRETS, secretsOf } from "../secrets.ts";
import type { Secret } from "../secrets.ts";
import { helmOrSkip, render } from "./chart.ts";

describe("The chart's Secrets", function () {
  this.timeout(30 * 60_000);
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "parley-helm-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });
  const find = (secrets: readonly Secret[], service: string): Secret =>
    secrets.find(({ metadata }) => metadata.name === `parley-${service}`)!;

  it("helm/secrets.1: each service has its own seed; servers of NATS get public keys", () => {
    const secrets = secretsOf(folder, "parley");
    for (const [service, files] of Object.entries(SECRETS)) {
      const { stringData } = find(secrets, service);
      expect(stringData).to.have.keys([...files]);
      for (const value of Object.values(stringData)) expect(value.trim()).to.not.equal("");
    }
    const seeds = secrets.flatMap(({ stringData }) =>
      Object.values(stringData).filter((value) => value.startsWith("SU")),
    );
    expect(seeds).to.have.length(5);
    expect(new Set(seeds).size).to.equal(5);
    const nats = JSON.stringify(find(secrets, "nats"));
    for (const seed of seeds) expect(nats).to.not.contain(seed.trim());
    const holders = secrets.filter(({ stringData }) => "postgres-password" in stringData);
    expect(holders.map(({ metadata }) => metadata.name)).to.have.members([
      "parley-migrate",
      "parley-postgres",
    ]);
  });

  it("helm/secrets.2: a second run writes the same Secrets", () => {
    expect(secretsOf(folder, "parley")).to.deep.equal(secretsOf(folder, "parley"));
  });

  it("refuses a release name that Kubernetes would refuse", () => {
    for (const name of ["Parley", "-x", "a".repeat(41), ""]) {
      expect(() => secretsOf(folder, name), name).to.throw("expected a release name");
    }
  });

  it("X1: the real NATS server accepts the rendered configuration, with the table's permissions", async function () {
    const helm = await helmOrSkip(this);
    const natsServer = await ensureNatsServer();
    const [config] = render(helm, { auth: "dev", partitions: 3 }).filter(
      ({ kind, metadata }) => kind === "ConfigMap" && metadata.name === "parley-nats",
    );
    const text = config!.data!["nats.conf"]!;
    const { stringData } = find(secretsOf(folder, "parley"), "nats");
    for (const [file, value] of Object.entries(stringData))
      writeFileSync(join(folder, file), value);
    const check = (conf: string): { status: number | null; stderr: string } => {
      writeFileSync(join(folder, "nats.conf"), conf);
      const args = ["-t", "--config", join(folder, "nats.conf")];
      const env = { ...process.env, POD_NAME: "parley-nats-0" };
      return spawnSync(natsServer, args, { env, encoding: "utf8" });
    };
    const { status, stderr } = check(text);
    expect(status, stderr).to.equal(0);
    const broken = check(text.replace("$room_key", "$unknown_key"));
    expect(broken.status).to.equal(1);
    expect(broken.stderr).to.contain("unknown_key");
    for (const user of ["gateway", "room", "trimmer"] as const) {
      const block = text.split(`# ${user}\n`)[1]!.split("} }")[0]!;
      const { publish, subscribe } = permissionsOf(user, 3);
      const lists = [...block.matchAll(/(publish|subscribe): \[([^\]]*)\]/g)];
      const subjects = lists.map(([, , list]) =>
        list!.match(/"[^"]+"/g)?.map((one) => one.slice(1, -1)),
      );
      expect(subjects[0], user).to.have.members([...publish]);
      expect(subjects[1], user).to.have.members([...subscribe]);
    }
    expect(text).to.contain("sync_interval: always");
    expect(stringData["cluster.conf"]).to.contain("@parley-nats-2.parley-nats:6222");
  });
});
