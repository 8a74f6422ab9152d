// SettingsStore: where settings are kept, and who hears when one changes.
//
//   STO1. A watcher is told every key's present value first, then every change, in the order of each
//         key; after trouble it may be told the same again.
//   STO2. It goes on across lost connections until it is closed.

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
