// Alert times: when each alert began to wait, fired and was resolved, from what Prometheus said
// when it was asked again and again. Pure.
//
// Owns: the spells of each alert. Does not own: asking, and which fault a spell belongs to.
//
//   alert-times.1. An alert with several label sets is one: it waits, or fires, as soon as the
//        first of them does.
//   alert-times.2. A spell begins when the condition held, by Prometheus' own clock, and ends when
//        the alert was seen neither waiting nor firing. One that never fired is forgotten.

export interface SeenAlert {
  readonly name: string;
  readonly state: "pending" | "firing";
  /** Since when its condition holds: ms since 1970, as Prometheus tells it. */
  readonly activeAt: number;
}

export interface Spell {
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
  readonly #spells: Spell[] = [];

  /** What Prometheus said at `now`, on the clock of `activeAt`. */
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
      if (firedAt !== undefined) this.#spells.push({ name, conditionAt, firedAt, resolvedAt: now }); // alert-times.2
    }
  }

  /** Neither waiting nor firing. */
  isQuiet(name: string): boolean {
    return !this.#active.has(name);
  }

  /** No alert waits or fires. */
  get isSilent(): boolean {
    return this.#active.size === 0;
  }

  /** The first time that it fired at or after `since`. */
  firedSince(name: string, since: number): Spell | undefined {
    return this.spellsSince(since).find((spell) => spell.name === name);
  }

  /** All that fired at or after `since`, in the order in which they did. */
  spellsSince(since: number): Spell[] {
    const firing = Array.from(this.#active, ([name, { conditionAt, firedAt }]) =>
      firedAt === undefined ? [] : [{ name, conditionAt, firedAt, resolvedAt: undefined }],
    );
    return [...this.#spells, ...firing.flat()]
      .filter(({ firedAt }) => firedAt >= since)
      .toSorted((a, b) => a.firedAt - b.firedAt);
  }
}
