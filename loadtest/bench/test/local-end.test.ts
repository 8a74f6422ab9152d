// LocalEnd: no two clients of the bench have the same address and port.

import { expect } from "chai";
import { CLIENTS_MAX, localEnd } from "../local-end.ts";

/** The largest process id of Linux. */
const PID_MAX = 2 ** 22;

describe("LocalEnd", () => {
  it("local-end.1: clients have different ends, and processes different addresses", () => {
    const ends = new Set<string>();
    for (const pid of [1, 255, 256, 64_999]) {
      for (let n = 0; n < CLIENTS_MAX; n += 33) {
        const { localAddress, localPort } = localEnd(pid, n);
        ends.add(`${localAddress}:${localPort}`);
      }
    }
    expect(ends.size).to.equal(4 * Math.ceil(CLIENTS_MAX / 33));
  });

  it("local-end.2: every address is one of the loopback network, and every port is below 32,768", () => {
    for (const pid of [0, 1, 64_999, 65_000, PID_MAX]) {
      for (const n of [0, 499, 500, CLIENTS_MAX - 1, CLIENTS_MAX]) {
        const { localAddress, localPort } = localEnd(pid, n);
        const [first, ...others] = localAddress.split(".").map(Number);
        expect(first).to.equal(127);
        for (const one of others) expect(one).to.be.within(0, 255);
        expect(others[0]).to.be.below(254);
        expect(localPort).to.be.within(20_000, 20_499);
      }
    }
  });
});
