// Records: what clients did and saw, one line of JSON each, in the order in which it happened.
//
// Whoever drives a cluster under faults (end-to-end tests, chaos, soak) writes these; check.ts judges
// them later, also from a file of another day. A client writes `invoke` before the bytes leave and
// `ok` after they came back, so what lies between is everything that may have happened.

import { parseObject } from "#shared/kit/json.ts";
import type { MessageId, RoomId, Seq, UserId } from "#shared/protocol/ids.ts";

interface Origin {
  /** Milliseconds, on one clock for all clients of a run. */
  readonly t: number;
  readonly client: UserId;
  /** Counts the connections of a client: order is promised within one. */
  readonly conn: number;
  readonly room: RoomId;
}

export type ClientRecord =
  | (Origin & {
      readonly op: "send";
      readonly phase: "invoke";
      readonly id: MessageId;
      /** What the store must hold; left out by clients that do not care. */
      readonly body?: unknown;
    })
  | (Origin & {
      readonly op: "send";
      readonly phase: "ok";
      readonly id: MessageId;
      readonly seq: Seq;
    })
  /** `fail`: the server said that nothing was stored. `info`: nobody knows. */
  | (Origin & {
      readonly op: "send";
      readonly phase: "fail" | "info";
      readonly id: MessageId;
      readonly err: string;
    })
  /** From now on this connection is shown the room, beginning with `from`. */
  | (Origin & { readonly op: "join"; readonly phase: "ok"; readonly from: Seq })
  | (Origin & { readonly op: "see"; readonly seq: Seq; readonly id: MessageId });

export function encodeRecord(record: ClientRecord): string {
  return JSON.stringify(record);
}

/** Undefined for a line that is cut (the end of a killed client's file) or not ours. */
export function decodeRecord(line: string): ClientRecord | undefined {
  const value = parseObject(line);
  return typeof value?.["op"] === "string" && typeof value["client"] === "string"
    ? (value as unknown as ClientRecord)
    : undefined;
}
