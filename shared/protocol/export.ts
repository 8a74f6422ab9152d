// Export: the lines of an exported room, as a gateway sends them and `parley import` reads them.
//
//   export.1. The first line names the room, the number behind which the lines begin, and the head
//        up to which they reach. Then each event has one line, the same bytes as its members
//        receive, in the order of the numbers and without a gap. The last line says that the export
//        is complete.
//   export.2. An export that ends otherwise is a part. It continues behind its last whole line of
//        an event. An `error` line says why it ended.

import { isCount, parseObject } from "../kit/json.ts";
import { ERRORS } from "./errors.ts";
import type { ErrorName } from "./errors.ts";
import { readEvent } from "./events.ts";
import type { RoomEvent } from "./events.ts";
import { isRoomId } from "./ids.ts";
import type { RoomId, Seq } from "./ids.ts";

export const EXPORT_VERSION = 1;
export const EXPORT_TYPE = "application/x-ndjson";

/** export.1. */
export interface ExportHead {
  readonly t: "export";
  readonly v: typeof EXPORT_VERSION;
  readonly room: RoomId;
  /** The id of the room's first event, which differs from that of an earlier room of this name. */
  readonly born: string;
  readonly after: Seq;
  readonly head: Seq;
}

export type ExportLine =
  | ExportHead
  | { readonly t: "end"; readonly seq: Seq }
  | { readonly t: "error"; readonly name: ErrorName }
  | { readonly t: "event"; readonly event: RoomEvent; readonly line: string };

export function encodeExportHead(head: Omit<ExportHead, "t" | "v">): string {
  return JSON.stringify({ t: "export", v: EXPORT_VERSION, ...head });
}

export function encodeExportEnd(seq: Seq): string {
  return JSON.stringify({ t: "end", seq });
}

export function encodeExportError(name: ErrorName): string {
  return JSON.stringify({ t: "error", name });
}

/** Undefined for a line that is not whole, or of another version. */
export function readExportLine(line: string): ExportLine | undefined {
  const event = readEvent(line);
  if (event !== undefined) return { t: "event", event, line };
  const value = parseObject(line);
  if (value?.["t"] === "export") {
    const { v, room, born, after, head } = value;
    if (v !== EXPORT_VERSION || !isRoomId(room) || typeof born !== "string") return undefined;
    return isCount(after) && isCount(head)
      ? { t: "export", v, room, born, after, head }
      : undefined;
  }
  if (value?.["t"] === "end" && isCount(value["seq"])) return { t: "end", seq: value["seq"] };
  if (value?.["t"] !== "error") return undefined;
  const { name } = value;
  const isKnown = typeof name === "string" && Object.hasOwn(ERRORS, name);
  return isKnown ? { t: "error", name: name as ErrorName } : undefined;
}
