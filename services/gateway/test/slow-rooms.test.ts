// A socket that reads slowly and has many rooms: its cost, and that it loses nothing.

import { expect } from "chai";
import type { RoomId } from "#shared/protocol/ids.ts";
import { RANGE_BYTES_MAX } from "#shared/protocol/limits.ts";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import { READS_PER_USER_MAX, SOCKET_HIGH_BYTES, TURNS_PER_SOCKET_MAX } from "../core/bounds.ts";
import { advance } from "./advance.ts";
import { openScriptedGateway } from "./scripted-gateway.ts";
import { framesOf, SlowSocket } from "./slow-socket.ts";

const ROOMS = Array.from({ length: 100 }, (_, n) => `room-${n}` as RoomId);
const KIB = "x".repeat(1_024);

async function openGateway() {
  const clock = new FakeClock();
  const { gateway, owner, archive } = openScriptedGateway(clock);
  const socket = new SlowSocket();
  socket.handlers = gateway.accept(socket);
  socket.handlers.onText('{"t":"hello","token":"ada"}');
  await advance(clock, 10, 5);
  const join = async (from: object): Promise<void> => {
    for (const room of ROOMS) {
      socket.handlers?.onText(JSON.stringify({ t: "join", ref: 1, room, ...from }));
    }
    await advance(clock, 200, 5);
  };
  return { clock, gateway, owner, archive, socket, join };
}

describe("A slow socket with many rooms", () => {
  it("L7: its rooms take turns, and each one writes only while the socket has room", async () => {
    const { clock, owner, socket, join } = await openGateway();
    await join({ tail: 0 });
    expect(framesOf(socket, "caught-up")).to.have.length(ROOMS.length);
    socket.isReading = false;
    for (const room of ROOMS) owner.commit(room, ...Array<string>(200).fill(KIB));
    await advance(clock, 500, 5);
    for (let drains = 0; drains < 3; drains++) {
      socket.drain();
      await advance(clock, 100, 5);
    }
    expect(socket.mostBuffered).to.be.lessThan(SOCKET_HIGH_BYTES + 3 * RANGE_BYTES_MAX);
    expect(socket.closes).to.deep.equal([]);
    socket.isReading = true;
    socket.drain();
    await advance(clock, 1_000, 5);
    expect(socket.written).to.be.greaterThan(ROOMS.length * 200 * KIB.length);
  });

  it("L7: a fetch begins only for a room that has the turn", async () => {
    const { clock, owner, archive, socket, join } = await openGateway();
    for (const room of ROOMS) owner.preload(room, 100, KIB);
    socket.isReading = false;
    owner.model.tailFrom = 1_000;
    await join({ after: 0 });
    await advance(clock, 500, 5);
    // 100 KiB per room: three fill the socket, and the rooms with a turn by then are in progress.
    const most = SOCKET_HIGH_BYTES + (TURNS_PER_SOCKET_MAX + 1) * RANGE_BYTES_MAX;
    expect(socket.mostBuffered).to.be.lessThan(most);
    expect(archive.reads.length).to.be.lessThan(20);
    socket.isReading = true;
    socket.drain();
    // The scripted owner keeps one lane per gateway, so the two partitions interrupt each other.
    await advance(clock, 10_000, 20);
    expect(framesOf(socket, "caught-up")).to.have.length(ROOMS.length);
  });

  it("L7: a room whose lines cannot be read does not delay the other rooms of its socket", async () => {
    const { clock, owner, archive, socket, join } = await openGateway();
    for (const room of ROOMS.slice(50)) owner.preload(room, 10);
    owner.model.tailFrom = 1_000;
    archive.isDown = true;
    await join({ after: 0 });
    await advance(clock, 500, 5);
    expect(framesOf(socket, "caught-up")).to.have.length(50);
  });

  it("L8: retries of failed reads stay within their user's share", async () => {
    const { clock, owner, archive, join } = await openGateway();
    for (const room of ROOMS) owner.preload(room, 10);
    owner.model.tailFrom = 1_000;
    archive.isDown = true;
    await join({ after: 0 });
    await advance(clock, 2_000, 20);
    let underWay = 0;
    archive.range = () => {
      underWay++;
      return new Promise(() => undefined);
    };
    await advance(clock, 5_000, 20);
    expect(underWay).to.equal(READS_PER_USER_MAX);
  });

  it("L10: the hard cap applies to every write", async () => {
    const { clock, gateway, socket, join } = await openGateway();
    await join({ tail: 0 });
    socket.isReading = false;
    const sink = socket.handlers as unknown as { writeFrame(frame: Uint8Array): void };
    const frame = new Uint8Array(1 << 20);
    for (let n = 0; n < 40; n++) sink.writeFrame(frame);
    expect(socket.mostBuffered).to.be.at.most(17 << 20);
    expect(socket.closes).to.deep.equal([4000]);
    await advance(clock, 2_000, 100);
    expect(socket.isTerminated).to.equal(true);
    expect(gateway.stats.readersClosed.get("too_slow")).to.equal(1);
  });
});
