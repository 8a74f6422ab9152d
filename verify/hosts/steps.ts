// Steps: what `make test-hosts` does with the hosts, and the table that it prints.
//
//   hosts/steps.1. A step that fails ends the run with its reason.
//   hosts/steps.2. The record of the clients covers all faults and both rollouts.

import { until } from "#shared/testing/wait.ts";
import { reportText } from "../checker/report-text.ts";
import { passFile, readAdminPage } from "../wire-client/optional-parts.ts";
import { failOver } from "./failover.ts";
import { GROUPS, WATCHDOG_SECONDS } from "./inventory.ts";
import type { Lab, LabHost } from "./lab.ts";
import { mustRun, runPlaybook } from "./playbook.ts";
import type { Setting } from "./setting.ts";

const RESTARTED_WITHIN_MS = 120_000;
/** The default of parley_operator_port. */
const OPERATOR_PORT = 8090;
const SERVICES = ["gateway", "room", "persistence", "webhooks", "operator"];

/** The steps under load, in their order. STEPS=upgrade,failover selects some of them. */
const UNDER_LOAD: Readonly<Record<string, (setting: Setting) => Promise<void>>> = {
  watchdog: async (setting) => {
    await watchdog(setting, "room", GROUPS.rooms[1]);
    await watchdog(setting, "gateway", GROUPS.gateways[1]);
    await watchdog(setting, "webhooks", GROUPS.webhooks[1]);
  },
  reboot: (setting) => reboot(setting, "chat-3"),
  upgrade: (setting) => rollOut(setting, "rolling upgrade", setting.versions.new),
  rollback: (setting) => rollOut(setting, "roll back", setting.versions.old),
  failover: failOverUnderLoad,
};

/** Throws for a name that is no step. An empty text selects all. */
export function stepsOf(text: string): string[] {
  const names = text.split(",").filter((name) => name !== "");
  const wrong = names.filter((name) => !(name in UNDER_LOAD));
  if (wrong.length > 0) {
    throw new Error(
      `STEPS: no step ${wrong.join(", ")}; there are ${Object.keys(UNDER_LOAD).join(", ")}`,
    );
  }
  return Object.keys(UNDER_LOAD).filter((name) => names.length === 0 || names.includes(name));
}

export async function runSteps(setting: Setting, steps: readonly string[]): Promise<void> {
  await refuse(setting);
  await install(setting);
  await optionalParts(setting);
  const { cluster } = setting;
  await cluster.startLoad();
  for (const step of steps) await UNDER_LOAD[step]?.(setting);
  await optionalParts(setting);
  const report = await cluster.judge();
  console.log(reportText(report));
  if (report.counts.violations > 0) throw new Error("the checker found violations");
  memoryLimit(setting);
  await remove(setting);
}

function say(step: string, result: string): void {
  console.log(`${step.padEnd(26)} ${result}`);
}

async function refuse({ playbooks }: Setting): Promise<void> {
  const refused = await runPlaybook(playbooks, "site.yml", {
    parley_version: "9.9.9",
    parley_auth: "none",
  });
  const complaints = /"msg": (\[.*\])\}/.exec(refused.output)?.[1] ?? "";
  if (refused.ok || refused.changed > 0 || !complaints.includes("parley_auth")) {
    throw new Error(`wrong variables were not refused:\n${refused.output}`);
  }
  say("wrong variables", `refused, ${refused.changed} changed`);
}

async function install({ playbooks, versions, lab }: Setting): Promise<void> {
  const version = { parley_version: versions.old };
  const first = await mustRun(playbooks, "site.yml", version);
  say("converge", `${first.changed} changed in ${first.seconds.toFixed(0)} s`);
  const second = await mustRun(playbooks, "site.yml", version);
  say("idempotence", `${second.changed} changed in ${second.seconds.toFixed(0)} s`);
  if (second.changed > 0) throw new Error("the second run changed something");
  const verify = await mustRun(playbooks, "verify.yml");
  const exposures = [...verify.output.matchAll(/exposure level for (\S+): ([\d.]+)/g)];
  const unique = new Map(exposures.map(([, unit = "", value = ""]) => [unit, value]));
  say("verify", [...unique].map(([unit, value]) => `${unit} ${value}`).join(", "));
  if (unique.size === 0) throw new Error("verify.yml printed no exposure");
  for (const host of lab.hosts) {
    const failed = lab.ask(host, "systemctl --failed --no-legend --plain");
    if (failed !== "") throw new Error(`${host.name}: ${failed}`);
  }
}

/** An administrator's SSH tunnel to the page on loopback, and a file through two gateways. */
async function optionalParts({ lab, cluster }: Setting): Promise<void> {
  const [name] = GROUPS.operator;
  const gateways = cluster.gatewayUrls;
  await using tunnel = await lab.tunnel(cluster.host(name), OPERATOR_PORT);
  await readAdminPage({ page: tunnel.url, gateway: gateways[0] ?? "" }, SERVICES);
  await passFile(gateways);
  say("admin page, attachments", `the page of ${name} shows all services; a file passes`);
}

