// HttpAttachments: the routes of attachments, from what the process has for them.

import { fileRoutes } from "./http-files.ts";
import type { FileParts } from "./http-files.ts";
import type { HttpRoute } from "./http-route.ts";
import { uploadRoute } from "./http-uploads.ts";
import type { UploadParts } from "./http-uploads.ts";

type Shared = "roomApi" | "clock" | "logger";
type AllParts = FileParts & UploadParts;
export type AttachmentOptions = Omit<AllParts, Shared>;

export function attachmentRoutes(
  attachments: AttachmentOptions,
  shared: Pick<AllParts, Shared>,
): readonly HttpRoute[] {
  const parts = { ...attachments, ...shared };
  return [uploadRoute(parts), ...fileRoutes(parts)];
}
