// Failover: the primary of PostgreSQL is lost, the standby takes its place, and the lost host comes
// back as a standby. It follows docs/deploy-hosts.md.

import { GROUPS } from "./inventory.ts";
import { mustRun, runPlaybook } from "./playbook.ts";
import type { Setting } from "./setting.ts";

const [OLD] = GROUPS.postgres_primary;
const [NEXT] = GROUPS.postgres_standby;
const UNIT = "postgresql@15-main";

export interface FailoverResult {
  /** From the stop of the primary until persistence uses the new one. */
  readonly seconds: number;
}

export async function failOver(setting: Setting): Promise<FailoverResult> {
  const { lab, cluster, playbooks, versions, writeInventory } = setting;
  const version = { parley_version: versions.old };
  const early = await runPlaybook(playbooks, "promote.yml", { promote: NEXT });
  if (early.ok || !early.output.includes(`${OLD} still answers`)) {
    throw new Error(`promote.yml did not refuse beside a running primary:\n${early.output}`);
  }
  const began = performance.now();
  lab.ask(cluster.host(OLD), `systemctl stop ${UNIT}`);
  await mustRun(playbooks, "promote.yml", { promote: NEXT });
  cluster.primary = NEXT;
  writeInventory({ ...GROUPS, postgres_primary: [NEXT], postgres_standby: [OLD] });
  const refused = await runPlaybook(playbooks, "site.yml", version);
  if (refused.ok || !refused.output.includes(`parley_postgres_rebuild=${OLD}`)) {
    throw new Error(`site.yml did not refuse to replace a database:\n${refused.output}`);
  }
  await mustRun(playbooks, "site.yml", { ...version, parley_postgres_rebuild: OLD });
  const seconds = (performance.now() - began) / 1_000;
  await mustRun(playbooks, "verify.yml"); // Every standby follows.
  return { seconds };
}
