// The NATS configuration of hosts: the same settings and permissions as in compose and the chart,
// in the real server.

import { expect } from "chai";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureNatsServer } from "#tools/programs/nats-server.ts";
import { openCredentials } from "../../nats/credentials.ts";
import { authorizationText } from "../../nats/permissions.ts";
import { serverConfig } from "../../nats/server-config.ts";
import { hostConfig } from "../nats-config.ts";
import { writeSecrets } from "../secrets.ts";

const PROGRAM = fileURLToPath(new URL("../nats-config.ts", import.meta.url));
const CHART = fileURLToPath(new URL("../../helm/parley/templates/_nats.tpl", import.meta.url));

describe("The NATS configuration of hosts", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "parley-ansible-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const servers = { "chat-1": "192.0.2.11", "chat-2": "192.0.2.12", "chat-3": "192.0.2.13" };
  const request = (): Parameters<typeof hostConfig>[1] => ({
    name: "chat-2",
    servers,
    partitions: 3,
    storeDir: join(folder, "store"),
    fileStoreMax: "20GB",
  });
  const inContainer = (): string => {
    const { publicKeys, routeSecret } = openCredentials(folder);
    return serverConfig({
      name: "nats-2",
      address: "0.0.0.0",
      storeDir: "/data/nats-2/jetstream",
      fileStoreMax: "1TB",
      hosts: ["nats-1", "nats-2", "nats-3"],
      routeSecret,
      authorization: authorizationText(publicKeys, 3),
    });
  };
  /** The lines without the name, the addresses and the store of one server. */
  const shared = (text: string): string[] =>
    text
      .split("\n")
      .filter((line) => !/^\s*(?:server_name|listen|store_dir|max_file_store|routes):/.test(line));

  it("X1: differs from that of a container only in names, addresses and the store", () => {
    writeSecrets(folder);
    const config = hostConfig(folder, request());
    expect(shared(config)).to.deep.equal(shared(inContainer()));
    expect(config).to.contain('listen: "192.0.2.12:4222"');
    for (const address of Object.values(servers)) expect(config).to.contain(`@${address}:6222`);
  });

  it("D7: has every setting of the chart's configuration", () => {
    writeSecrets(folder);
    const lines = hostConfig(folder, request())
      .split("\n")
      .map((line) => line.trim());
    const chart = readFileSync(CHART, "utf8")
      .split("\n")
      .map((line) => line.trim())
      .filter(
        (line) =>
          /^[a-z_]+: (?!.*\{\{)/.test(line) &&
          !/^(?:port|listen|server_name|store_dir):/.test(line),
      );
    expect(chart).to.include("sync_interval: always");
    for (const line of chart) expect(lines).to.include(line);
  });

  it("is accepted by the real server, and a broken one is not", async () => {
    writeSecrets(folder);
    const natsServer = await ensureNatsServer();
    const check = (text: string): number | null => {
      writeFileSync(join(folder, "nats.conf"), text);
      return spawnSync(natsServer, ["-t", "--config", join(folder, "nats.conf")]).status;
    };
    const config = hostConfig(folder, request());
    expect(check(config)).to.equal(0);
    expect(check(config.replace("sync_interval: always", "sync_intervall: always"))).to.equal(1);
  });

  it("refuses a folder without secrets, and creates none", () => {
    const args = [PROGRAM, join(folder, "nothing"), JSON.stringify(request())];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
    expect(status).to.equal(1);
    expect(stderr.trim()).to.equal(
      `${join(folder, "nothing")} has no nkeys: run node infra/ansible/secrets.ts ${join(folder, "nothing")}`,
    );
  });
});
