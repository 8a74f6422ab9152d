import { createSocket } from "node:dgram";
import type { Socket } from "node:dgram";
import { once } from "node:events";
import { expect } from "chai";
import { freePort } from "#shared/testing/ports.ts";
import { until } from "#shared/testing/wait.ts";
import { Relay } from "../relay.ts";

const RELAY = "127.0.5.1";
const ENDS = ["127.0.5.2", "127.0.5.3"] as const;
const ID = 7;
const DELAY_MS = 40;
const HELD_MAX = 25;
/** All packets of a test are sent within it. */
const LONG_DELAY_MS = 1_000;

/** A datagram as a VXLAN device sends it. */
function packet(text: string, id = ID): Buffer {
  const header = Buffer.alloc(8);
  header.writeUIntBE(id, 4, 3);
  return Buffer.concat([header, Buffer.from(text)]);
}

class Cabled implements AsyncDisposable {
  readonly relay: Relay;
  readonly received: { readonly text: string; readonly at: number }[] = [];
  readonly #port: number;
  readonly #ends: Socket[] = [];

  static async open(delayMs: number): Promise<Cabled> {
    const cabled = new Cabled(delayMs, await freePort());
    await cabled.relay.listen(RELAY);
    for (const host of ENDS) {
      const end = createSocket("udp4");
      end.bind(cabled.#port, host);
      await once(end, "listening");
      end.on("message", (data) => {
        cabled.received.push({ text: data.subarray(8).toString(), at: performance.now() });
      });
      cabled.#ends.push(end);
    }
    return cabled;
  }

  private constructor(delayMs: number, port: number) {
    this.#port = port;
    this.relay = new Relay([{ id: ID, ends: ENDS, delayMs }], port, HELD_MAX);
  }

  send(from: 0 | 1, data: Buffer): Promise<void> {
    return new Promise((resolve) => {
      this.#ends[from]?.send(data, this.#port, RELAY, () => resolve());
    });
  }

  async has(count: number): Promise<void> {
    const what = `${count} packets`;
    await until(() => this.received.length >= count, { withinMs: 10_000, what });
  }

  get texts(): readonly string[] {
    return this.received.map(({ text }) => text);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.relay.close();
    for (const end of this.#ends) end.close();
    return Promise.resolve();
  }
}

describe("Relay of the region drill", () => {
  it("relay.1: delays the packets of both directions and keeps their order", async () => {
    await using cabled = await Cabled.open(DELAY_MS);
    const sentAt = performance.now();
    for (let n = 0; n < 20; n++) await cabled.send(0, packet(`a${n}`));
    await cabled.has(20);
    expect(cabled.texts).to.deep.equal(Array.from({ length: 20 }, (_, n) => `a${n}`));
    expect((cabled.received[0]?.at ?? 0) - sentAt).to.be.at.least(DELAY_MS - 1);
    await cabled.send(1, packet("back"));
    await cabled.has(21);
    expect(cabled.texts.at(-1)).to.equal("back");
  });

  it("relay.2: a cut drops the packets of its direction, also the waiting ones, until it ends", async () => {
    await using cabled = await Cabled.open(DELAY_MS);
    await cabled.send(0, packet("waits"));
    await cabled.send(1, packet("passes"));
    await cabled.has(1);
    await cabled.send(0, packet("is dropped"));
    cabled.relay.cut(ID, ENDS[0], true);
    await cabled.send(0, packet("is dropped, too"));
    await cabled.send(1, packet("passes, too"));
    await cabled.has(3);
    cabled.relay.cut(ID, ENDS[0], false);
    await cabled.send(0, packet("passes again"));
    await cabled.has(4);
    expect([...cabled.texts].sort()).to.deep.equal(
      ["passes", "passes again", "passes, too", "waits"].sort(),
    );
  });

  it("relay.3: drops what comes while the most packets wait, and passes later ones again", async () => {
    await using cabled = await Cabled.open(LONG_DELAY_MS);
    for (let n = 0; n < HELD_MAX + 5; n++) await cabled.send(0, packet(`a${n}`));
    await cabled.has(HELD_MAX);
    await cabled.send(0, packet("later"));
    await cabled.has(HELD_MAX + 1);
    expect(cabled.texts.slice(-2)).to.deep.equal([`a${HELD_MAX - 1}`, "later"]);
  });

  it("relay.2: a packet of another cable, and one that is no VXLAN packet, go nowhere", async () => {
    await using cabled = await Cabled.open(0);
    await cabled.send(0, packet("another", ID + 1));
    await cabled.send(0, Buffer.from("short"));
    await cabled.send(0, packet("ours"));
    await cabled.has(1);
    expect(cabled.texts).to.deep.equal(["ours"]);
  });
});
