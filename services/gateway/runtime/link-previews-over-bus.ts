// LinkPreviewsOverBus: asks a webhooks process. It implements the LinkPreviewsApi port.

import type { Bus } from "#shared/ports/bus.ts";
import { decodePreviewAnswer, encodePreviewRequest } from "#shared/protocol/link-previews.ts";
import type { PreviewAnswer } from "#shared/protocol/link-previews.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import type { LinkPreviewsApi } from "../core/link-previews-port.ts";

/** Longer than the fetch of a page (PAGE_TIMEOUT_MS of webhooks). */
const TIMEOUT_MS = 7_000;

export class LinkPreviewsOverBus implements LinkPreviewsApi {
  readonly #bus: Pick<Bus, "request"> | undefined;

  /** Undefined: previews are off (LP1). */
  constructor(bus: Pick<Bus, "request"> | undefined) {
    this.#bus = bus;
  }

  async preview(url: string): Promise<PreviewAnswer> {
    if (this.#bus === undefined) return { kind: "none", reason: "off" };
    const answer = await this.#bus.request(subjects.linkPreview, encodePreviewRequest(url), {
      timeoutMs: TIMEOUT_MS,
    });
    const text = answer.kind === "ok" ? new TextDecoder().decode(answer.data) : "";
    return decodePreviewAnswer(text) ?? { kind: "none", reason: "unavailable" }; // LP2
  }
}
