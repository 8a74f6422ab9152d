// AlertDrill: injects one fault after the other, and records when Prometheus fired and when users
// noticed.
//
//   alert-drill.1. A fault begins only when its own alerts are quiet, every process answers and no
//        send of the steady load is late.
//   alert-drill.2. A fault is healed once, whatever its effect, also when the drill is interrupted:
//        a paused process would outlive the cluster.
//   alert-drill.3. The drill polls Prometheus all the time, also between faults. It fails when
//        Prometheus does not answer, because no answer would look like an alert that does not fire.

import { setTimeout as sleep } from "node:timers/promises";
import { until } from "#shared/testing/wait.ts";
import type { AlertFault, ActiveFault } from "./alert-faults.ts";
import type { AlertRule } from "./alert-rules.ts";
import type { AlertRow } from "./alert-table.ts";
import { AlertTimes } from "./alert-times.ts";
import type { AlertCluster } from "./alert-cluster.ts";
import type { Prometheus } from "./prometheus.ts";

export interface AlertDrillOptions {
  readonly alertCluster: AlertCluster;
  readonly prometheus: Prometheus;
  readonly rules: readonly AlertRule[];
  readonly factor: number;
  readonly say: (line: string) => void;
}

interface Done {
  readonly fault: AlertFault;
  readonly struckAt: number;
  readonly healedAt: number;
  readonly row: Omit<AlertRow, "resolvedMs">;
}

const ASK_MS = 250;
/** The longest window of an alert that must pass before it is resolved, uncompressed. */
const HOUR_MS = 3_600_000;
/** The longest wait for quiet, which bounds the drill at FACTOR=1. */
const QUIET_MS_MAX = 180_000;
const SETTLED_WITHIN_MS = 120_000;
const SETTLED_MS = 5_000;
const OTHERS_MS = 20_000;
const GRACE_MS = 60_000;

export class AlertDrill {
  readonly #options: AlertDrillOptions;
  readonly #times = new AlertTimes();
  readonly #done: Done[] = [];
  /** When each alert last fired. */
  readonly #lastFiredAt = new Map<string, number>();
  /** The fault that is in effect now. */
  #activeFault: ActiveFault | undefined;
  #beganAt = 0;

  constructor(options: AlertDrillOptions) {
    this.#options = options;
  }

