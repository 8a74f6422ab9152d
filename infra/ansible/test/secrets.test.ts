// Secrets of hosts: their table, and that it agrees with those of compose and the chart.

import { expect } from "chai";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SECRETS as CONTAINERS } from "../../docker/secrets.ts";
import { SECRETS as CHART } from "../../helm/secrets.ts";
import { SECRETS, writeSecrets } from "../secrets.ts";

describe("The secrets of hosts", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "parley-ansible-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const files = (): Record<string, string> =>
    Object.fromEntries(
      readdirSync(join(folder, "hosts"), { recursive: true, encoding: "utf8" })
        .filter((path) => path.includes("/"))
        .map((path) => [path, readFileSync(join(folder, "hosts", path), "utf8")]),
    );

  it("ansible/secrets.1: each service gets its own files, which only the owner can read", () => {
    writeSecrets(folder);
    const expected = Object.entries(SECRETS).flatMap(([service, names]) =>
      names.map((name) => `${service}/${name}`),
    );
    expect(files()).to.have.keys(expected);
    for (const [path, text] of Object.entries(files())) {
      expect(text.trim(), path).to.not.equal("");
      expect(statSync(join(folder, "hosts", path)).mode & 0o777, path).to.equal(0o600);
    }
    const seeds = Object.entries(files()).filter(([path]) => path.endsWith(".seed"));
    expect(new Set(seeds.map(([, text]) => text)).size).to.equal(7);
    expect(seeds).to.have.length(7);
  });

  it("ansible/secrets.2: a second run keeps the values and removes other files", () => {
    writeSecrets(folder);
    const before = files();
    writeFileSync(join(folder, "hosts/gateway/room.seed"), "left over");
    writeSecrets(folder);
    expect(files()).to.deep.equal(before);
  });

  it("ansible/secrets.3: the key of a bucket goes to gateways and persistence, when the operator wrote it", () => {
    writeSecrets(folder);
    expect(Object.keys(files()).join()).to.not.contain("s3-secret-key");
    writeFileSync(join(folder, "s3-secret-key"), "a key\n");
    writeSecrets(folder);
    const holders = Object.keys(files()).filter((path) => path.endsWith("/s3-secret-key"));
    expect(holders).to.have.members(["gateway/s3-secret-key", "persistence/s3-secret-key"]);
  });

  it("X4: a service gets the same secrets as in compose and in the chart", () => {
    for (const service of [
      "gateway",
      "room",
      "persistence",
      "webhooks",
      "operator",
      "migrate",
    ] as const) {
      expect(SECRETS[service], service).to.deep.equal(CHART[service]);
      const { files: inCompose } = CONTAINERS[`secrets-${service}`];
      expect(SECRETS[service], service).to.deep.equal(inCompose);
    }
    expect(SECRETS.provision).to.deep.equal(CHART.admin);
  });
});
