// Intake: one connection that sends as fast as it can, and the delay of the others. It counts
// frames on the test's clock, so the result is the same on any machine.

import { expect } from "chai";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import { RATES } from "../core/admission.ts";
import {
  CONNECTION_SHARE,
  CONNECTION_COST_PER_ITERATION_MAX,
  FRAME_DEBT_MAX_MS,
  COST_PER_ITERATION_MAX,
} from "../core/frame-limit.ts";
import type { GatewayOptions } from "../runtime/gateway.ts";
import { advance } from "./advance.ts";
import { idNumber } from "./http-fixture.ts";
import { openScriptedGateway } from "./scripted-gateway.ts";
import { framesOf, SlowSocket } from "./slow-socket.ts";

const MANY = 20_000;

async function openGateway(options: Partial<GatewayOptions> = { limits: false }) {
  const clock = new FakeClock();
  const { gateway, owner, tokens } = openScriptedGateway(clock, options);
  /** The frames that the sockets received, in order. */
  const received: string[] = [];
  const connect = async (user: string): Promise<SlowSocket> => {
    const socket = new SlowSocket();
    const writeText = socket.writeText.bind(socket);
    socket.writeText = (text) => {
      for (const line of text.split("\n"))
        received.push(`${user} ${(JSON.parse(line) as { t: string }).t}`);
      writeText(text);
    };
    socket.handlers = gateway.accept(socket);
    socket.handlers.onText(`{"t":"hello","token":"${user}"}`);
    await advance(clock, 10, 5);
    received.length = 0;
    return socket;
  };
  return { clock, gateway, owner, tokens, received, connect };
}

const ping = (ref: number) => `{"t":"ping","ref":${ref}}`;
const refs = (socket: SlowSocket) => framesOf(socket, "pong").map(({ ref }) => ref);
const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);

describe("Intake: one connection among others", () => {
  it("S12: a flood of many frames delays another connection by two shares of an iteration", async () => {
    const { clock, received, connect } = await openGateway();
    const [mallory, bob] = [await connect("mallory"), await connect("bob")];
    for (const n of numbers(MANY)) mallory.handlers?.onText(ping(n));
    bob.handlers?.onText(ping(1));
    clock.advance(0);
    const before = received.slice(0, received.indexOf("bob pong"));
    // Answers leave at the end of an iteration, after a second share was handled.
    expect(before.length).to.be.at.most(2 * CONNECTION_COST_PER_ITERATION_MAX);
    expect(refs(mallory)).to.deep.equal(numbers(MANY));
  });

  it("S12: a flood of many lines in one frame does the same", async () => {
    const { clock, received, connect } = await openGateway();
    const [mallory, bob] = [await connect("mallory"), await connect("bob")];
    mallory.handlers?.onText(numbers(MANY).map(ping).join("\n"));
    bob.handlers?.onText(ping(1));
    clock.advance(0);
    expect(received.indexOf("bob pong")).to.be.within(0, 2 * CONNECTION_COST_PER_ITERATION_MAX);
    expect(refs(mallory)).to.deep.equal(numbers(MANY));
  });

  it("S12: many floods together delay another connection by one share each", async () => {
    const { clock, received, connect } = await openGateway();
    const attackers = [];
    for (const n of numbers(100)) attackers.push(await connect(`mallory-${n}`));
    const bob = await connect("bob");
    for (const { handlers } of attackers) for (const n of numbers(1_000)) handlers?.onText(ping(n));
    bob.handlers?.onText(ping(1));
    clock.advance(0);
    // The connections before bob get their share first, and no second one.
    expect(received.indexOf("bob pong")).to.be.within(
      0,
      100 * CONNECTION_COST_PER_ITERATION_MAX + COST_PER_ITERATION_MAX,
    );
    for (const socket of attackers) expect(refs(socket)).to.deep.equal(numbers(1_000));
  });

  it("S12: the cost of one iteration is bounded for all senders together", async () => {
    const { gateway, clock, connect } = await openGateway();
    const attackers = [];
    for (const n of numbers(100)) attackers.push(await connect(`mallory-${n}`));
    const before = gateway.stats.framesIn;
    for (const { handlers } of attackers) for (const n of numbers(100)) handlers?.onText(ping(n));
    expect(gateway.stats.framesIn - before).to.be.at.most(COST_PER_ITERATION_MAX);
    clock.advance(0);
    expect(gateway.stats.framesIn - before).to.equal(10_000);
  });
});

