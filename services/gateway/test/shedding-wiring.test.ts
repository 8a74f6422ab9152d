// Shedding in a whole gateway: how the delay is measured, and the answers on the wire.

import { expect } from "chai";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import { Admission } from "../core/admission.ts";
import { CONNECTION_COST_PER_ITERATION_MAX, FrameLimit } from "../core/frame-limit.ts";
import { RISE_MS, SHED_FROM_MS, WORKS } from "../core/shedding.ts";
import type { Work } from "../core/shedding.ts";
import { GatewayStats } from "../runtime/gateway-stats.ts";
import { Inlet, Intake } from "../runtime/intake.ts";
import { advance } from "./advance.ts";
import { openHttpFixture } from "./http-fixture.ts";
import { rawAnswer } from "./raw-http.ts";
import { openScriptedGateway } from "./scripted-gateway.ts";
import { framesOf, SlowSocket } from "./slow-socket.ts";

const HOUSEKEEPING_MS = 250;

/** Its time passes without a timer in between, as while the event loop is busy. */
class BusyClock extends FakeClock {
  busyMs = 0;

  override monotonic(): number {
    return super.monotonic() + this.busyMs;
  }

  /** Each iteration of the event loop takes `iterationMs` for a while. */
  run(iterationMs: number, forMs: number): void {
    for (let ms = 0; ms <= forMs; ms += iterationMs + HOUSEKEEPING_MS) {
      this.busyMs += iterationMs;
      this.advance(HOUSEKEEPING_MS);
    }
  }
}

async function openGateway(limits = true) {
  const clock = new BusyClock();
  const { gateway } = openScriptedGateway(clock, { limits });
  const socket = new SlowSocket();
  socket.handlers = gateway.accept(socket);
  socket.handlers.onText('{"t":"hello","token":"ada"}');
  await advance(clock, 10, 5);
  const send = (frame: object): void => socket.handlers?.onText(JSON.stringify(frame));
  const errors = async (): Promise<unknown[]> => {
    await advance(clock, 10, 5);
    return framesOf(socket, "error").map(({ name, ref }) => [name, ref]);
  };
  return { clock, gateway, send, errors };
}

describe("Shedding: the delay", () => {
  it("L12: a gateway whose iterations are long refuses joins until they are short again", async () => {
    const { clock, gateway, send, errors } = await openGateway();
    send({ t: "join", ref: 1, room: "a" });
    clock.run(SHED_FROM_MS.read, 2 * RISE_MS);
    expect(gateway.shedding.delayMs).to.be.at.least(SHED_FROM_MS.read);
    send({ t: "join", ref: 2, room: "b" });
    send({ t: "join", ref: 3, room: "c", after: 4 });
    expect(await errors()).to.deep.equal([["busy", 2]]);
    clock.run(0, 10 * RISE_MS);
    expect(gateway.shedding.delayMs).to.equal(0);
    send({ t: "join", ref: 4, room: "d" });
    expect(await errors()).to.deep.equal([["busy", 2]]);
  });

  it("L12: one stall of the process refuses nothing, and LIMITS=off never does", async () => {
    const stalled = await openGateway();
    stalled.clock.run(60_000, 0);
    stalled.clock.run(0, RISE_MS);
    expect(WORKS.filter((work) => stalled.gateway.shedding.isShed(work))).to.deep.equal([]);
    const unlimited = await openGateway(false);
    unlimited.clock.run(5_000, 60_000);
    unlimited.send({ t: "join", ref: 1, room: "a" });
    expect(await unlimited.errors()).to.deep.equal([]);
  });

  it("L12: the age of frames that wait for their turn counts, and the wait for a client does not", () => {
    const clock = new BusyClock();
    const intake = new Intake(clock, new GatewayStats());
    const owner = { peer: undefined, isFull: false, take: () => undefined };
    const inlet = new Inlet(intake, {
      limit: new FrameLimit(new Admission(false)),
      socket: { pause: () => undefined, resume: () => undefined },
      owner,
    });
    const flood = (): void => {
      for (let ref = 0; ref < 2 * CONNECTION_COST_PER_ITERATION_MAX; ref++) inlet.onText("{}");
      clock.busyMs += 3_000;
    };
    flood();
    expect(intake.waitedMs(clock.monotonic())).to.equal(3_000);
    clock.advance(0);
    expect(intake.waitedMs(clock.monotonic())).to.equal(0);
    owner.isFull = true;
    flood();
    expect(intake.waitedMs(clock.monotonic())).to.equal(0);
  });
});

describe("Shedding: HTTP", () => {
  const only = (works: readonly Work[]) => ({
    refuse: (work: Work) => (works.includes(work) ? 1_500 : undefined),
  });
  const handshake = [
    "GET /v1/ws HTTP/1.1",
    "host: x",
    "connection: close, upgrade",
    "upgrade: websocket",
    "sec-websocket-version: 13",
    "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
    "sec-websocket-protocol: parley.v1",
    "",
    "",
  ].join("\r\n");

  it("L12: a new connection gets 503 with Retry-After before the handshake", async () => {
    await using http = await openHttpFixture({ shedding: only(["connection"]) });
    const answer = await rawAnswer(http.url, handshake);
    expect(answer.status).to.equal(503);
    expect(answer.headers["retry-after"]).to.equal("2");
    expect(JSON.parse(answer.body)).to.include({ name: "busy", afterMs: 1_500, retry: true });
    expect(http.upgraded).to.deep.equal([]);
    expect((await http.ask("/v1/rooms/general/messages?limit=1")).status).to.equal(200);
  });

  it("L12: reads get 503 with Retry-After before the token is checked", async () => {
    await using http = await openHttpFixture({ shedding: only(["connection", "read"]) });
    const read = await http.ask("/v1/rooms/general/messages", { headers: { authorization: "x" } });
    expect([read.status, read.headers.get("retry-after")]).to.deep.equal([503, "2"]);
    expect(await read.json()).to.include({ name: "busy", afterMs: 1_500 });
    expect((await http.ask("/healthz")).status).to.equal(200);
  });

  it("L12: a send over HTTP is not refused", async () => {
    await using http = await openHttpFixture({ shedding: only(WORKS) });
    expect((await http.post("/v1/rooms/general/messages", { body: {} })).status).to.equal(201);
  });
});
