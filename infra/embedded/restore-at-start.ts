// Restore at start: checks for lost logs before an embedded cluster creates its streams.
//
//   restore-at-start.1. Logs that are missing, or that end below the archive, are never replaced
//        silently. The start fails with one line that names the remedy, and only RESTORE=… replaces
//        them.
//   restore-at-start.2. The number of partitions is that of the archive, otherwise that of NATS.
//        The given one counts only where neither has one: at the creation.

import type { NatsAccess } from "#shared/adapters/nats-connect.ts";
import { RestoreError } from "#shared/adapters/postgres-restore.ts";
import { restoreLogs } from "../../services/persistence/runtime/restore-logs.ts";

/** `logs-intact`: like --archive-intact of `parley restore logs`. */
export type RestoreMode = "no" | "logs" | "logs-intact";

export interface AtStartOptions {
  readonly nats: NatsAccess;
  readonly database: string;
  /** The number of a new cluster. */
  readonly partitions: number;
  readonly replicas: number;
  readonly logBytesMax: number;
  readonly restore: RestoreMode;
  readonly say: (line: string) => void;
}

/** Resolves with the number of partitions at the creation (restore-at-start.2). */
export async function checkLogs({ restore, say, ...where }: AtStartOptions): Promise<number> {
  const choice = { ...where, lost: "auto", discard: [] } as const;
  const { plans, partitions } = await restoreLogs({
    ...choice,
    isArchiveIntact: true,
    isConfirmed: false,
  });
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
  if (lost.length === 0) return partitions;
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
  return partitions;
}
