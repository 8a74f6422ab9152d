// Attachment requests: both halves of the requests of gateways to persistence on `att`, and of the
// answers.
//
// A gateway has no database (X5): persistence keeps the records of attachments for it.
//
//   attachment-requests.1. Every request may be repeated (attachment-records.2).
//   attachment-requests.2. A decoder returns undefined for another version (N5) or another shape.

import { isCount, isObject, parseObject } from "../kit/json.ts";
import type {
  FinishedUpload,
  NewUpload,
  RecordOutcome,
  RecordRefusal,
} from "../ports/attachment-records.ts";
import { attachmentOf, isAttachment, MEDIA_TYPE, PIXELS_MAX } from "./attachments.ts";
import { isMessageId, isRoomId, isTextWithin, isUserId } from "./ids.ts";
import type { MessageId, RoomId } from "./ids.ts";
import { ATTACHMENT_NAME_LENGTH_MAX } from "./limits.ts";

const VERSION = 1;

export type AttachmentRequest =
  | ({ readonly op: "begin" } & NewUpload)
  | ({ readonly op: "finish" } & FinishedUpload)
  | { readonly op: "find"; readonly id: MessageId; readonly room: RoomId };

const REFUSALS: readonly RecordRefusal[] = ["conflict", "full", "missing", "busy", "unavailable"];

export function encodeAttachmentRequest(request: AttachmentRequest): string {
  return JSON.stringify({ v: VERSION, ...request });
}

export function decodeAttachmentRequest(text: string): AttachmentRequest | undefined {
  const value = parseObject(text);
  if (value?.["v"] !== VERSION) return undefined;
  const { op, id, room, user, name, bytes, quota, type, width, height } = value;
  if (!isMessageId(id) || !isRoomId(room)) return undefined;
  if (op === "find") return { op, id, room };
  if (!isUserId(user)) return undefined;
  if (op === "begin") {
    if (typeof name !== "string" || name === "") return undefined;
    if (!isTextWithin(name, ATTACHMENT_NAME_LENGTH_MAX)) return undefined;
    return isCount(bytes) && isCount(quota)
      ? { op, id, room, user, name, bytes, quota }
      : undefined;
  }
  if (op !== "finish" || typeof type !== "string" || !MEDIA_TYPE.test(type)) return undefined;
  const plain = { op, id, room, user, type } as const;
  if (width === undefined && height === undefined) return plain;
  return isSize(width) && isSize(height) ? { ...plain, width, height } : undefined;
}

export function encodeRecordOutcome(outcome: RecordOutcome): string {
  return JSON.stringify({ v: VERSION, ...outcome });
}

export function decodeRecordOutcome(text: string): RecordOutcome | undefined {
  const value = parseObject(text);
  if (value?.["v"] !== VERSION) return undefined;
  const { kind, file, error } = value;
  if (kind === "begun") return { kind };
  if (kind === "file")
    return isObject(file) && isAttachment(file) ? { kind, file: attachmentOf(file) } : undefined;
  if (kind !== "refused") return undefined;
  return { kind, error: REFUSALS.find((one) => one === error) ?? "unavailable" };
}

function isSize(value: unknown): value is number {
  return isCount(value) && value >= 1 && value <= PIXELS_MAX;
}
