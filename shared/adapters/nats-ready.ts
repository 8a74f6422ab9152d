// NATS readiness: repeats an administrative request while JetStream has no leader that can answer
// it.
//
// A new cluster elects a leader for itself and then one for each stream. A cluster that lost a
// server does so again. Until then its API answers "temporarily unavailable", finds too few servers
// for the requested replicas, or does not answer. Each of these states ends without intervention.

import { JetStreamApiError } from "@nats-io/jetstream";
import { errors } from "@nats-io/transport-node";
import { setTimeout as sleep } from "node:timers/promises";

const RETRY_MS = 150;

/**
 * 10008: JetStream has no leader. 10005 and 10074: not enough servers for a replica yet. 10118 and
 * 10013: the stream itself has no leader or is being assigned.
 */
const PASSING: ReadonlySet<number> = new Set([10005, 10008, 10013, 10074, 10118]);

/** Rejects with the last answer when the time is over, and at once with any other error. */
export async function whenReady<T>(action: () => Promise<T>, withinMs: number): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    try {
      return await action();
    } catch (error: unknown) {
      if (!isPassing(error) || performance.now() > deadline) throw error;
      await sleep(RETRY_MS);
    }
  }
}

/**
 * The library wraps "no responders" and timeouts in errors of its own, so their causes count too.
 */
function isPassing(error: unknown): boolean {
  if (error instanceof JetStreamApiError) return PASSING.has(error.code);
  if (error instanceof errors.TimeoutError || error instanceof errors.NoRespondersError)
    return true;
  return error instanceof Error && error.cause !== undefined && isPassing(error.cause);
}
