// Failover: the primary of PostgreSQL is lost, the standby takes its place, and the lost host comes
// back as a standby. It follows docs/deploy-hosts.md.

import { Client } from "pg";
import { until } from "#shared/testing/wait.ts";
import { GROUPS } from "./inventory.ts";
import { mustRun, runPlaybook } from "./playbook.ts";
import type { Setting } from "./setting.ts";

const [OLD] = GROUPS.postgres_primary;
const [NEXT] = GROUPS.postgres_standby;
const UNIT = "postgresql@15-main";
const PROMOTED_WITHIN_MS = 300_000;
const USED_WITHIN_MS = 60_000;

export interface FailoverResult {
  /** From the stop of the primary until the standby takes writes. */
  readonly promotedMs: number;
  /** From then until persistence has written to it. */
  readonly usedMs: number;
  /** From the stop of the primary until its host follows as a standby. */
  readonly wholeMs: number;
}

export async function failOver(setting: Setting): Promise<FailoverResult> {
  const { lab, cluster, playbooks, versions, writeInventory } = setting;
  const version = { parley_version: versions.old };
  const early = await runPlaybook(playbooks, "promote.yml", { promote: NEXT });
  if (early.ok || !early.output.includes(`${OLD} still answers`)) {
    throw new Error(`promote.yml did not refuse beside a running primary:\n${early.output}`);
  }
  const pids = pidsOf(setting);
  const began = performance.now();
  lab.ask(cluster.host(OLD), `systemctl stop ${UNIT}`);
  const use = watchUse(cluster.databaseUrl(NEXT));
  // A failed playbook throws first.
  const [, { promotedAt, usedAt }] = await Promise.all([
    mustRun(playbooks, "promote.yml", { promote: NEXT }),
    use,
  ]);
  cluster.primary = NEXT;
  writeInventory({ ...GROUPS, postgres_primary: [NEXT], postgres_standby: [OLD] });
  const refused = await runPlaybook(playbooks, "site.yml", version);
  if (refused.ok || !refused.output.includes(`parley_postgres_rebuild=${OLD}`)) {
    throw new Error(`site.yml did not refuse to replace a database:\n${refused.output}`);
  }
  await mustRun(playbooks, "site.yml", { ...version, parley_postgres_rebuild: OLD });
  const wholeMs = performance.now() - began;
  await mustRun(playbooks, "verify.yml"); // Every standby follows.
  if (pidsOf(setting) !== pids) throw new Error("the failover restarted a process");
  return { promotedMs: promotedAt - began, usedMs: usedAt - promotedAt, wholeMs };
}

function pidsOf({ lab, cluster }: Setting): string {
  const services = ["persistence", "webhooks"] as const;
  return services
    .flatMap((service) => {
      const ask = `systemctl show --property MainPID --value parley-${service}`;
      return GROUPS[service].map((name) => lab.ask(cluster.host(name), ask));
    })
    .join(" ");
}

/** Resolves when the server has become a primary and persistence has written to it. */
async function watchUse(url: string): Promise<{ promotedAt: number; usedAt: number }> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const ask = async (text: string): Promise<string> =>
      String((await client.query<{ value: unknown }>(text)).rows[0]?.value);
    await until(async () => (await ask("select pg_is_in_recovery() as value")) === "false", {
      withinMs: PROMOTED_WITHIN_MS,
      what: "the standby to be promoted",
    });
    const promotedAt = performance.now();
    const sum = "select sum(seq) as value from watermarks";
    const before = await ask(sum);
    await until(async () => (await ask(sum)) !== before, {
      withinMs: USED_WITHIN_MS,
      what: "persistence to write to the promoted server",
    });
    return { promotedAt, usedAt: performance.now() };
  } finally {
    await client.end();
  }
}
