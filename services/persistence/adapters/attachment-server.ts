// AttachmentServer: answers `att` for the gateways. Any persistence process may answer.
//
// Owns: how many requests run at a time. Does not own: the records (postgres-attachments.ts), the
// bytes (the gateways write them).
//
//   attachment-server.1. It works on at most REQUESTS_MAX requests at a time; one more gets `busy`.
//   attachment-server.2. Every request is answered. One that cannot be decoded gets `unavailable`:
//        it is one of a newer gateway (N5).

import type { AttachmentRecords, RecordOutcome } from "#shared/ports/attachment-records.ts";
import type { Bus, BusMessage, Subscription } from "#shared/ports/bus.ts";
import {
  decodeAttachmentRequest,
  encodeRecordOutcome,
} from "#shared/protocol/attachment-requests.ts";
import type { AttachmentRequest } from "#shared/protocol/attachment-requests.ts";
import { ATTACHMENT_QUEUE, subjects } from "#shared/protocol/subjects.ts";

export const REQUESTS_MAX = 64;

export class AttachmentServer {
  readonly #bus: Pick<Bus, "publish" | "subscribe">;
  readonly #records: AttachmentRecords;
  #subscription: Subscription | undefined;
  #working = 0;

  constructor(bus: Pick<Bus, "publish" | "subscribe">, records: AttachmentRecords) {
    this.#bus = bus;
    this.#records = records;
  }

  start(): void {
    const onRequest = (message: BusMessage): void => void this.#onRequest(message);
    const options = { queue: ATTACHMENT_QUEUE };
    this.#subscription = this.#bus.subscribe(subjects.attachments, onRequest, options);
  }

  stop(): void {
    this.#subscription?.unsubscribe();
  }

  async #onRequest({ data, reply }: BusMessage): Promise<void> {
    if (reply === undefined) return;
    let outcome: RecordOutcome = { kind: "refused", error: "busy" }; // attachment-server.1
    if (this.#working < REQUESTS_MAX) {
      this.#working++;
      outcome = await this.#answer(decodeAttachmentRequest(new TextDecoder().decode(data)));
      this.#working--;
    }
    this.#bus.publish(reply, encodeRecordOutcome(outcome));
  }

  async #answer(request: AttachmentRequest | undefined): Promise<RecordOutcome> {
    // attachment-server.2
    if (request === undefined) return { kind: "refused", error: "unavailable" };
    switch (request.op) {
      case "begin":
        return this.#records.begin(request);
      case "finish":
        return this.#records.finish(request);
      case "find":
      default:
        return this.#records.find(request);
    }
  }
}
