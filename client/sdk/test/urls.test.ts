// The addresses of a client: a list, of which one is tried after the other.

import { expect } from "chai";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import { ANSWER_SILENCE_MS } from "../core/bounds.ts";
import { Parley } from "../parley.ts";
import { halfRandom } from "./half-random.ts";

const EAST = "ws://east.example/v1/ws";
const WEST = "ws://west.example/v1/ws";

const LIMITS = { frameBytes: 65_536, bodyBytes: 16_384, unansweredSends: 64, rooms: 256 };

type Handler = (event: { readonly data?: string; readonly code?: number }) => void;

class FakeSocket {
  static opened: FakeSocket[] = [];
  readonly url: string;
  readonly readyState = 1;
  readonly #handlers = new Map<string, Handler>();

  constructor(url: string) {
    this.url = url;
    FakeSocket.opened.push(this);
  }

  addEventListener(name: string, handler: Handler): void {
    this.#handlers.set(name, handler);
  }

  emit(name: string, event: Parameters<Handler>[0] = {}): void {
    this.#handlers.get(name)?.(event);
  }

  send(): void {}
  close(): void {}

  /** The connection comes online. */
  welcome(): void {
    this.emit("open");
    const frame = {
      t: "welcome",
      session: "s1",
      user: "ada",
      at: 1,
      pingMs: 15_000,
      limits: LIMITS,
    };
    this.emit("message", { data: JSON.stringify(frame) });
  }
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("SDK addresses", () => {
  it("K1, parley.3: a failed attempt is followed by the next address, and a served one is kept", async () => {
    const clock = new FakeClock();
    const parley = new Parley({
      url: [EAST, WEST],
      token: "ada",
      webSocket: FakeSocket as unknown as typeof WebSocket,
      clock,
      random: halfRandom,
    });
    const { opened } = FakeSocket;
    const next = async (count: number): Promise<FakeSocket> => {
      for (let n = 0; n < 100 && opened.length < count; n++) {
        clock.advance(1_000);
        await settle();
      }
      const socket = opened[count - 1];
      if (socket === undefined) throw new Error(`there is no attempt ${count}`);
      return socket;
    };
    parley.connect();
    (await next(1)).welcome();
    expect(parley.state).to.equal("online");
    opened[0]?.emit("close", { code: 1_012 });
    (await next(2)).emit("close", { code: 1_006 });
    (await next(3)).welcome();
    opened[2]?.emit("close", { code: 1_006 });
    (await next(4)).emit("close", { code: 1_006 });
    await next(5);
    parley.close();
    expect(opened.map(({ url }) => url)).to.deep.equal([EAST, EAST, WEST, WEST, EAST]);
  });

  it("K1, parley.3: after a silent connection the next address comes first, in time for the loss of a region", async () => {
    const clock = new FakeClock();
    const opened = (FakeSocket.opened = []) as FakeSocket[];
    const parley = new Parley({
      url: [EAST, WEST],
      token: "ada",
      webSocket: FakeSocket as unknown as typeof WebSocket,
      clock,
      random: halfRandom,
    });
    parley.connect();
    await settle();
    opened[0]?.welcome();
    const room = parley.join("general");
    const position = { born: "b", head: 0, from: 1, here: 1 };
    const frame = { t: "joined", ref: 1, room: "general", ...position };
    opened[0]?.emit("message", { data: JSON.stringify(frame) });
    room.send({ text: "no answer" }); // The region is cut off.
    const cutAt = clock.monotonic();
    for (let n = 0; n < 400 && opened.length < 2; n++) {
      clock.advance(100);
      await settle();
    }
    expect(opened.map(({ url }) => url)).to.deep.equal([EAST, WEST]);
    expect(clock.monotonic() - cutAt).to.be.within(ANSWER_SILENCE_MS, ANSWER_SILENCE_MS + 1_000);
    opened[1]?.welcome();
    opened[1]?.emit("close", { code: 1_006 });
    for (let n = 0; n < 100 && opened.length < 3; n++) {
      clock.advance(100);
      await settle();
    }
    parley.close();
    expect(opened.at(-1)?.url, "a close is no silence").to.equal(WEST);
  });

  it("refuses a list without an address, and an address that is no WebSocket", () => {
    for (const url of [[], [EAST, "http://west.example"]]) {
      expect(() => new Parley({ url, token: "ada" })).to.throw(TypeError);
    }
  });
});
