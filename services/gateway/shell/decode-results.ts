// Decodes what owners publish on `gw.<id>`: a JSON header, then the lines of its `range` results.

import { parseObject } from "#shared/kit/json.ts";
import type { Result, ResultBatch } from "#shared/protocol/commands.ts";
import type { Epoch, Partition } from "#shared/protocol/ids.ts";
import type { Block } from "#shared/protocol/lines.ts";
import type { Answer } from "../core/lane-steps.ts";

export interface DecodedResults {
  readonly p: Partition;
  readonly epoch: Epoch;
  readonly answers: readonly Answer[];
  readonly resync?: number;
}

const NEWLINE = 10;
const decoder = new TextDecoder();

/** Undefined when it is not of a version that we know, or does not add up. */
export function decodeResults(data: Uint8Array): DecodedResults | undefined {
  const newline = data.indexOf(NEWLINE);
  const end = newline < 0 ? data.length : newline;
  const header = parseObject(decoder.decode(data.subarray(0, end))) as ResultBatch | undefined;
  if (header?.v !== 1 || !Number.isSafeInteger(header.p) || !Array.isArray(header.results)) {
    return undefined;
  }
  const { p, epoch, resync } = header;
  const answers: Answer[] = [];
  let at = end + 1;
  for (const result of header.results) {
    const block = blockOf(result, data, at);
    if (block === undefined) {
      answers.push({ result });
      continue;
    }
    if (at + block.bytes.length > data.length) return undefined;
    at += block.bytes.length + 1;
    answers.push({ result, block });
  }
  return { p, epoch, answers, ...(resync !== undefined && { resync }) };
}

/** The lines of a `range`, copied: they may live long, and the payload is a view of the bus's. */
function blockOf(result: Result, data: Uint8Array, at: number): Block | undefined {
  if (!("ok" in result) || result.ok !== "range" || result.count === 0) return undefined;
  let end = at - 1;
  for (let line = 0; line < result.count; line++) {
    const next = data.indexOf(NEWLINE, end + 1);
    end = next < 0 ? data.length : next;
  }
  return { first: result.first, count: result.count, bytes: data.slice(at, end) };
}
