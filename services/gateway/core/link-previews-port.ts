// Link previews port: the preview of a link, for HTTP requests.

import type { PreviewAnswer } from "#shared/protocol/link-previews.ts";

export interface LinkPreviewsApi {
  /** Resolves, never rejects. */
  preview(url: string): Promise<PreviewAnswer>;
}
