// GatewayStats: the counters of a gateway. The runtime adds, a scrape reads.
//
// Owns: numbers. Does not own: their Prometheus names and help texts (adapters/gateway-metrics.ts).
//
//   gateway-stats.1. No counter is kept per room, user or connection.
//   gateway-stats.2. All outcomes, errors and close codes exist from the start (counts.2), because
//        alerts use their rates.
//   gateway-stats.3. Every check of a token counts, at a hello and at a refresh. Failed logins are
//        few beside the frames of connected clients, so the frame counters would hide them.

import { Counts } from "#shared/kit/counts.ts";
import { Histogram, LATENCY_SECONDS, WORK_SECONDS } from "#shared/kit/histogram.ts";
import { CLOSE } from "#shared/protocol/close-codes.ts";
import { ERRORS } from "#shared/protocol/errors.ts";
import type { ErrorName } from "#shared/protocol/errors.ts";
import type { Millis } from "#shared/protocol/ids.ts";

const ERROR_NAMES = Object.keys(ERRORS) as ErrorName[];
/** The code that a client sees when a connection ends without a close frame. */
export const ABNORMAL = "1006";
const CLOSE_CODES = [ABNORMAL, ...Object.values(CLOSE).map(({ code }) => String(code))];

export class GatewayStats {
  /** The outcome of sends: `ok` or the name of the error. */
  readonly sends = new Counts<"ok" | ErrorName>(["ok", ...ERROR_NAMES]);
  /** From the admission of a send to its ack, in seconds. */
  readonly sendSeconds = new Histogram(LATENCY_SECONDS);
  /** From the arrival of a room's lines to the write to the last live member, in seconds. */
  readonly deliverySeconds = new Histogram(LATENCY_SECONDS);
  /** The cost of one flush of one room, in seconds. */
  readonly flushSeconds = new Histogram(WORK_SECONDS);
  /** Errors sent to clients, including those of sends. */
  readonly errors = new Counts<ErrorName>(ERROR_NAMES);
  /** ABNORMAL: after an exception in the gateway. */
  readonly closes = new Counts(CLOSE_CODES);
  /**
   * Readers that were closed: their lines were not available for too long (1013), or they exceeded
   * the hard cap (4000). Connections that were refused at the start are closed with 1013 too and do
   * not count.
   */
  readonly readersClosed = new Counts<"unserved" | "too_slow">(["unserved", "too_slow"]);
  readonly tokens = new Counts<"ok" | "refused">(["ok", "refused"]); // gateway-stats.3
  readonly reports = new Counts();
  /** Messages from the bus that did not decode, by their expected kind. */
  readonly refused = new Counts(["results", "beat", "out", "live", "note"]);
  /**
   * Why frames of a connection waited: for the next iteration, for its rate, or for its client to
   * read.
   */
  readonly intakeWaits = new Counts<"turn" | "rate" | "socket">(["turn", "rate", "socket"]);
  framesIn = 0;
  /** Lines that arrived; lines × members that were written. */
  linesIn = 0;
  linesOut = 0;
  /** Chunks written to readers; ranges that the ring did not have. */
  chunks = 0;
  fetches = 0;
  holes = 0;
  /** Live members that became readers. */
  slowReaders = 0;
  resyncs = 0;
  suspects = 0;

  /** For the blame of a leak (kit/blame.ts). */
  get operations(): Readonly<Record<string, number>> {
    const { framesIn, linesIn, linesOut, chunks, fetches } = this;
    const tokens = this.tokens.get("ok") + this.tokens.get("refused");
    return {
      frame: framesIn,
      "line in": linesIn,
      "line out": linesOut,
      chunk: chunks,
      fetch: fetches,
      token: tokens,
    };
  }

  answered(outcome: "ok" | ErrorName, ms: Millis): void {
    this.sends.add(outcome);
    if (outcome === "ok") this.sendSeconds.observe(ms / 1_000);
  }
}
