// Decodes what owners publish on `gw.<id>`: a JSON header, then the lines of its `range` results.

import { parseObject } from "#shared/kit/json.ts";
import type { ResultBatch } from "#shared/protocol/commands.ts";
import type { Epoch, Partition } from "#shared/protocol/ids.ts";
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
    if (!("ok" in result) || result.ok !== "range" || result.count === 0) {
      answers.push({ result });
      continue;
    }
    const { first, count } = result;
    const after = endOfLines(data, at, count);
    if (after === undefined) return undefined;
    // Copied: the lines may live long, and the payload is a view of the bus's read buffer.
    answers.push({ result, block: { first, count, bytes: data.slice(at, after) } });
    at = after + 1;
  }
  if (at !== data.length + 1) return undefined;
  return { p, epoch, answers, ...(resync !== undefined && { resync }) };
}

/** Where the `count` lines that begin at `at` end; undefined when there are fewer. */
function endOfLines(data: Uint8Array, at: number, count: number): number | undefined {
  let end = at - 1;
  for (let line = 0; line < count; line++) {
    if (end >= data.length) return undefined;
    const next = data.indexOf(NEWLINE, end + 1);
    end = next < 0 ? data.length : next;
  }
  return end;
}
