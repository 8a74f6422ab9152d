// SettingsStore: where settings are stored, and how a process watches them.
//
//   settings-store.1. A watcher gets the present value of every key first, then every change, in
//        order for each key. After a reconnect it may get the same value again.
//   settings-store.2. A watch survives lost connections until it is closed.
//   settings-store.3. `onWhole` is called once, when the watcher has got every present value.

import type { Subscription } from "./bus.ts";

export interface SettingChange {
  readonly key: string;
  /** Undefined: the setting was removed. */
  readonly text: string | undefined;
  readonly revision: number;
}

export interface SettingsStore {
  watch(onChange: (change: SettingChange) => void, onWhole?: () => void): Subscription;
}
