// SameMessage through the real gateway: lanes, pages and feeds, with a scripted owner.

import { expect } from "chai";
import type { UserId } from "#shared/protocol/ids.ts";
import { compareStored } from "../adapters/same-message.ts";
import type { ClientSend } from "../adapters/same-message.ts";
import { idNumber } from "./http-fixture.ts";
import { GENERAL, SocketFixture } from "./socket-fixture.ts";

describe("SameMessage", () => {
  it("H8: a repeat is recognised, and the stored message is found with and without a feed here", async () => {
    await using fixture = await SocketFixture.open();
    const { roomApi } = fixture.gateway;
    const frame = { t: "send", room: GENERAL, id: idNumber(1), body: { n: -0 } } as const;
    const write = (more: object = {}): ClientSend => ({
      user: "ada" as UserId,
      frame: { ...frame, ...more },
    });
    const first = await roomApi.write(write());
    expect(first).to.include({ kind: "sent", seq: 1 }).and.not.have.property("repeat");
    const check = async (): Promise<void> => {
      expect(await roomApi.write(write({ body: { n: 1 } }))).to.deep.equal({
        ...first,
        repeat: true,
      });
      expect(await compareStored(roomApi, write(), 1)).to.equal("same");
      expect(await compareStored(roomApi, write({ body: { n: 1 } }), 1)).to.equal("another");
      expect(await compareStored(roomApi, write({ replyTo: 1 }), 1)).to.equal("another");
    };
    await check();
    await fixture.member("bob");
    await check();
    fixture.owner.commit(GENERAL, "more");
    await check();
  });
});
