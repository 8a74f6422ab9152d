// Bounds: the sizes that operators plan with. A changed size changes the memory of a gateway.

import { expect } from "chai";
import * as bounds from "../core/bounds.ts";
import { PENDING_CHARS_MAX } from "../core/frame-limit.ts";

const KIB = 1 << 10;
const MIB = 1 << 20;

describe("Bounds", () => {
  it("L9: a gateway holds at most these bytes of each kind, per holder and in total", () => {
    const sizes = {
      lane: [bounds.LANE_BYTES_MAX, bounds.LANES_BYTES_MAX],
      ring: [bounds.RING_BYTES_MAX, bounds.RINGS_BYTES_MAX],
      held: [bounds.REORDER_BYTES_MAX, bounds.REORDER_TOTAL_BYTES_MAX],
      socket: [bounds.SOCKET_HARD_BYTES, bounds.SOCKETS_BYTES_PER_USER_MAX],
      closing: [bounds.CLOSING_BYTES_MAX, bounds.MEMORY_BYTES_MAX],
    };
    expect(sizes).to.deep.equal({
      lane: [8 * MIB, 64 * MIB],
      ring: [1 * MIB, 64 * MIB],
      held: [1 * MIB, 32 * MIB],
      socket: [16 * MIB, 16 * MIB],
      closing: [16 * MIB, 256 * MIB],
    });
  });

  it("L7: one write or announcement is a small part of the bound", () => {
    const { SOCKET_HIGH_BYTES, SHED_FROM_BYTES, FLUSH_BYTES_MAX, SYNC_BYTES_MAX } = bounds;
    expect([SOCKET_HIGH_BYTES, SHED_FROM_BYTES]).to.deep.equal([256 * KIB, 64 * KIB]);
    expect([FLUSH_BYTES_MAX, SYNC_BYTES_MAX]).to.deep.equal([512 * KIB, 32 * KIB]);
    expect(PENDING_CHARS_MAX).to.equal(16 * KIB);
    expect(bounds.REFRESH_RATE).to.deep.equal({ perSecond: 0.2, burst: 5 });
  });
});
