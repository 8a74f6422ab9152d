// AttachmentsOverBus: asks a persistence process. It implements the AttachmentRecords port.

import type {
  AttachmentRecords,
  FinishedUpload,
  NewUpload,
  RecordOutcome,
} from "#shared/ports/attachment-records.ts";
import type { Bus } from "#shared/ports/bus.ts";
import {
  decodeRecordOutcome,
  encodeAttachmentRequest,
} from "#shared/protocol/attachment-requests.ts";
import type { AttachmentRequest } from "#shared/protocol/attachment-requests.ts";
import type { MessageId, RoomId } from "#shared/protocol/ids.ts";
import { subjects } from "#shared/protocol/subjects.ts";

const TIMEOUT_MS = 8_000;
const UNAVAILABLE: RecordOutcome = { kind: "refused", error: "unavailable" };

export class AttachmentsOverBus implements AttachmentRecords {
  readonly #bus: Pick<Bus, "request">;

  constructor(bus: Pick<Bus, "request">) {
    this.#bus = bus;
  }

  begin(upload: NewUpload): Promise<RecordOutcome> {
    return this.#ask({ op: "begin", ...upload });
  }

  finish(upload: FinishedUpload): Promise<RecordOutcome> {
    return this.#ask({ op: "finish", ...upload });
  }

  find(file: { readonly id: MessageId; readonly room: RoomId }): Promise<RecordOutcome> {
    return this.#ask({ op: "find", ...file });
  }

  async #ask(request: AttachmentRequest): Promise<RecordOutcome> {
    const text = encodeAttachmentRequest(request);
    const answer = await this.#bus.request(subjects.attachments, text, { timeoutMs: TIMEOUT_MS });
    if (answer.kind !== "ok") return UNAVAILABLE;
    return decodeRecordOutcome(new TextDecoder().decode(answer.data)) ?? UNAVAILABLE;
  }
}
