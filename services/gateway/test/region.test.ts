// A gateway whose region may not serve.

import { expect } from "chai";
import { openHttpFixture } from "./http-fixture.ts";
import { SocketFixture } from "./socket-fixture.ts";

describe("Gateway without the right to serve", () => {
  it("T3, gateway.3: closes its sockets with 1012, refuses new ones, and accepts again", async () => {
    await using fixture = await SocketFixture.open();
    const ada = await fixture.member("ada");
    fixture.gateway.suspend();
    fixture.gateway.suspend();
    expect((await ada.closed).code).to.equal(1_012);
    expect(ada.of("reconnect")).to.have.length(1);
    const refused = await fixture.dial().catch((error: Error) => error.message);
    expect(refused).to.equal("status 503");
    fixture.gateway.resume();
    const again = await fixture.member("ada");
    expect(again.isClosed).to.equal(false);
  });

  it("T3: /readyz names the region", async () => {
    await using fixture = await openHttpFixture({});
    Object.assign(fixture.roomApi.health, { draining: true, away: true });
    const answer = await fixture.ask("/readyz");
    expect(answer.status).to.equal(503);
    expect(JSON.stringify(await answer.json())).to.include("The region of this gateway");
  });
});
