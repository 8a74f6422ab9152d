// Health: the ready message that a process sends to its supervisor.

import type { Logger } from "./logger.ts";
import { createLogger } from "./logger.ts";

/** The message on the IPC channel; infra/embedded/cluster.ts receives it. */
export interface ReadyMessage {
  readonly kind: "ready";
  readonly name?: string;
  readonly url?: string;
  /** The URL of this process's metrics. */
  readonly metrics?: string | undefined;
}

export type ReadyInfo = Omit<ReadyMessage, "kind">;

/** Sends the ready message to the parent process, if there is one, and logs it. */
export function announceReady(info: ReadyInfo = {}, logger?: Logger): void {
  process.send?.({ kind: "ready", ...info } satisfies ReadyMessage);
  (logger ?? createLogger({ name: info.name ?? "process" })).info({ ...info }, "ready");
}

export function isReadyMessage(message: unknown): message is ReadyMessage {
  return (
    typeof message === "object" && message !== null && "kind" in message && message.kind === "ready"
  );
}
