// The memory of a gateway while many connections send frames that it refuses: measured on the heap
// and the buffers of this process, in which the clients run as well.

import { expect } from "chai";
import type { Socket } from "node:net";
import { FRAME_BYTES_MAX } from "#shared/protocol/limits.ts";
import { collect } from "#shared/testing/heap.ts";
import { until } from "#shared/testing/wait.ts";
import { bareSocket, clientFrame } from "./bare-socket.ts";
import { SocketFixture } from "./socket-fixture.ts";

const CONNECTIONS = 20;
/** F19: ten times the bound of one frame, for each connection. */
const BYTES_MAX = CONNECTIONS * 10 * FRAME_BYTES_MAX;
const WITHIN_MS = 60_000;
const MASK = [1, 2, 3, 4];

/**
 * The second collection ends the sweep of the first. Until then the buffers of reads count, 40 MB
 * in some runs, and `external` counts them even longer.
 */
function usedBytes(): number {
  collect();
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** A frame of 10 MB, by its header, and its bytes. */
function largeFrame(): Buffer {
  const bytes = 10_000_000;
  const frame = Buffer.alloc(14 + bytes, 0x20);
  frame.set([0x81, 0xff]);
  frame.writeBigUInt64BE(BigInt(bytes), 2);
  frame.set(MASK, 10);
  return frame;
}

/** A message that begins and continues in a million fragments of one byte. */
function manyFragments(): Buffer {
  const fragment = [0x00, 0x81, ...MASK, 0x20];
  const frames = Buffer.alloc(7 * 1_000_000, Buffer.from(fragment));
  frames[0] = 0x01;
  return frames;
}

const deep = Buffer.from('{"a":'.repeat(FRAME_BYTES_MAX / 5 - 1));
const deepFrames = Buffer.concat(Array.from({ length: 20 }, () => clientFrame(0x81, deep)));

const HOSTILE: readonly {
  readonly what: string;
  readonly bytes: Buffer;
  /** The first byte of the frame that ends the answer: a close, or a text with an error. */
  readonly isAnswered: (received: Buffer) => boolean;
}[] = [
  { what: "a frame of 10 MB", bytes: largeFrame(), isAnswered: isClosedWith(1_009) },
  { what: "a million fragments", bytes: manyFragments(), isAnswered: isClosedWith(1_008) },
  {
    what: "invalid UTF-8",
    bytes: clientFrame(0x81, Buffer.alloc(FRAME_BYTES_MAX - 100, 0xff)),
    isAnswered: isClosedWith(1_007),
  },
  {
    what: "twenty frames of deep JSON",
    bytes: deepFrames,
    isAnswered: (received) => received.toString("latin1").split('"bad_frame"').length - 1 === 20,
  },
];

function isClosedWith(code: number): (received: Buffer) => boolean {
  const frame = Buffer.of(0x88, 0, code >> 8, code & 0xff);
  return (received) => {
    const at = received.indexOf(frame.subarray(2));
    return at >= 2 && received[at - 2] === 0x88;
  };
}

async function member(fixture: SocketFixture, n: number): Promise<[Socket, () => Buffer]> {
  const socket = await bareSocket(fixture);
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(Buffer.from(chunk)));
  socket.on("error", () => undefined); // A reset after the close.
  socket.write(clientFrame(0x81, Buffer.from(`{"t":"hello","token":"mallory-${n}"}`)));
  const isWelcome = (): boolean => Buffer.concat(chunks).includes('"welcome"');
  await until(isWelcome, { withinMs: WITHIN_MS, what: "the welcome" });
  return [socket, () => Buffer.concat(chunks)];
}

describe("Memory of hostile frames", () => {
  for (const { what, bytes, isAnswered } of HOSTILE) {
    it(`F11: ${what} on each of ${CONNECTIONS} connections cost less than ten frames each`, async function () {
      this.timeout(120_000);
      await using fixture = await SocketFixture.open();
      const members = await Promise.all(
        Array.from({ length: CONNECTIONS }, (_, n) => member(fixture, n)),
      );
      const before = usedBytes();
      let most = 0;
      for (const [socket] of members) socket.write(bytes);
      const areAnswered = (): boolean => {
        most = Math.max(most, usedBytes() - before);
        return members.every(([, received]) => isAnswered(received()));
      };
      await until(areAnswered, { withinMs: WITHIN_MS, what: "an answer on each connection" });
      expect(most).to.be.below(BYTES_MAX);
      for (const [socket] of members) socket.destroy();
    });
  }
});
