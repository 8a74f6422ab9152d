// Secrets: their table and values, and the chart's NATS configuration in the real server.

import { expect } from "chai";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureNatsServer } from "#tools/programs/nats-server.ts";
import { errors, nkeys } from "@nats-io/transport-node";
import { connectNats } from "#shared/adapters/nats-connect.ts";
import { launchNats } from "#shared/testing/launch-nats.ts";
import { permissionsOf } from "../../nats/permissions.ts";
import { PERMITTED_PARTITIONS } from "#shared/protocol/partition-map.ts";
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
    writeFileSync(join(folder, "peer-postgres-password"), "of the other region\n");
    writeFileSync(join(folder, "s3-access-key"), "an id\n");
    writeFileSync(join(folder, "s3-secret-key"), "a key\n");
    const secrets = secretsOf(folder, "parley", { isRegion: true });
    for (const [service, files] of Object.entries(SECRETS)) {
      const { stringData } = find(secrets, service);
      expect(stringData).to.have.keys([...files]);
      for (const value of Object.values(stringData)) expect(value.trim()).to.not.equal("");
    }
    const seeds = secrets.flatMap(({ stringData }) =>
      Object.values(stringData).filter((value) => value.startsWith("SU")),
    );
    // The region agent is the administrator of its NATS, and a user of the witness.
    expect(seeds).to.have.length(9);
    expect(new Set(seeds).size).to.equal(8);
    const nats = JSON.stringify(find(secrets, "nats"));
    for (const seed of seeds) expect(nats).to.not.contain(seed.trim());
    const holders = secrets.filter(({ stringData }) => "postgres-password" in stringData);
    expect(holders.map(({ metadata }) => metadata.name)).to.have.members([
      "parley-migrate",
      "parley-postgres",
      "parley-region",
    ]);
  });

  it("helm/secrets.4: only a region has a key for the witness; its public part is a file", () => {
    const alone = JSON.stringify(secretsOf(folder, "parley"));
    expect(alone).to.not.contain("parley-region");
    const { stringData } = find(secretsOf(folder, "parley", { isRegion: true }), "region");
    const seed = new TextEncoder().encode(stringData["witness.seed"]!.trim());
    const key = readFileSync(join(folder, "witness.public"), "utf8").trim();
    expect(key).to.equal(nkeys.fromSeed(seed).getPublicKey());
    expect(alone).to.not.contain(stringData["witness.seed"]!.trim());
  });

  it("helm/secrets.4: the password of the other region is there only when the operator copied it", () => {
    const ofRegion = (): object =>
      find(secretsOf(folder, "parley", { isRegion: true }), "region").stringData;
    expect(ofRegion()).to.not.have.property("peer-postgres-password");
    writeFileSync(join(folder, "peer-postgres-password"), "of the other region\n");
    expect(ofRegion()).to.have.property("peer-postgres-password", "of the other region");
  });

  it("helm/secrets.5: the keys of a bucket are there only when the operator wrote both", () => {
    writeFileSync(join(folder, "s3-secret-key"), "a key\n");
    expect(find(secretsOf(folder, "parley"), "attachments")).to.equal(undefined);
    writeFileSync(join(folder, "s3-access-key"), "an id\n");
    const secrets = secretsOf(folder, "parley");
    expect(find(secrets, "attachments").stringData).to.deep.equal({
      "s3-access-key": "an id",
      "s3-secret-key": "a key",
    });
    expect(JSON.stringify(find(secrets, "gateway"))).to.not.contain("a key");
  });

  it("helm/secrets.2: a second run writes the same Secrets", () => {
    expect(secretsOf(folder, "parley")).to.deep.equal(secretsOf(folder, "parley"));
  });

  it("helm/secrets.3: each Secret asks Flagger to make no copy of it", () => {
    for (const { metadata } of secretsOf(folder, "parley")) {
      expect(metadata.annotations).to.deep.equal({ "flagger.app/config-tracking": "disabled" });
    }
  });

  it("refuses a release name that Kubernetes would refuse", () => {
    for (const name of ["Parley", "-x", "a".repeat(41), ""]) {
      expect(() => secretsOf(folder, name), name).to.throw("expected a release name");
    }
  });

  it("X1: the real NATS server accepts the rendered configuration, with the table's permissions", async function () {
    const helm = await helmOrSkip(this);
    const natsServer = await ensureNatsServer();
    const text = await natsConfig(helm);
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
    for (const user of ["gateway", "room", "trimmer", "webhooks", "operator"] as const) {
      const block = text.split(`# ${user}\n`)[1]!.split("} }")[0]!;
      const { publish, subscribe } = permissionsOf(user, PERMITTED_PARTITIONS);
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

  it("X4: each seed of the Secrets is its user's on a real server, with the rendered permissions", async function () {
    const helm = await helmOrSkip(this);
    const config = await natsConfig(helm);
    const secrets = secretsOf(folder, "parley");
    const keys = find(secrets, "nats").stringData["keys.conf"]!;
    const authorization = `${keys}${config.slice(config.indexOf("authorization {"))}`;
    const server = await launchNats({ dir: join(folder, "nats"), authorization });
    try {
      const beyond = `log.${PERMITTED_PARTITIONS}`; // Partitions 0, 1 and 2, and later splits.
      for (const [user, service, allowed] of [
        ["gateway", "gateway", "live.general"],
        ["room", "room", "log.2"],
        ["persistence", "persistence", "watermark.2"],
        ["trimmer", "persistence", "$JS.API.STREAM.INFO.LOG_2"],
        ["webhooks", "webhooks", "table.get.config"],
        ["operator", "operator", "table.get.settings"],
        ["admin", "admin", "anything"],
      ] as const) {
        const seed = find(secrets, service).stringData[`${user}.seed`]!;
        const nkeyFile = join(folder, `${user}.seed`);
        writeFileSync(nkeyFile, seed);
        const refused = await refusedSubjects(server.url, nkeyFile, [allowed, beyond]);
        expect(refused, user).to.deep.equal(user === "admin" ? [] : [beyond]);
      }
    } finally {
      await server.stop();
    }
  });

  /** The subjects on which the server refuses a message of this user. */
  async function refusedSubjects(
    url: string,
    nkeyFile: string,
    subjects: readonly string[],
  ): Promise<string[]> {
    const connection = await connectNats({
      url,
      nkeyFile,
      name: "test",
      inboxPrefix: "_INBOX_test",
    });
    const refused: string[] = [];
    void (async () => {
      for await (const status of connection.status()) {
        if (status.type === "error" && status.error instanceof errors.PermissionViolationError) {
          refused.push(status.error.subject);
        }
      }
    })();
    for (const subject of subjects) connection.publish(subject, "x");
    await connection.flush();
    await connection.close();
    return refused;
  }

  /** nats.conf of a release with three partitions. */
  async function natsConfig(helm: string): Promise<string> {
    const objects = await render(helm, { auth: "dev", partitions: 3 });
    const config = objects.find(
      ({ kind, metadata }) => kind === "ConfigMap" && metadata.name === "parley-nats",
    );
    return config!.data!["nats.conf"]!;
  }
});
