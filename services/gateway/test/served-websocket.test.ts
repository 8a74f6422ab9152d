// The heap of a socket of `ws` at the gateway, without its TCP socket.

import { expect } from "chai";
import { heapBytes } from "#shared/testing/heap.ts";
import { ServedWebSocket } from "../adapters/websocket.ts";

const COUNT = 20_000;
/** 220 with Node 24, and 440 with tables of its own. */
const BYTES_MAX = 260;

/** As `ws` makes the socket of a server. The types of `ws` do not have these arguments. */
function accepted(): ServedWebSocket {
  return Reflect.construct(ServedWebSocket, [null, undefined, {}]) as ServedWebSocket;
}

describe("ServedWebSocket", () => {
  it("shares its tables of listeners and extensions, so it needs less than 260 bytes", () => {
    const sockets: ServedWebSocket[] = [];
    const make = (count: number): void => {
      for (let n = 0; n < count; n++) sockets.push(accepted());
    };
    make(COUNT); // Code is compiled.
    const before = heapBytes();
    make(COUNT);
    expect((heapBytes() - before) / COUNT).to.be.below(BYTES_MAX);
    expect(sockets).to.have.length(2 * COUNT);
  });

  it("takes no listener: it handles its events itself", () => {
    const socket = accepted();
    expect(() => socket.on("message", () => undefined)).to.throw(TypeError);
  });
});
