// Readers that a gateway closes: the counter of the alert on incomplete resumes.

import { expect } from "chai";
import type { RoomId } from "#shared/protocol/ids.ts";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import { CONNECTIONS_PER_ADDRESS_MAX, READER_TIMEOUT_MS } from "../core/bounds.ts";
import type { SocketHandlers } from "../runtime/client-socket.ts";
import { advance } from "./advance.ts";
import { openScriptedGateway } from "./scripted-gateway.ts";
import { silentSocket } from "./silent-socket.ts";

function openGateway() {
  const clock = new FakeClock();
  const { gateway, owner, archive } = openScriptedGateway(clock);
  const closes: number[] = [];
  const socket = silentSocket(closes);
  const accept = (): SocketHandlers => gateway.accept(socket);
  return { clock, gateway, owner, archive, closes, accept };
}

describe("Closed readers", () => {
  it("E8: a reader that receives none of its lines is closed with 1013 and counted", async () => {
    const { clock, gateway, owner, archive, closes, accept } = openGateway();
    owner.preload("general" as RoomId, 100);
    owner.model.tailFrom = 90;
    archive.isDown = true;
    const connection = accept();
    connection.onText(JSON.stringify({ t: "hello", token: "any" }));
    await advance(clock, 10, 5);
    connection.onText(JSON.stringify({ t: "join", ref: 1, room: "general", after: 3 }));
    const keepAlive = clock.every(1_000, () => connection.onActivity());
    await advance(clock, READER_TIMEOUT_MS - 2_000, 500);
    expect([...gateway.stats.readersClosed]).to.deep.equal([
      ["unserved", 0],
      ["too_slow", 0],
    ]);
    await advance(clock, 5_000, 500);
    keepAlive.cancel();
    expect(closes).to.deep.equal([1013]);
    expect([...gateway.stats.readersClosed][0]).to.deep.equal(["unserved", 1]);
  });

  it("E8: connections above a cap are closed with 1013 too and do not count as readers", () => {
    const { gateway, closes, accept } = openGateway();
    for (let n = 0; n < CONNECTIONS_PER_ADDRESS_MAX; n++) accept();
    expect(closes).to.deep.equal([]);
    accept();
    expect(closes).to.deep.equal([1013]);
    expect([...gateway.stats.closes]).to.deep.include(["1013", 1]);
    expect([...gateway.stats.readersClosed].map(([, count]) => count)).to.deep.equal([0, 0]);
  });
});
