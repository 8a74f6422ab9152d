// Screen: a frame of `parley chat`, drawn by Ink.

import { createElement, useEffect, useReducer } from "react";
import type { ReactNode } from "react";
import { Box, Text, useCursor } from "ink";
import type { Frame, FrameRow } from "./frame.ts";

/** `watch` calls its argument when the frame can have changed; it returns a function to stop. */
export function Screen({
  frame,
  watch,
}: {
  readonly frame: () => Frame;
  readonly watch: (changed: () => void) => () => void;
}): ReactNode {
  const [, draw] = useReducer((count: number) => count + 1, 0);
  useEffect(() => watch(draw), [watch]);
  const { rows, cursor } = frame();
  useCursor().setCursorPosition(cursor);
  return createElement(Box, { flexDirection: "column" }, ...rows.map(drawRow));
}

function drawRow({ spans, isInverse }: FrameRow, index: number): ReactNode {
  const parts = spans.map(({ text, colour, bold = false, dim = false }, key) => {
    const style = { bold, dimColor: dim, inverse: isInverse, ...(colour && { color: colour }) };
    return createElement(Text, { key, ...style }, text);
  });
  // A row without a text has a height, too.
  const content = spans.every(({ text }) => text === "") ? [" "] : parts;
  return createElement(Text, { key: index, wrap: "truncate" }, ...content);
}
