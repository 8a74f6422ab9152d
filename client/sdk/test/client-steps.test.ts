// The whole core by example: the exact effects of single inputs, against the model gateway.

import { expect } from "chai";
import type { RoomId } from "#shared/protocol/ids.ts";
import { RECONNECT } from "../core/bounds.ts";
import { Client } from "../core/client.ts";
import { tokenExpiry } from "../core/token-expiry.ts";
import { halfRandom } from "./half-random.ts";
import { GENERAL, World } from "./client-fixture.ts";

function hear(world: World, frame: object): readonly unknown[] {
  const { socket = 0 } = world.wire ?? {};
  return world.step({ kind: "text", socket, text: JSON.stringify(frame) });
}

describe("SDK client: steps", () => {
  it("K1: a token that could not be had is a fault, and another attempt follows", () => {
    const client = new Client({ canRefresh: true, random: halfRandom });
    client.step({ kind: "connect" }, 0);
    expect(client.retryAt, "it does not wait").to.equal(undefined);
    const [fault, state] = client.step({ kind: "token-failed", ask: 1 }, 0);
    expect(fault).to.have.property("kind", "fault");
    expect(state).to.deep.equal({ kind: "state", state: "waiting" });
    expect(client.retryAt).to.equal(RECONNECT.baseMs / 2);
  });

  it("F1: what this version has no name for is ignored, a broken line is a fault", () => {
    const world = new World().enter(GENERAL);
    expect(hear(world, { t: "pong", ref: 1 })).to.deep.equal([]);
    expect(hear(world, { t: "hologram" })).to.deep.equal([]);
    expect(hear(world, { t: 7 })).to.have.length(1);
  });

  it("S8: `reconnect`, `refreshed` and an expired token have no effect at once", () => {
    const world = new World().enter(GENERAL);
    expect(hear(world, { t: "refreshed", ref: 99, until: 5 })).to.deep.equal([]);
    const expired = { t: "error", name: "token_expired", message: "", retry: false, code: 401 };
    expect(hear(world, expired)).to.deep.equal([]);
    expect(hear(world, { t: "reconnect", afterMs: 50 })).to.deep.equal([]);
  });

  it("S6: what waits for a room that is left is refused with not_joined", () => {
    const world = new World();
    world.step({ kind: "join", room: GENERAL });
    const id = world.send(GENERAL, "too soon");
    world.step({ kind: "leave", room: GENERAL });
    const [result] = world.results.get(id) ?? [];
    expect(result).to.include({ kind: "refused", error: "not_joined" });
  });

  it("O12: a page of a room that was not joined waits, one that a lost connection owes is asked again", () => {
    const world = new World().enter(GENERAL);
    const unknown = { room: "never" as RoomId, range: { limit: 5 } };
    expect(world.step({ kind: "history", call: 1, ...unknown })).to.deep.equal([]);
    world.step({ kind: "history", call: 2, room: GENERAL, range: { limit: 5 } });
    world.cut();
    world.pass(RECONNECT.baseMs);
    expect(world.heard("history").map(({ room }) => room)).to.deep.equal([GENERAL]);
    expect(world.of("page").map(({ call }) => call)).to.deep.equal([2]);
  });

  it("K1: a socket that opens late or twice says nothing", () => {
    const client = new Client({ canRefresh: true, random: halfRandom });
    expect(client.step({ kind: "opened", socket: 1 }, 0)).to.deep.equal([]);
    const world = new World().enter(GENERAL);
    expect(world.step({ kind: "opened", socket: world.wire?.socket ?? 0 })).to.deep.equal([]);
  });

  it("refresh.1: the end of a token is read from base64url alone", () => {
    const payload = Buffer.from('{"exp":5}').toString("base64url");
    expect(tokenExpiry(`a.${payload}.b`)).to.equal(5_000);
    expect(tokenExpiry(`a.${payload}==.b`)).to.equal(5_000);
    expect(tokenExpiry(`a.${payload}!.b`)).to.equal(undefined);
    expect(tokenExpiry(`a.${payload.slice(0, 4)}=${payload.slice(4)}.b`)).to.equal(undefined);
  });
});
