// `make test-hosts`: installs Parley with Ansible on three real systemd hosts, and checks it under
// load. STEPS=upgrade,failover runs some of the steps under load; KEEP=1 keeps the hosts until
// Ctrl-C.
//
// Owns: the order of the steps and the table of results. The clients record what they send and
// receive from the first step under load to the last one, and the checker judges the record.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { once } from "node:events";
import { writeReleases } from "#infra/ansible/release.ts";
import { writeSecrets } from "#infra/ansible/secrets.ts";
import { REPOSITORY } from "#infra/embedded/service-process.ts";
import { ensureAnsible } from "#tools/programs/ansible.ts";
import { ensureNatsServer } from "#tools/programs/nats-server.ts";
import { ToolMissing } from "#tools/programs/programs.ts";
import { HostCluster } from "./host-cluster.ts";
import { ensureHostRoot, ensureMachine } from "./host-root.ts";
import { GROUPS, HOSTS, inventoryText } from "./inventory.ts";
import type { Groups } from "./inventory.ts";
import { enterLab, Lab } from "./lab.ts";
import { runSteps, stepsOf } from "./steps.ts";

const DIR = join(REPOSITORY, ".parley/hosts-lab");
const OLD = "0.0.1-old";
const NEW = "0.0.2-new";

async function main(): Promise<void> {
  const steps = stepsOf(process.env["STEPS"] ?? "");
  await ensureMachine();
  const bin = await ensureAnsible();
  const root = ensureHostRoot((line) => console.log(line));
  const natsServer = await ensureNatsServer();
  if (!enterLab()) return;
  rmSync(DIR, { recursive: true, force: true });
  mkdirSync(DIR, { recursive: true });
  console.log("writing two releases …");
  await writeReleases([OLD, NEW]);
  const keys = join(DIR, "keys");
  writeSecrets(keys);
  await using lab = Lab.open(join(DIR, "hosts"), root, HOSTS);
  const inventory = join(DIR, "inventory.yml");
  const writeInventory = (groups: Groups = GROUPS): void =>
    writeFileSync(inventory, inventoryText(lab, { keys, natsServer }, groups));
  writeInventory();
  console.log(`booting ${HOSTS.join(", ")} …`);
  await Promise.all(lab.hosts.map((host) => lab.boot(host)));
  const playbooks = { bin, inventory, log: join(DIR, "ansible.log") };
  const cluster = new HostCluster(lab, {
    folder: join(DIR, "run"),
    adminSeed: join(keys, "nkeys/admin.seed"),
    databasePassword: readFileSync(join(keys, "postgres-password"), "utf8").trim(),
  });
  try {
    const versions = { old: OLD, new: NEW };
    await runSteps({ lab, cluster, playbooks, versions, writeInventory }, steps);
  } finally {
    await cluster.endLoad();
    if ((process.env["KEEP"] ?? "") !== "") {
      console.log(`the hosts run until Ctrl-C; the inventory is ${inventory}`);
      await once(process, "SIGINT");
    }
  }
}

try {
  await main();
} catch (error: unknown) {
  console.error(error instanceof ToolMissing ? error.message : error);
  process.exitCode = 1;
}