/** A paused process sends no keep-alive, so systemd must end and restart it. */
async function watchdog({ lab, cluster }: Setting, service: string, name: string): Promise<void> {
  const host = cluster.host(name);
  const pid = pidOf(lab, host, service);
  const { result, ms } = await cluster.longestWait(async () => {
    const began = performance.now();
    lab.ask(host, `kill -STOP ${pid}`);
    await until(() => isRunningAgain(lab, host, { service, pid }), {
      withinMs: RESTARTED_WITHIN_MS,
      what: `${service} on ${name} to be restarted`,
    });
    return performance.now() - began;
  });
  const log = lab.ask(host, `journalctl --unit parley-${service} --output cat --grep Watchdog`);
  if (!log.includes("Watchdog timeout")) throw new Error(`not the watchdog: ${log}`);
  const seconds = (result / 1_000).toFixed(1);
  say(
    `kill -STOP ${service}`,
    `back after ${seconds} s (WatchdogSec=${WATCHDOG_SECONDS}), longest wait of a room ${Math.round(ms)} ms`,
  );
}

function pidOf(lab: Lab, host: LabHost, service: string): number {
  return Number(lab.ask(host, `systemctl show --property MainPID --value parley-${service}`));
}

function isRunningAgain(
  lab: Lab,
  host: LabHost,
  { service, pid }: { readonly service: string; readonly pid: number },
): boolean {
  const { ok, output } = lab.run(host, `systemctl is-active parley-${service}`);
  return ok && output === "active" && pidOf(lab, host, service) !== pid;
}

async function reboot({ lab, cluster }: Setting, name: string): Promise<void> {
  const host = cluster.host(name);
  const began = performance.now();
  const { ms } = await cluster.longestWait(async () => {
    await lab.powerOff(host);
    await lab.boot(host);
    const services = ["nats", "room", "gateway", "webhooks"];
    await until(
      () => services.every((one) => lab.run(host, `systemctl is-active parley-${one}`).ok),
      { withinMs: RESTARTED_WITHIN_MS, what: `the services of ${name}` },
    );
  });
  const seconds = ((performance.now() - began) / 1_000).toFixed(0);
  say(
    `reboot ${name}`,
    `serving again after ${seconds} s, longest wait of a room ${Math.round(ms)} ms`,
  );
}

async function rollOut(
  { lab, cluster, playbooks }: Setting,
  what: string,
  version: string,
): Promise<void> {
  const { result, ms } = await cluster.longestWait(() =>
    mustRun(playbooks, "site.yml", { parley_version: version }),
  );
  for (const [service, group] of [
    ["gateway", "gateways"],
    ["room", "rooms"],
    ["persistence", "persistence"],
    ["webhooks", "webhooks"],
    ["operator", "operator"],
  ] as const) {
    for (const name of GROUPS[group]) {
      const host = cluster.host(name);
      const folder = lab.ask(host, `readlink /proc/${pidOf(lab, host, service)}/cwd`);
      if (folder !== `/opt/parley/${version}`) throw new Error(`${name} runs ${folder}`);
    }
  }
  say(
    what,
    `to ${version} in ${result.seconds.toFixed(0)} s, longest wait of a room ${Math.round(ms)} ms`,
  );
}

async function failOverUnderLoad(setting: Setting): Promise<void> {
  const { result, ms } = await setting.cluster.longestWait(() => failOver(setting));
  const [promoted, used, whole] = [result.promotedMs, result.usedMs, result.wholeMs].map((time) =>
    (time / 1_000).toFixed(1),
  );
  say(
    "failover of PostgreSQL",
    `promoted ${promoted} s after the stop, used by persistence ${used} s later, the old host follows after ${whole} s, longest wait of a room ${Math.round(ms)} ms`,
  );
}

function memoryLimit({ lab, cluster }: Setting): void {
  const host = cluster.host(GROUPS.gateways[0]);
  const group = lab.ask(host, "systemctl show --property ControlGroup --value parley-gateway");
  const files = [`memory${group}/memory.limit_in_bytes`, `${group}/memory.max`];
  const read = files.map((file) => `cat /sys/fs/cgroup/${file}`).join(" || ");
  const limit = Number(lab.ask(host, `${read} 2>/dev/null`).split("\n").at(-1));
  say("MemoryMax of gateway", `${limit / 1024 ** 2} MiB in its cgroup`);
  if (limit !== 1024 ** 3) throw new Error("MemoryMax does not apply");
}

/** Data must stay, and all else must go. */
async function remove({ lab, playbooks }: Setting): Promise<void> {
  const refused = await runPlaybook(playbooks, "remove.yml");
  if (refused.ok) throw new Error("remove.yml ran without remove=yes");
  await mustRun(playbooks, "remove.yml", { remove: "yes" });
  for (const host of lab.hosts) {
    const left = lab.ask(
      host,
      "ls -d /opt/parley /etc/parley /etc/systemd/system/parley-* /run/parley-* 2>/dev/null; ps -eo comm= | grep -xE 'node|nats-server|postgres'; true",
    );
    if (left !== "") throw new Error(`${host.name} still has ${left}`);
    lab.ask(host, "test -d /var/lib/parley-nats/jetstream");
  }
  say("remove", "units, releases, secrets and processes are gone; data are there");
}
