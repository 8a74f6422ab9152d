// Thumbnails: the thread with real images, hostile ones among them, and the bounds of the queue.

import { expect } from "chai";
import sharp from "sharp";
import { deflateSync } from "node:zlib";
import { systemClock } from "#shared/adapters/clock-system.ts";
import type { StoredObject } from "#shared/ports/attachment-store.ts";
import { FakeClock } from "#shared/testing/fake-clock.ts";
import { until } from "#shared/testing/wait.ts";
import { startThumbnailThread } from "../adapters/thumbnail-thread.ts";
import { Thumbnails, WAITING_MAX } from "../runtime/thumbnails.ts";
import type { StartThread, Thumbnail } from "../runtime/thumbnails.ts";

const WITHIN = { withinMs: 20_000 };

function objectOf(image: Uint8Array): () => Promise<StoredObject> {
  const content = (async function* () {
    yield await Promise.resolve(image);
  })();
  return () => Promise.resolve({ bytes: image.length, content, close: () => Promise.resolve() });
}

function ask(thumbnails: Thumbnails, image: Uint8Array, type = "image/png") {
  return thumbnails.of({ type, bytes: image.length }, objectOf(image));
}

const colour = { r: 200, g: 30, b: 30 };
const picture = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: colour } });

/** A PNG whose head says `width` × `height` and whose content is a few bytes: a bomb. */
function bomb(width: number, height: number): Buffer {
  const chunk = (type: string, data: Buffer): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    const named = Buffer.concat([Buffer.from(type), data]);
    const crc = Buffer.alloc(4);
    crc.writeUInt32BE(crc32(named));
    return Buffer.concat([length, named, crc]);
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  const zeros = deflateSync(Buffer.alloc(1_000_000));
  const magic = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const parts = [chunk("IHDR", head), chunk("IDAT", zeros), chunk("IEND", Buffer.alloc(0))];
  return Buffer.concat([magic, ...parts]);
}

function crc32(bytes: Buffer): number {
  let crc = 0xff_ff_ff_ff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xed_b8_83_20 : 0);
  }
  return (crc ^ 0xff_ff_ff_ff) >>> 0;
}

describe("Thumbnails", function () {
  this.timeout(60_000);

  it("AT10: an image gets a small WebP without metadata, and its size as it is shown", async () => {
    const thumbnails = new Thumbnails(systemClock, startThumbnailThread);
    try {
      const photo = await picture(1_600, 1_200)
        .withExif({ IFD3: { GPSLatitude: "51/1 30/1 0/1" } })
        .withMetadata({ orientation: 6 })
        .jpeg()
        .toBuffer();
      const made = await ask(thumbnails, photo, "image/jpeg");
      expect([made?.width, made?.height]).to.deep.equal([1_200, 1_600]);
      const small = await sharp(made?.content).metadata();
      expect([small.format, small.width, small.height]).to.deep.equal(["webp", 540, 720]);
      expect(small.exif).to.equal(undefined);
      const icon = await ask(thumbnails, await picture(16, 16).png().toBuffer());
      expect((await sharp(icon?.content).metadata()).width).to.equal(16);
    } finally {
      thumbnails.stop();
    }
  });

  it("AT10: a bomb, a broken image and a blocked format get none, and the next image gets its own", async () => {
    const thumbnails = new Thumbnails(systemClock, startThumbnailThread);
    try {
      const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
      const whole = await picture(400, 300).png().toBuffer();
      const hostile = [bomb(60_000, 60_000), bomb(9_000, 4_500), svg, whole.subarray(0, 80)];
      for (const image of [...hostile, Buffer.from("not an image")]) {
        expect(await ask(thumbnails, new Uint8Array(image))).to.equal(undefined);
      }
      expect((await ask(thumbnails, new Uint8Array(whole)))?.width).to.equal(400);
      expect(await ask(thumbnails, new Uint8Array(whole), "image/svg+xml")).to.equal(undefined);
      expect(Object.fromEntries(thumbnails.outcomes)).to.include({ made: 1, none: 5 });
    } finally {
      thumbnails.stop();
    }
  });

  it("AT10: a bounded number of images waits; one more gets none at once", async () => {
    const answers: ((thumbnail: Thumbnail | undefined) => void)[] = [];
    const start: StartThread = ({ answer }) => ({
      post: () => answers.push(answer),
      end: () => undefined,
    });
    const thumbnails = new Thumbnails(new FakeClock(), start);
    const image = new Uint8Array(1);
    const asked = Array.from({ length: WAITING_MAX + 1 }, () => ask(thumbnails, image));
    expect(await ask(thumbnails, image)).to.equal(undefined);
    const done = Promise.all(asked);
    const thumbnail = { width: 1, height: 1, content: image };
    for (let n = 0; n <= WAITING_MAX; n++) {
      await until(() => answers.length > n, { ...WITHIN, what: "the next image" });
      answers[n]?.(thumbnail);
    }
    expect(new Set(await done)).to.deep.equal(new Set([thumbnail]));
  });

  it("E14: the time of each image counts, and its bytes are held until its answer", async () => {
    const clock = new FakeClock();
    const held: number[] = [];
    let bytes = 0;
    const account = (more: number): void => void held.push((bytes += more));
    const start: StartThread = ({ answer }) => ({
      post: () => {
        clock.advance(250);
        answer(undefined);
      },
      end: () => undefined,
    });
    const thumbnails = new Thumbnails(clock, start, account);
    await ask(thumbnails, new Uint8Array(10));
    await ask(thumbnails, new Uint8Array(20));
    expect(thumbnails.seconds.sum).to.equal(0.5);
    expect(held).to.deep.equal([10, 0, 20, 0]);
  });

  it("thumbnails.2 and .3: a silent thread is replaced, and an idle one ends", async () => {
    const clock = new FakeClock();
    const ended: number[] = [];
    let started = 0;
    const start: StartThread = () => {
      const n = ++started;
      return { post: () => undefined, end: () => void ended.push(n) };
    };
    const thumbnails = new Thumbnails(clock, start);
    for (let n = 1; n <= 2; n++) {
      const asked = ask(thumbnails, new Uint8Array(1));
      await until(() => started === n, { ...WITHIN, what: "the thread" });
      clock.advance(20_000);
      expect(await asked).to.equal(undefined);
    }
    expect(ended).to.deep.equal([1, 2]);
    const end: StartThread = ({ answer }) => ({
      post: () => answer(undefined),
      end: () => void ended.push(9),
    });
    const idle = new Thumbnails(clock, end);
    await ask(idle, new Uint8Array(1));
    const isOver = (): boolean => {
      clock.advance(60_000);
      return ended.at(-1) === 9;
    };
    await until(isOver, { ...WITHIN, what: "the end of the thread" });
  });
});
