// Calls that wait, and their cancellation.

import { expect } from "chai";
import { ConnectionClosed, ParleyError } from "../errors.ts";
import { Parley } from "../parley.ts";
import { FakeGateway } from "./fake-gateway.ts";

function client(gateway: FakeGateway): Parley {
  const { webSocket } = gateway;
  return new Parley({ url: "ws://gateway.example/v1/ws", token: "ada", webSocket });
}

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe("Waiting", () => {
  it("online and live resolve with the state, also when it is there already", async () => {
    const parley = client(new FakeGateway());
    const room = parley.join("general");
    const waits = [parley.online(), room.live()];
    parley.connect();
    await Promise.all(waits);
    await Promise.all([parley.online(), room.live()]);
    parley.close();
  });

  it("online rejects for a closed client, and live for a room that is left", async () => {
    const parley = client(new FakeGateway());
    const room = parley.join("general");
    const [online, live] = [failure(parley.online()), failure(room.live())];
    room.leave();
    parley.connect();
    await parley.online();
    parley.close();
    expect(await online).to.equal(undefined);
    expect(await live)
      .to.be.instanceOf(ParleyError)
      .and.to.include({ code: "not_joined" });
    expect(await failure(parley.online())).to.be.instanceOf(ConnectionClosed);
  });

  it("an abort rejects with its reason, and a page that arrives later is ignored", async () => {
    const gateway = new FakeGateway();
    gateway.isAnswering = false;
    const parley = client(gateway);
    const room = parley.join("general");
    const stop = new AbortController();
    const { signal } = stop;
    const waits = [
      failure(parley.online({ signal })),
      failure(room.live({ signal })),
      failure(room.history({ limit: 1 }, { signal })),
      failure(room.messages({ limit: 1 }, { signal })),
    ];
    const reason = new Error("the user went away");
    stop.abort(reason);
    expect(await Promise.all(waits)).to.deep.equal([reason, reason, reason, reason]);
    expect(await failure(room.history({ limit: 1 }, { signal }))).to.equal(reason);
    gateway.isAnswering = true;
    parley.connect();
    await room.live();
    expect(gateway.received.map(({ t }) => t)).to.not.include("history");
    expect((await room.history({ limit: 1 })).more).to.equal(false);
    parley.close();
  });
});
