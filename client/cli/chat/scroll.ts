// Scroll: which rows of the blocks are on the screen. Pure.
//
//   scroll.1. The place is a row of a block, so that rows which are added above or below it do not
//        move what the user reads. Without a place the end is shown.

import type { Block, Row } from "./rows.ts";

/** The last row on the screen. */
export interface Place {
  readonly key: string;
  readonly row: number;
}

export interface VisibleRow {
  readonly key: string;
  readonly row: Row;
}

export interface View {
  /** At most as many as the screen has. */
  readonly rows: readonly VisibleRow[];
  /** The rows above and below. */
  readonly above: number;
  readonly below: number;
}

export function viewOf(blocks: readonly Block[], place: Place | undefined, height: number): View {
  const all = flat(blocks);
  const end = endOf(all, blocks, place);
  // A screen that is not full shows more, from the beginning.
  const last = Math.max(end, Math.min(height, all.length));
  const first = Math.max(0, last - height);
  return { rows: all.slice(first, last), above: first, below: all.length - last };
}

/** The place after a scroll by `by` rows, up when negative; undefined: the end. */
export function scrolled(
  blocks: readonly Block[],
  place: Place | undefined,
  { by, height }: { readonly by: number; readonly height: number },
): Place | undefined {
  const all = flat(blocks);
  const end = Math.max(endOf(all, blocks, place), Math.min(height, all.length));
  return placeAt(blocks, Math.max(Math.min(height, all.length), end + by), all.length);
}

/** The place that shows the whole block; `place` when it does already. */
export function revealing(
  blocks: readonly Block[],
  place: Place | undefined,
  { key, height }: { readonly key: string; readonly height: number },
): Place | undefined {
  const total = flat(blocks).length;
  const { above, rows } = viewOf(blocks, place, height);
  let start = 0;
  for (const block of blocks) {
    if (block.key !== key) {
      start += block.rows.length;
      continue;
    }
    const end = start + block.rows.length;
    if (start < above) return placeAt(blocks, Math.min(start + height, total), total);
    if (end > above + rows.length) return placeAt(blocks, end, total);
  }
  return place;
}

function placeAt(blocks: readonly Block[], end: number, total: number): Place | undefined {
  if (end >= total) return undefined;
  let start = 0;
  for (const { key, rows } of blocks) {
    if (end <= start + rows.length) return { key, row: end - start - 1 };
    start += rows.length;
  }
  return undefined;
}

/** The number of rows down to the place. */
function endOf(
  all: readonly VisibleRow[],
  blocks: readonly Block[],
  place: Place | undefined,
): number {
  if (place === undefined) return all.length;
  let start = 0;
  for (const { key, rows } of blocks) {
    if (key === place.key) return start + Math.min(place.row + 1, rows.length);
    start += rows.length;
  }
  return all.length; // The block was dropped.
}

function flat(blocks: readonly Block[]): readonly VisibleRow[] {
  return blocks.flatMap(({ key, rows }) => rows.map((row) => ({ key, row })));
}