describe("Intake: rates", () => {
  it("S12: a connection beyond its rate is not read until its next frame is due", async () => {
    const { clock, connect } = await openGateway({ limits: true });
    const mallory = await connect("mallory");
    for (const n of numbers(MANY)) mallory.handlers?.onText(ping(n));
    await advance(clock, 10_000, 10);
    expect(mallory.isPaused).to.equal(true);
    const most = CONNECTION_SHARE * (RATES.frame.burst + RATES.frame.perSecond * 11);
    expect(refs(mallory).length).to.be.within(most / 2, most);
    expect(refs(mallory)).to.deep.equal(numbers(refs(mallory).length));
    expect(framesOf(mallory, "error")).to.deep.equal([]);
    const keepAlive = clock.every(1_000, () => mallory.handlers?.onActivity());
    await advance(clock, 300_000, 100);
    keepAlive.cancel();
    expect(refs(mallory)).to.deep.equal(numbers(MANY));
    expect(mallory.isPaused).to.equal(false);
  });

  it("S12: the connections of a user share the user's rate", async () => {
    const { clock, connect, gateway } = await openGateway({ limits: true });
    const sockets = [];
    for (const _ of numbers(20)) sockets.push(await connect("mallory"));
    const before = gateway.stats.framesIn;
    for (const { handlers } of sockets) for (const n of numbers(5_000)) handlers?.onText(ping(n));
    await advance(clock, 10_000, 10);
    const most = RATES.frame.burst + RATES.frame.perSecond * 11;
    expect(gateway.stats.framesIn - before).to.be.within(most / 2, most);
  });

  it("S12: only a few tokens are checked, and the rest gets rate_limited", async () => {
    const { clock, tokens, connect } = await openGateway({ limits: true });
    const mallory = await connect("mallory");
    const before = tokens.length;
    for (const n of numbers(MANY)) {
      mallory.handlers?.onText(`{"t":"refresh","ref":${n},"token":"mallory"}`);
    }
    await advance(clock, 10_000, 10);
    expect(tokens.length - before).to.be.within(1, 10);
    const [limited] = framesOf(mallory, "error");
    expect(limited).to.include({ name: "rate_limited", ref: 5 });
    expect(limited?.["afterMs"]).to.be.greaterThan(0);
  });

  it("S12: control frames cost as much as others", async () => {
    const { clock, connect } = await openGateway({ limits: true });
    const mallory = await connect("mallory");
    let answered = 0;
    for (let n = 0; n < MANY; n++) if (mallory.handlers?.onPing() === true) answered++;
    await advance(clock, 1_000, 10);
    expect(answered).to.be.within(1, CONNECTION_SHARE * RATES.frame.burst);
    expect(mallory.isPaused).to.equal(true);
    await advance(clock, FRAME_DEBT_MAX_MS, 10);
    expect(mallory.isPaused).to.equal(false);
  });

  it("S12: the burst of a normal client does not wait", async () => {
    const { clock, owner, connect } = await openGateway({ limits: true });
    const ada = await connect("ada");
    for (const n of numbers(256)) {
      ada.handlers?.onText(`{"t":"join","ref":${n},"room":"room-${n}","tail":0}`);
    }
    await advance(clock, 100, 5);
    expect(framesOf(ada, "joined").length + framesOf(ada, "error").length).to.equal(256);
    expect(ada.isPaused).to.equal(false);
    expect(owner.model.taken.length).to.be.at.least(256);
  });
});

