// Health: the one word by which a process tells its supervisor that it serves.

import type { Logger } from "./logger.ts";
import { createLogger } from "./logger.ts";

/** What the supervisor (infra/embedded/cluster.ts) hears on the IPC channel. */
export interface ReadyMessage {
  readonly kind: "ready";
  readonly name?: string;
  readonly url?: string;
  /** Where this process answers Prometheus. */
  readonly metrics?: string | undefined;
}

export type ReadyInfo = Omit<ReadyMessage, "kind">;

/** Tells a parent process, when there is one, and the log. */
export function announceReady(info: ReadyInfo = {}, logger?: Logger): void {
  process.send?.({ kind: "ready", ...info } satisfies ReadyMessage);
  (logger ?? createLogger({ name: info.name ?? "process" })).info({ ...info }, "ready");
}

export function isReadyMessage(message: unknown): message is ReadyMessage {
  return (
    typeof message === "object" && message !== null && "kind" in message && message.kind === "ready"
  );
}
