// The heap of an idle member at the gateway.

import { expect } from "chai";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import { heapBytes } from "#shared/testing/heap.ts";
import { advance } from "./advance.ts";
import { openScriptedGateway } from "./scripted-gateway.ts";
import { silentSocket } from "./silent-socket.ts";

const MEMBERS_PER_ROOM = 10;
/** What the owner and the bus of this process hold for a member is counted, too. */
const BYTES_MAX = 3_300;

describe("Memory of an idle member at the gateway", () => {
  it("gateway/connection.4: it is less than 3,300 bytes, the socket not counted", async () => {
    const clock = new FakeClock();
    const { gateway, owner } = openScriptedGateway(clock, { limits: false });
    let caughtUp = 0;
    const socket = {
      ...silentSocket([]),
      writeText: (text: string) => void (caughtUp += text.includes(`"t":"caught-up"`) ? 1 : 0),
    };
    const come = async (from: number, count: number): Promise<void> => {
      for (let n = from; n < from + count; n++) {
        const hello = { t: "hello", token: `user-${n}` };
        const join = { t: "join", ref: 1, room: `room-${Math.floor(n / MEMBERS_PER_ROOM)}` };
        gateway.accept(socket).onText(`${JSON.stringify(hello)}\n${JSON.stringify(join)}`);
      }
      const isIn = (): boolean => caughtUp === from + count;
      for (let step = 0; step < 2_000 && !isIn(); step++) await advance(clock, 10, 5);
      expect(caughtUp).to.equal(from + count);
    };
    await come(0, 1_000); // Code is compiled, and tables grow in steps.
    const before = heapBytes();
    await come(1_000, 3_000);
    expect((heapBytes() - before) / 3_000).to.be.below(BYTES_MAX);
    owner.stop();
  });
});
