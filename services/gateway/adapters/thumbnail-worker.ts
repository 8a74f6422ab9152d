// ThumbnailWorker: the thread that decodes one image and makes its thumbnail.
//
//   thumbnail-worker.1. Only four formats are decoded: the loaders of all others are blocked.
//   thumbnail-worker.2. An image of more than PIXELS_MAX pixels is refused by its head, before it
//        is decoded, and a decoding ends after SECONDS_MAX.
//   thumbnail-worker.3. A thumbnail has no metadata of its image: no place, no camera.

import { parentPort } from "node:worker_threads";
import sharp from "sharp";
import type { Thumbnail } from "../runtime/thumbnails.ts";

/** 40 million pixels take at most 160 MB while they are decoded. */
const PIXELS_MAX = 40_000_000;
const SECONDS_MAX = 5;
/** The longer side; twice what the web client shows. */
const SIDE_MAX = 720;
const QUALITY = 75;
const LOADERS = ["Jpeg", "Png", "Webp", "Nsgif"].map((name) => `VipsForeignLoad${name}`);

sharp.block({ operation: ["VipsForeignLoad"] }); // thumbnail-worker.1
sharp.unblock({ operation: LOADERS });
sharp.concurrency(1);
sharp.cache(false);

async function thumbnailOf(image: Uint8Array): Promise<Thumbnail | undefined> {
  const options = { limitInputPixels: PIXELS_MAX, sequentialRead: true, autoOrient: true } as const;
  const source = sharp(image, options);
  const { width, height } = (await source.metadata()).autoOrient;
  const { data } = await source
    .timeout({ seconds: SECONDS_MAX })
    .resize(SIDE_MAX, SIDE_MAX, { fit: "inside", withoutEnlargement: true })
    .webp({ quality: QUALITY })
    .toBuffer({ resolveWithObject: true });
  return { width, height, content: new Uint8Array(data) };
}

parentPort?.on("message", (image: Uint8Array) => {
  // A broken or refused image has no thumbnail.
  const made = thumbnailOf(image).catch(() => undefined);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- A thread has no origin.
  void made.then((thumbnail) => parentPort?.postMessage(thumbnail));
});
