// The cost of a join in socket writes, counted exactly.

import { expect } from "chai";
import { systemClock } from "#shared/adapters/clock-system.ts";
import type { RoomId } from "#shared/protocol/ids.ts";
import { until } from "#shared/testing/wait.ts";
import { openScriptedGateway } from "./scripted-gateway.ts";
import { silentSocket } from "./silent-socket.ts";

/** The writes that the peer sees. Writes between `hold` and `release` are one. */
function gatheringSocket() {
  const writes: string[] = [];
  let held: string[] | undefined;
  const write = (text: string): void => {
    if (held === undefined) writes.push(text);
    else held.push(text);
  };
  const socket = {
    ...silentSocket([]),
    writeText: write,
    writeFrame: (frame: Uint8Array) => write(Buffer.from(frame).toString("latin1")),
    hold: () => void (held = []),
    release: () => {
      writes.push((held ?? []).join("\n"));
      held = undefined;
    },
  };
  return { socket, writes, isHeld: () => held !== undefined };
}

describe("Cost of a join at the gateway", () => {
  it("O8: the join answer, the presence list, the tail and caught-up leave as one write", async () => {
    const { gateway, owner } = openScriptedGateway(systemClock);
    owner.preload("general" as RoomId, 20);
    const come = async (): Promise<string[]> => {
      const { socket, writes, isHeld } = gatheringSocket();
      const join = { t: "join", ref: 1, room: "general", tail: 20 };
      gateway
        .accept(socket)
        .onText(`${JSON.stringify({ t: "hello", token: "any" })}\n${JSON.stringify(join)}`);
      const isIn = (): boolean => writes.at(-1)?.includes(`"t":"caught-up"`) === true;
      await until(isIn, { withinMs: 10_000, what: "the member to be caught up" });
      expect(isHeld()).to.equal(false);
      return writes;
    };
    await come(); // The first member waits for the lines, which are fetched.
    const writes = await come();
    expect(writes).to.have.length(2);
    expect(writes[0]).to.contain(`"t":"welcome"`);
    const kinds = writes[1]?.match(/"t":"[a-z-]+"/g)?.map((kind) => kind.slice(5, -1));
    expect(kinds?.at(0)).to.equal("joined");
    expect(kinds?.filter((kind) => kind === "msg")).to.have.length(20);
    await gateway.drain();
    owner.stop();
  });
});
