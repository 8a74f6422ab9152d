// SettingsStore: where settings are kept, and who hears when one changes.
//
//   settings-store.1. A watcher is told every key's present value first, then every change, in the order of each
//         key; after trouble it may be told the same again.
//   settings-store.2. It goes on across lost connections until it is closed.

import type { Subscription } from "./bus.ts";

export interface SettingChange {
  readonly key: string;
  /** Undefined: it was taken back. */
  readonly text: string | undefined;
  readonly revision: number;
}

export interface SettingsStore {
  watch(onChange: (change: SettingChange) => void): Subscription;
}
