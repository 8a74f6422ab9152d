// Restore at start: checks for lost logs before an embedded cluster creates its streams.
//
//   restore-at-start.1. Logs that are missing, or that end below the archive, are never replaced
//        silently. The start fails with one line that names the remedy, and only RESTORE=… replaces
//        them.

import type { NatsAccess } from "#shared/adapters/nats-connect.ts";
import { RestoreError } from "#shared/adapters/postgres-restore.ts";
import { restoreLogs } from "../../services/persistence/runtime/restore-logs.ts";

/** `logs-intact`: like --archive-intact of `parley restore logs`. */
export type RestoreMode = "no" | "logs" | "logs-intact";

export interface AtStartOptions {
  readonly nats: NatsAccess;
  readonly database: string;
  readonly partitions: number;
  readonly replicas: number;
  readonly logBytesMax: number;
  readonly restore: RestoreMode;
  readonly say: (line: string) => void;
}

export async function checkLogs({ restore, say, ...where }: AtStartOptions): Promise<void> {
  const choice = { ...where, lost: "auto", discard: [] } as const;
  const { plans } = await restoreLogs({ ...choice, isArchiveIntact: true, isConfirmed: false });
  const refused = plans.find((plan) => plan.kind === "refused");
  if (refused !== undefined) {
    throw new RestoreError(
      `NATS and PostgreSQL do not match for partition ${refused.p}: ${refused.why}; ` +
        `read "Restore" in docs/operating/restore.md before anything else`,
    );
  }
  const lost = plans.filter(
    (plan) => plan.kind === "restore" && (plan.firstSeq > 1 || plan.lostRange !== undefined),
  );
  if (lost.length === 0) return;
  if (restore === "no") {
    throw new RestoreError(
      `NATS has lost the logs of ${lost.length} partitions, and PostgreSQL has their archive: ` +
        `read "Restore" in docs/operating/restore.md, then RESTORE=logs make start`,
    );
  }
  const isArchiveIntact = restore === "logs-intact";
  const { recreated } = await restoreLogs({ ...choice, isArchiveIntact, isConfirmed: true });
  const rooms = [...recreated.values()].reduce((sum, count) => sum + count, 0);
  say(`created the logs of ${lost.length} partitions again; recreated rooms: ${rooms}`);
}
