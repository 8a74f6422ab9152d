// Refusals: reports refused messages at a bounded rate.
//
//   refusals.1. The first refusal is reported at once. Refusals within REPORT_EVERY_MS after a
//        report are counted, and the next report carries their number. So a hostile sender cannot
//        fill the disk with log lines.

import type { Clock } from "../ports/clock.ts";
import type { Millis } from "../protocol/ids.ts";

export const REPORT_EVERY_MS = 1_000;

export class Refusals {
  readonly #report: (event: string, detail: Readonly<Record<string, unknown>>) => void;
  readonly #clock: Pick<Clock, "monotonic">;
  #nextAt: Millis = -Infinity;
  #unreported = 0;

  constructor(
    report: (event: string, detail: Readonly<Record<string, unknown>>) => void,
    clock: Pick<Clock, "monotonic">,
  ) {
    this.#report = report;
    this.#clock = clock;
  }

  /** `what`: the message that was expected. `detail` holds nothing that the sender wrote. */
  add(what: string, detail: Readonly<Record<string, unknown>>): void {
    const now = this.#clock.monotonic();
    if (now < this.#nextAt) {
      this.#unreported++;
      return;
    }
    this.#nextAt = now + REPORT_EVERY_MS;
    this.#report("message refused", { what, ...detail, unreported: this.#unreported });
    this.#unreported = 0;
  }
}
