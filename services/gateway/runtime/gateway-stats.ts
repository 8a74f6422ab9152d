// GatewayStats: the plain counters of a gateway. The shell adds, a scrape reads.
//
// Owns: numbers. Does not own: their names and words for Prometheus (adapters/gateway-metrics.ts).
//
//   gateway-stats.1. Nothing here is kept by room, user or connection.
//   gateway-stats.2. Outcomes, errors and close codes are there from the start (counts.2): alerts lean on their rates.
//   gateway-stats.3. A token is counted each time that it is looked at, at a hello and at a refresh: logins that all
//        fail are few beside the frames of those who are in, and would be lost among them.

import { Counts } from "#shared/kit/counts.ts";
import { Histogram, LATENCY_SECONDS, WORK_SECONDS } from "#shared/kit/histogram.ts";
import { CLOSE } from "#shared/protocol/close-codes.ts";
import { ERRORS } from "#shared/protocol/errors.ts";
import type { ErrorName } from "#shared/protocol/errors.ts";
import type { Millis } from "#shared/protocol/ids.ts";

const ERROR_NAMES = Object.keys(ERRORS) as ErrorName[];
const CLOSE_CODES = Object.values(CLOSE).map(({ code }) => String(code));

export class GatewayStats {
  /** How sends ended: `ok`, or the name of the error. */
  readonly sends = new Counts<"ok" | ErrorName>(["ok", ...ERROR_NAMES]);
  /** From a send's admission to its acknowledgement. */
  readonly sendSeconds = new Histogram(LATENCY_SECONDS);
  /** From a room's lines arriving here to their being written to the last live member. */
  readonly deliverySeconds = new Histogram(LATENCY_SECONDS);
  /** What one flush of one room cost. */
  readonly flushSeconds = new Histogram(WORK_SECONDS);
  /** Errors that clients were told, sends included. */
  readonly errors = new Counts<ErrorName>(ERROR_NAMES);
  readonly closes = new Counts(CLOSE_CODES);
  /**
   * Readers closed because they cannot be served: nothing of what they need can be had (1013), or they
   * are beyond the hard cap (4000). Not those that were never let in, which are closed with 1013, too.
   */
  readonly readersGivenUp = new Counts<"unserved" | "too_slow">(["unserved", "too_slow"]);
  readonly tokens = new Counts<"ok" | "refused">(["ok", "refused"]); // gateway-stats.3
  readonly reports = new Counts();
  /** Messages from the bus that did not decode, by what they should have been. */
  readonly refused = new Counts(["results", "beat", "out", "live"]);
  /** Why the frames of a connection had to wait: for its turn, for its rate, or for its client to read. */
  readonly intakeWaits = new Counts<"turn" | "rate" | "socket">(["turn", "rate", "socket"]);
  framesIn = 0;
  /** Lines that arrived, and lines × members that were written. */
  linesIn = 0;
  linesOut = 0;
  /** Chunks written to readers, and ranges that had to be fetched for want of a ring. */
  chunks = 0;
  fetches = 0;
  holes = 0;
  /** Live members that fell behind and became readers. */
  slowReaders = 0;
  resyncs = 0;
  suspects = 0;

  answered(outcome: "ok" | ErrorName, ms: Millis): void {
    this.sends.add(outcome);
    if (outcome === "ok") this.sendSeconds.observe(ms / 1_000);
  }
}
