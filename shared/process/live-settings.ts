// LiveSettings: the values of all settings that are in force in this process.
//
// Owns: which value is in force. Does not own: the effect of a setting (the caller of `on` applies
// it), the storage of settings (ports/settings-store.ts).
//
//   live-settings.1. The value in force is the service's own, else the one for all services, else
//        the one from the start of the process.
//   live-settings.2. An invalid value changes nothing: the last valid value of its key stays in
//        force (E5).
//   live-settings.3. Every change and every refusal is logged with its author.

import type { Subscription } from "../ports/bus.ts";
import type { SettingChange, SettingsStore } from "../ports/settings-store.ts";
import { isRevocationKey } from "../protocol/revocations.ts";
import { checkSetting, decodeSetting, parseSettingKey } from "../protocol/settings.ts";
import type { Scope, SettingName, SettingValue } from "../protocol/settings.ts";
import type { NodeKind } from "../protocol/ids.ts";
import type { Logger } from "./logger.ts";

interface Known {
  readonly fallback: unknown;
  readonly apply: (value: unknown) => void;
  readonly given: Map<Scope, unknown>;
  inForce: unknown;
}

export class LiveSettings {
  readonly #service: NodeKind;
  readonly #logger: Logger;
  readonly #known = new Map<SettingName, Known>();
  #revision = 0;
  #refused = 0;

  constructor(service: NodeKind, logger: Logger) {
    this.#service = service;
    this.#logger = logger;
  }

  /** The newest revision of the bucket that was processed; for metrics. */
  get revision(): number {
    return this.#revision;
  }

  get refused(): number {
    return this.#refused;
  }

  /**
   * `fallback`: the value from the start of the process, in force again when a setting is removed.
   * Not applied now.
   */
  on<N extends SettingName>(
    name: N,
    fallback: SettingValue<N>,
    apply: (value: SettingValue<N>) => void,
  ): this {
    this.#known.set(name, {
      fallback,
      apply: apply as (value: unknown) => void,
      given: new Map(),
      inForce: fallback,
    });
    return this;
  }

  follow(store: SettingsStore): Subscription {
    return store.watch((change) => this.onChange(change));
  }

  onChange({ key, text, revision }: SettingChange): void {
    // Revocations share the table; gateways follow them separately.
    if (isRevocationKey(key)) return;
    this.#revision = Math.max(this.#revision, revision);
    const place = parseSettingKey(key);
    if (place === undefined) return this.#refuse({ key, reason: "the key names no service" });
    const { scope, name } = place;
    if (scope !== "all" && scope !== this.#service) return;
    if (text === undefined)
      return this.#take(scope, name, undefined, "unknown (the setting was removed)");
    const stored = decodeSetting(text);
    // N5
    if (stored === undefined) return this.#refuse({ key, reason: "the value cannot be decoded" });
    const checked = checkSetting(name, stored.value);
    if (checked.kind === "refused") {
      return this.#refuse({ key, by: stored.by, reason: checked.reason }); // live-settings.2
    }
    this.#take(scope, name, checked.value, stored.by);
  }

  #take(scope: Scope, name: string, value: unknown, by: string): void {
    const known = this.#known.get(name as SettingName);
    if (known === undefined) return; // It belongs to another service or another version.
    if (value === undefined) known.given.delete(scope);
    else known.given.set(scope, value);
    // live-settings.1
    const next = known.given.get(this.#service) ?? known.given.get("all") ?? known.fallback;
    if (next === known.inForce) return;
    // Logged before it is applied: a level that suppresses this line would hide its author.
    // live-settings.3
    this.#logger.warn({ setting: name, from: known.inForce, to: next, by }, "setting changed");
    known.inForce = next;
    known.apply(next);
  }

  #refuse(detail: { readonly key: string; readonly by?: string; readonly reason: string }): void {
    this.#refused++;
    this.#logger.warn(detail, "setting refused"); // live-settings.3
  }
}
