// FileBox: the size of an image of a message on the page.

import type { Attachment } from "#shared/protocol/attachments.ts";

interface Box {
  readonly width: number;
  readonly height: number;
}

const ALONE: Box = { width: 360, height: 300 };
/** Beside others, so that two stand in one line. */
const BESIDE: Box = { width: 240, height: 160 };
/** A smaller image stands in the middle of its box: a finger must meet it. */
const LEAST_PX = 48;

/** In px. Undefined: the file is shown as a line, not as an image. */
export function boxOf({ width, height }: Attachment, isAlone: boolean): Box | undefined {
  if (width === undefined || height === undefined) return undefined;
  const most = isAlone ? ALONE : BESIDE;
  const scale = Math.min(1, most.width / width, most.height / height);
  const least = (size: number): number => Math.max(LEAST_PX, Math.round(size * scale));
  return { width: least(width), height: least(height) };
}
