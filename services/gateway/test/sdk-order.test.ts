// Send order with the real SDK on a real socket, beyond the rate of one user.

import { expect } from "chai";
import { WebSocket } from "ws";
import { until } from "#shared/testing/wait.ts";
import { Parley } from "#client/sdk/parley.ts";
import { GENERAL, SocketFixture } from "./socket-fixture.ts";

const SENDS = 150;
/** 60 pass at once, and then 20 a second. */
const WITHIN_MS = 100_000;

describe("The SDK beyond its user's rate", function () {
  this.timeout(120_000);

  it("O4: 150 sends made at once are stored in the order in which they were made", async () => {
    await using fixture = await SocketFixture.open({ limits: true });
    const client = new Parley({
      url: `ws://127.0.0.1:${fixture.port}/v1/ws`,
      webSocket: WebSocket as unknown as typeof globalThis.WebSocket,
      token: "ada",
    });
    using _closing = { [Symbol.dispose]: () => client.close() };
    const room = client.join(GENERAL, { after: 0 });
    client.connect();
    await until(() => room.status === "live", { withinMs: WITHIN_MS, what: "the room" });
    const sends = Array.from({ length: SENDS }, (_, n) => room.send({ text: `${n}` }));
    const results = await Promise.all(sends.map(({ done }) => done));
    const seqs = results.map((result) => (result.kind === "acked" ? result.seq : result.error));
    expect(seqs).to.deep.equal(Array.from({ length: SENDS }, (_, n) => n + 1));
    expect(fixture.gateway.stats.errors.get("rate_limited"), "the rate was exceeded").to.be.above(
      0,
    );
  });
});
