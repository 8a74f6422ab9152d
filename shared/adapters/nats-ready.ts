// NATS readiness: an administrative question, asked again while JetStream has no leader to answer it.
//
// A cluster that just began elects a leader for itself and then one for each stream; one that lost a
// server does so again. Until then its API answers "temporarily unavailable", finds too few servers
// for the replicas that are wanted, or does not answer at all. Each of these passes by itself.

import { JetStreamApiError } from "@nats-io/jetstream";
import { errors } from "@nats-io/transport-node";
import { setTimeout as sleep } from "node:timers/promises";

const RETRY_MS = 150;

/**
 * 10008 no leader of JetStream, 10005 and 10074 not enough servers that could take a replica yet,
 * 10118 and 10013 the stream itself is without a leader or still being assigned.
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

/** The library wraps "no responders" and timeouts in errors of its own, so causes count too. */
function isPassing(error: unknown): boolean {
  if (error instanceof JetStreamApiError) return PASSING.has(error.code);
  if (error instanceof errors.TimeoutError || error instanceof errors.NoRespondersError)
    return true;
  return error instanceof Error && error.cause !== undefined && isPassing(error.cause);
}
