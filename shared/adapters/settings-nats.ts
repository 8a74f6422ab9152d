// SettingsStore on the key-value bucket `config`, by @nats-io/kv.
//
// What the library guarantees: a watch tells the last value of each key and then every change, through
// an ordered consumer that it makes anew when a beat stays away. What it does not: that a watch lasts
// for ever. One that ends or cannot be begun is begun anew after RENEW_MS, and repeats everything.

import { Kvm } from "@nats-io/kv";
import type { KV, KvWatchEntry } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import type { SettingsStore } from "../ports/settings-store.ts";
import { BUCKETS } from "./nats-provision.ts";

const RENEW_MS = 1_000;

export function openNatsSettings(
  connection: NatsConnection,
  onTrouble: (reason: string) => void = () => undefined,
): SettingsStore {
  return {
    watch(onChange) {
      let isClosed = false;
      let entries: AsyncIterable<KvWatchEntry> & { stop(): void };
      let timer: NodeJS.Timeout | undefined;
      const run = async (): Promise<void> => {
        try {
          entries = await (await openConfigBucket(connection)).watch();
          for await (const entry of entries) {
            if (isClosed) return;
            const text = entry.operation === "PUT" ? entry.string() : undefined;
            onChange({ key: entry.key, text, revision: entry.revision });
          }
        } catch (error: unknown) {
          if (!isClosed) onTrouble(error instanceof Error ? error.message : String(error));
        }
        if (!isClosed) timer = setTimeout(() => void run(), RENEW_MS);
      };
      void run();
      return {
        unsubscribe(): void {
          isClosed = true;
          clearTimeout(timer);
          entries?.stop();
        },
      };
    },
  };
}

/** For those who write settings as well; rejects when NATS or the bucket is not there. */
export function openConfigBucket(connection: NatsConnection): Promise<KV> {
  return new Kvm(connection).open(BUCKETS.config);
}
