// PreviewServer: answers the requests for previews of links.
//
// Owns: the subscription on `link.preview`. Does not own: the previews (link-previews.ts), who may
// ask (the gateway's route).

import type { Bus, Subscription } from "#shared/ports/bus.ts";
import { decodePreviewRequest, encodePreviewAnswer } from "#shared/protocol/link-previews.ts";
import { LINK_QUEUE, subjects } from "#shared/protocol/subjects.ts";
import type { LinkPreviews } from "../runtime/link-previews.ts";

export function openPreviews(
  bus: Pick<Bus, "publish" | "subscribe">,
  previews: Pick<LinkPreviews, "preview">,
): Subscription {
  return bus.subscribe(
    subjects.linkPreview,
    ({ data, reply }) => {
      const url = decodePreviewRequest(new TextDecoder().decode(data));
      if (url === undefined || reply === undefined) return; // N5
      void previews.preview(url).then((answer) => bus.publish(reply, encodePreviewAnswer(answer)));
    },
    { queue: LINK_QUEUE },
  );
}
