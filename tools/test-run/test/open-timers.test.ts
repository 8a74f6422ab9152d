// OpenTimers: names the place of a timer that keeps the process alive, and no other.

import { fileURLToPath } from "node:url";
import { setImmediate } from "node:timers/promises";
import { expect } from "chai";
import { openTimers, recordTimers } from "../open-timers.ts";

describe("Open timers", () => {
  it("open-timers.1: lists the place of a timer that keeps the process alive, until it ends", async () => {
    recordTimers();
    const here = fileURLToPath(import.meta.url);
    const listed = (): boolean => openTimers().some((place) => place.includes(here));
    const timer = setTimeout(() => undefined, 3_600_000);
    expect(listed()).to.equal(true);
    timer.unref();
    expect(listed()).to.equal(false);
    timer.ref();
    clearTimeout(timer);
    await setImmediate(); // Node reports the end of a timer behind the current callback.
    expect(listed()).to.equal(false);
  });
});