  /** The rows of the faults so far. */
  get rows(): AlertRow[] {
    return this.#done.map(({ row, struckAt, healedAt }) => {
      const episodes = this.#times
        .episodesSince(struckAt)
        .filter(({ name, firedAt }) => name === row.rule.name && firedAt <= healedAt);
      const resolvedAt = episodes.at(-1)?.resolvedAt;
      return { ...row, resolvedMs: resolvedAt === undefined ? undefined : resolvedAt - healedAt };
    });
  }

  /** Rejects at once when the signal is aborted. */
  async run(faults: readonly AlertFault[], signal: AbortSignal): Promise<void> {
    const end = new AbortController();
    const asking = this.#ask(AbortSignal.any([end.signal, signal]));
    const drilling = this.#drill(faults);
    try {
      await Promise.race([drilling, asking]); // alert-drill.3
      await drilling;
    } finally {
      end.abort();
      await this.#heal();
    }
  }

  /** alert-drill.2. */
  async #heal(): Promise<void> {
    const active = this.#activeFault;
    this.#activeFault = undefined;
    await active?.heal();
  }

  async #drill(faults: readonly AlertFault[]): Promise<void> {
    const { factor, say } = this.#options;
    const hourMs = HOUR_MS / factor;
    this.#beganAt = Date.now();
    say(`quiet for ${Math.min(hourMs, QUIET_MS_MAX) / 1_000} s`);
    await sleep(Math.min(hourMs, QUIET_MS_MAX));
    const early = this.#times.episodesSince(0).map(({ name }) => name);
    say(`fired without a fault: ${early.length === 0 ? "none" : early.join(", ")}`);
    for (const fault of faults) await this.#one(fault, hourMs);
    const deadline = Date.now() + Math.min(hourMs, QUIET_MS_MAX) + GRACE_MS;
    while (Date.now() < deadline && this.#awaitsResolution()) await sleep(ASK_MS);
  }

  async #one(fault: AlertFault, hourMs: number): Promise<void> {
    const { alertCluster, factor, say } = this.#options;
    const names = fault.alerts.map(({ name }) => name);
    await this.#settle(names, hourMs);
    await fault.prepare?.(alertCluster);
    say(`${names.join(", ")}: ${fault.what}`);
    const quiet = new Map(names.map((name) => [name, this.#quietMs(name)]));
    const [struckAt, since] = [Date.now(), performance.now()];
    alertCluster.load.watch();
    const struck = await fault.strike(alertCluster, factor);
    this.#activeFault = struck;
    try {
      await this.#watch(fault, struckAt);
    } finally {
      for (const alert of fault.alerts) {
        const noticedMs = this.#noticedMs(struck, alert.users, since);
        this.#keep({ fault, struckAt, quietMs: quiet.get(alert.name) ?? 0, noticedMs }, alert);
      }
      const { noticedAfterMs } = alertCluster.load;
      const noticed = noticedAfterMs === undefined ? "not" : Math.round(noticedAfterMs);
      say(`  users noticed after (ms): ${noticed}; healing the fault`);
      const healedAt = Date.now();
      await this.#heal();
      for (const [index, done] of this.#done.entries()) {
        if (done.fault === fault) this.#done[index] = { ...done, healedAt };
      }
    }
  }

  /** alert-drill.1. */
  async #settle(names: readonly string[], hourMs: number): Promise<void> {
    const { alertCluster, prometheus } = this.#options;
    const isUp = async (): Promise<boolean> => {
      await sleep(ASK_MS);
      return (await prometheus.up()).size === alertCluster.targets.length;
    };
    // Other alerts may still fire for an earlier fault. Those with short windows get the time to
    // end.
    const othersUntil = performance.now() + OTHERS_MS;
    while (!this.#times.isSilent && performance.now() < othersUntil) await sleep(ASK_MS);
    const areSilent = (): boolean => names.every((name) => this.#times.isQuiet(name));
    const isCalm = (): boolean => alertCluster.load.noticedAfterMs === undefined;
    const deadline = performance.now() + SETTLED_WITHIN_MS;
    do {
      await until(isUp, { withinMs: SETTLED_WITHIN_MS, what: "every process to answer" });
      await until(areSilent, {
        withinMs: hourMs + GRACE_MS,
        what: `${names.join(", ")} to be quiet`,
      });
      alertCluster.load.watch();
      await sleep(SETTLED_MS); // Time for late effects of the last fault.
    } while (!areSilent() || (!isCalm() && performance.now() < deadline));
  }

  /** Waits until all alerts fired and, with `noticeWithinMs`, until users noticed. */
  async #watch(fault: AlertFault, struckAt: number): Promise<void> {
    const { alertCluster, say } = this.#options;
    const fired = (): boolean =>
      fault.alerts.every(({ name }) => this.#times.firedSince(name, struckAt) !== undefined);
    const deadline = struckAt + fault.fireWithinMs + this.#ownMs(fault);
    while (!fired() && Date.now() < deadline) await sleep(ASK_MS);
    const seen = this.#times.episodesSince(struckAt);
    say(`  fired: ${seen.map(({ name, firedAt }) => `${name} ${firedAt - struckAt}`).join(", ")}`);
    const patience = Date.now() + (fault.noticeWithinMs ?? 0);
    while (alertCluster.load.noticedAfterMs === undefined && Date.now() < patience)
      await sleep(ASK_MS);
  }

  #awaitsResolution(): boolean {
    return this.rows.some(
      ({ fired, resolvedMs }, index) =>
        fired !== undefined &&
        resolvedMs === undefined &&
        this.#done[index]?.fault.isPermanent !== true,
    );
  }

  /** The time that the rules themselves wait. */
  #ownMs({ alerts }: AlertFault): number {
    const { rules, factor } = this.#options;
    const waits = alerts.map(({ name, fillsWindow }) => {
      const forMs = rules.find((rule) => rule.name === name)?.forMs ?? 0;
      return forMs + (fillsWindow ? HOUR_MS / 4 : 0);
    });
    return Math.max(...waits) / factor;
  }

  #noticedMs(struck: ActiveFault, users: "own" | undefined, since: number): number | undefined {
    if (users === "own") return struck.noticedAfterMs?.(since);
    return this.#options.alertCluster.load.noticedAfterMs;
  }

  #keep(
    {
      fault,
      struckAt,
      quietMs,
      noticedMs,
    }: Pick<Done, "fault" | "struckAt"> & Pick<AlertRow, "quietMs" | "noticedMs">,
    alert: AlertFault["alerts"][number],
  ): void {
    const rule = this.#options.rules.find(({ name }) => name === alert.name);
    if (rule === undefined) throw new Error(`rules.yml has no alert ${alert.name}`);
    const episode = this.#times.firedSince(alert.name, struckAt);
    const fired = episode && {
      conditionMs: episode.conditionAt - struckAt,
      firedMs: episode.firedAt - struckAt,
    };
    const own = new Set(fault.alerts.map(({ name }) => name));
    const otherEpisodes = this.#times.episodesSince(struckAt).filter(({ name }) => !own.has(name));
    const others = [...new Set(otherEpisodes.map(({ name }) => name))];
    const { fillsWindow } = alert;
    const row = { rule, what: fault.what, fillsWindow, quietMs, noticedMs, fired, others };
    this.#done.push({ fault, struckAt, healedAt: Infinity, row });
  }

  #quietMs(name: string): number {
    return Date.now() - (this.#lastFiredAt.get(name) ?? this.#beganAt);
  }

  async #ask(signal: AbortSignal): Promise<never> {
    for (;;) {
      const seen = await this.#options.prometheus.alerts();
      const now = Date.now();
      this.#times.take(seen, now);
      for (const { name, state } of seen) if (state === "firing") this.#lastFiredAt.set(name, now);
      await sleep(ASK_MS, undefined, { signal });
    }
  }
}
