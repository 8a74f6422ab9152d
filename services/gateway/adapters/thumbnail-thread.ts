// ThumbnailThread: starts the thread of the thumbnails (thumbnail-worker.ts).

import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import type { StartThread, Thumbnail } from "../runtime/thumbnails.ts";

/** A bundle of the services has both files in one folder, as JavaScript (bundle.3). */
const PROGRAM = new URL(`./thumbnail-worker${extname(import.meta.url)}`, import.meta.url);
/** The heap of JavaScript only; thumbnail-worker.2 bounds the pixels. */
const HEAP_MIB = 64;

export const startThumbnailThread: StartThread = ({ answer, end }) => {
  const worker = new Worker(PROGRAM, {
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB },
    env: {},
    stdin: false,
  });
  let isOver = false;
  const onEnd = (): void => {
    if (!isOver) end();
  };
  worker.on("message", (thumbnail: Thumbnail | undefined) => answer(thumbnail));
  worker.on("error", onEnd);
  worker.on("exit", onEnd);
  worker.unref();
  return {
    post: (image) => worker.postMessage(image, [image.buffer as ArrayBuffer]),
    end: () => {
      isOver = true;
      void worker.terminate();
    },
  };
};
