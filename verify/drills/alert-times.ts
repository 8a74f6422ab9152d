// AlertTimes: when each alert became pending, fired and was resolved, from repeated answers of
// Prometheus. Pure.
//
// Owns: the episodes of each alert. Does not own: the polling, the fault of an episode.
//
//   alert-times.1. An alert with several label sets is one alert: it is pending, or fires, as soon
//        as the first of them does.
//   alert-times.2. An episode begins when the condition held, by Prometheus' clock. It ends when
//        the alert is neither pending nor firing. An episode in which the alert never fired is
//        dropped.

export interface SeenAlert {
  readonly name: string;
  readonly state: "pending" | "firing";
  /** The time since which its condition holds, in ms since 1970, from Prometheus. */
  readonly activeAt: number;
}

export interface AlertEpisode {
  readonly name: string;
  readonly conditionAt: number;
  readonly firedAt: number;
  /** Undefined while it fires. */
  readonly resolvedAt: number | undefined;
}

interface Active {
  readonly conditionAt: number;
  firedAt: number | undefined;
}

export class AlertTimes {
  readonly #active = new Map<string, Active>();
  readonly #episodes: AlertEpisode[] = [];

  /** Takes an answer of Prometheus at `now`, on the clock of `activeAt`. */
  take(seen: readonly SeenAlert[], now: number): void {
    const byName = Map.groupBy(seen, ({ name }) => name);
    for (const [name, alerts] of byName) {
      const isFiring = alerts.some(({ state }) => state === "firing");
      const conditionAt = Math.min(...alerts.map(({ activeAt }) => activeAt)); // alert-times.1
      const active = this.#active.get(name) ?? { conditionAt, firedAt: undefined };
      if (isFiring) active.firedAt ??= now;
      this.#active.set(name, active);
    }
    for (const [name, active] of this.#active) {
      if (byName.has(name)) continue;
      this.#active.delete(name);
      const { conditionAt, firedAt } = active;
      if (firedAt !== undefined)
        this.#episodes.push({ name, conditionAt, firedAt, resolvedAt: now }); // alert-times.2
    }
  }

  /** Whether the alert is neither pending nor firing. */
  isQuiet(name: string): boolean {
    return !this.#active.has(name);
  }

  /** Whether no alert is pending or firing. */
  get isSilent(): boolean {
    return this.#active.size === 0;
  }

  /** The first episode of the alert that fired at or after `since`. */
  firedSince(name: string, since: number): AlertEpisode | undefined {
    return this.episodesSince(since).find((episode) => episode.name === name);
  }

  /** All episodes that fired at or after `since`, in the order of firing. */
  episodesSince(since: number): AlertEpisode[] {
    const firing = Array.from(this.#active, ([name, { conditionAt, firedAt }]) =>
      firedAt === undefined ? [] : [{ name, conditionAt, firedAt, resolvedAt: undefined }],
    );
    return [...this.#episodes, ...firing.flat()]
      .filter(({ firedAt }) => firedAt >= since)
      .toSorted((a, b) => a.firedAt - b.firedAt);
  }
}