describe("Intake: floods of refused frames", () => {
  const room = "room-1";
  const forged = (n: number) => `{"t":"refresh","ref":${n},"token":"forged-${n}"}`;
  const floods: readonly {
    readonly what: string;
    readonly isJoined: boolean;
    readonly frame: (n: number) => string;
    /** The errors that the frames get. */
    readonly errors: readonly string[];
  }[] = [
    {
      what: "`leave` for a room that is not joined",
      isJoined: false,
      frame: (n) => `{"t":"leave","ref":${n},"room":"${room}"}`,
      errors: ["not_joined"],
    },
    {
      what: "sends above the rate",
      isJoined: true,
      frame: (n) => JSON.stringify({ t: "send", room, id: idNumber(n), body: {} }),
      // One send of the room gets `rate_limited`, and the others wait behind it (O4).
      errors: ["busy", "rate_limited"],
    },
    {
      what: "`refresh` with a bad signature",
      isJoined: false,
      frame: forged,
      errors: ["rate_limited", "unauthorized"],
    },
  ];
  const join = async (clock: FakeClock, socket: SlowSocket): Promise<void> => {
    socket.handlers?.onText(`{"t":"join","ref":1,"room":"${room}","tail":0}`);
    await advance(clock, 100, 5);
    expect(framesOf(socket, "joined")).to.have.length(1);
  };

  for (const { what, isJoined, frame, errors } of floods) {
    it(`S12: a flood of ${what} delays another connection by two shares of an iteration`, async () => {
      const { clock, received, connect } = await openGateway({ limits: true });
      const [mallory, bob] = [await connect("mallory"), await connect("bob")];
      if (isJoined) await join(clock, mallory);
      received.length = 0;
      // All but two (hello, join) frames of the burst: the rate makes none of them wait.
      const count = CONNECTION_SHARE * RATES.frame.burst - 2;
      for (const n of numbers(count)) mallory.handlers?.onText(frame(n));
      bob.handlers?.onText(ping(1));
      clock.advance(0);
      expect(received.indexOf("bob pong")).to.be.within(0, 2 * CONNECTION_COST_PER_ITERATION_MAX);
      await advance(clock, 100, 5);
      expect(received.filter((line) => line.startsWith("mallory"))).to.have.length(count);
    });

    it(`S12: a flood of ${what} is read at the rate of frames only`, async () => {
      const { clock, gateway, connect } = await openGateway({ limits: true });
      const mallory = await connect("mallory");
      if (isJoined) await join(clock, mallory);
      const before = gateway.stats.framesIn;
      for (const n of numbers(MANY)) mallory.handlers?.onText(frame(n));
      await advance(clock, 10_000, 10);
      const most = CONNECTION_SHARE * (RATES.frame.burst + RATES.frame.perSecond * 11);
      expect(gateway.stats.framesIn - before).to.be.within(most / 2, most);
      expect(mallory.isPaused).to.equal(true);
      const names = new Set(framesOf(mallory, "error").map(({ name }) => name));
      expect([...names]).to.have.members(errors);
    });
  }

  it("S12: the bad signatures of all connections of a user share one rate", async () => {
    const { clock, tokens, connect } = await openGateway({ limits: true });
    const sockets = [];
    for (const _ of numbers(20)) sockets.push(await connect("mallory"));
    const before = tokens.length;
    for (const { handlers } of sockets) for (const n of numbers(500)) handlers?.onText(forged(n));
    await advance(clock, 10_000, 10);
    const { burst, perSecond } = RATES.refresh;
    expect(tokens.length - before).to.be.within(burst, burst + perSecond * 11);
  });
});

describe("Intake: a client that does not read", () => {
  it("S12: it is not read while its answers wait, and continues when it reads", async () => {
    const { clock, connect } = await openGateway();
    const mallory = await connect("mallory");
    mallory.isReading = false;
    for (const n of numbers(MANY)) mallory.handlers?.onText(ping(n));
    await advance(clock, 100, 5);
    expect(mallory.mostBuffered).to.be.lessThan(300 * 1024);
    expect(mallory.isPaused).to.equal(true);
    mallory.isReading = true;
    mallory.drain();
    await advance(clock, 1_000, 5);
    expect(refs(mallory)).to.deep.equal(numbers(MANY));
    expect(mallory.isPaused).to.equal(false);
  });
});
