// SocketMemory: the memory of slow sockets, and the connections that are closed for it.

import { expect } from "chai";
import type { RoomId } from "#shared/protocol/ids.ts";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import { SOCKETS_BYTES_PER_USER_MAX } from "../core/bounds.ts";
import { SUBSCRIPTION_BYTES } from "../runtime/user-notes.ts";
import { advance } from "./advance.ts";
import { openScriptedGateway } from "./scripted-gateway.ts";
import { SlowSocket } from "./slow-socket.ts";

const MIB = 1 << 20;

async function openGateway(memoryBytesMax?: number) {
  const clock = new FakeClock();
  const { gateway, owner } = openScriptedGateway(clock, {
    ...(memoryBytesMax !== undefined && { memoryBytesMax }),
  });
  const connect = async (user: string): Promise<SlowSocket> => {
    const socket = new SlowSocket();
    socket.handlers = gateway.accept(socket);
    socket.handlers.onText(`{"t":"hello","token":"${user}"}`);
    await advance(clock, 10, 5);
    return socket;
  };
  const fill = (socket: SlowSocket, bytes: number): void => {
    socket.isReading = false;
    const sink = socket.handlers as unknown as { writeFrame(frame: Uint8Array): void };
    sink.writeFrame(new Uint8Array(bytes));
  };
  const used = (): number => gateway.memory.usedBy("sockets");
  return { clock, gateway, owner, connect, fill, used };
}

describe("SocketMemory", () => {
  it("L9: beyond the bound of a user's connections, the largest one is closed with 4000", async () => {
    const { connect, fill, used } = await openGateway();
    const sockets = [];
    for (let n = 0; n < 20; n++) sockets.push(await connect("mallory"));
    const bob = await connect("bob");
    fill(bob, 3 * MIB);
    for (const [n, socket] of sockets.entries()) fill(socket, MIB + n);
    expect(used()).to.be.at.most(SOCKETS_BYTES_PER_USER_MAX + 3 * MIB);
    const closed = sockets.filter(({ closes }) => closes.length > 0);
    expect(closed).to.have.length(5); // One for each MiB from the sixteenth on.
    for (const { closes } of closed) expect(closes).to.deep.equal([4000]);
    expect(bob.closes).to.deep.equal([]);
  });

  it("L9: beyond the bound of the process the largest of all are closed, until the rest is below it", async () => {
    const bound = 20 * MIB + 30 * SUBSCRIPTION_BYTES;
    const { connect, fill, used, gateway } = await openGateway(bound);
    const sockets = [];
    for (let n = 0; n < 30; n++) sockets.push(await connect(`user-${n}`));
    for (const [n, socket] of sockets.entries()) fill(socket, n === 3 ? 4 * MIB : MIB);
    expect(used()).to.be.at.most(bound);
    expect(sockets[3]?.closes).to.deep.equal([4000]);
    expect(sockets.filter(({ closes }) => closes.length > 0)).to.have.length(10);
    expect(gateway.stats.readersClosed.get("too_slow")).to.equal(10);
  });

  it("L9: bytes that a client reads, and those of a connection that ends, are released", async () => {
    const { connect, fill, used, clock } = await openGateway();
    const [ada, bob] = [await connect("ada"), await connect("bob")];
    fill(ada, MIB);
    fill(bob, MIB);
    expect(used()).to.equal(2 * MIB);
    ada.buffered = MIB / 2; // It read a part, which a socket does not report.
    await advance(clock, 500, 50);
    expect(used()).to.equal(1.5 * MIB);
    ada.drain();
    bob.handlers?.onClose();
    expect(used()).to.equal(0);
  });

  it("F11: undecoded frames count, and stay below a megabyte per connection", async () => {
    const { connect, used, clock, gateway } = await openGateway();
    const mallory = await connect("mallory");
    const before = gateway.stats.framesIn;
    // As much as a socket may deliver before it is paused: one read, 64 KiB of the smallest frames.
    for (let n = 0; n < 3_000; n++) mallory.handlers?.onText("{".repeat(21));
    for (let n = 0; n < 2_000; n++) mallory.handlers?.onText("{".repeat(21));
    expect(mallory.isPaused).to.equal(true);
    expect(used()).to.be.within(1, MIB);
    await advance(clock, 100_000, 100);
    expect(gateway.stats.framesIn - before).to.be.greaterThan(1_000);
  });

  it("L9: rings are emptied when closing sockets does not free enough", async () => {
    const { clock, connect, gateway, owner } = await openGateway(MIB);
    const ada = await connect("ada");
    for (let n = 0; n < 20; n++) {
      ada.handlers?.onText(`{"t":"join","ref":${n},"room":"room-${n}","tail":0}`);
    }
    await advance(clock, 200, 5);
    for (let n = 0; n < 20; n++) owner.commit(`room-${n}` as RoomId, "x".repeat(200_000));
    await advance(clock, 1_000, 50);
    expect(gateway.memory.used).to.be.at.most(MIB);
    expect(gateway.memory.usedBy("rings")).to.be.greaterThan(0);
    expect(ada.closes).to.deep.equal([]);
  });
});
