// AttachmentConfig: the variables that name the store of attachments, for services that use it.

import { z } from "zod";
import { FolderStore } from "../adapters/attachment-folder.ts";
import type { AttachmentStore } from "../ports/attachment-store.ts";
import type { Clock } from "../ports/clock.ts";
import { ObservedStore } from "./observed-store.ts";
import { readSecret } from "./database-config.ts";

export const attachmentConfig = {
  /** off: the cluster takes no attachments. */
  ATTACHMENTS_STORE: z.enum(["off", "folder", "s3"]).default("off"),
  /** The folder, which all gateways and persistence processes share. */
  ATTACHMENTS_DIR: z.string().min(1).optional(),
  /** With the bucket: https://s3.eu-central-1.amazonaws.com/bucket. */
  ATTACHMENTS_S3_URL: z.url({ protocol: /^https?$/ }).optional(),
  ATTACHMENTS_S3_REGION: z.string().min(1).default("us-east-1"),
  ATTACHMENTS_S3_ACCESS_KEY: z.string().min(1).optional(),
  /** A file with the secret key. The value here is the content of the file. */
  ATTACHMENTS_S3_SECRET_KEY_FILE: z.string().transform(readSecret).optional(),
};

type AttachmentConfig = z.output<z.ZodObject<typeof attachmentConfig>>;

/** What is missing for the chosen store; undefined: nothing. */
function attachmentComplaint(config: AttachmentConfig): string | undefined {
  const { ATTACHMENTS_STORE: store } = config;
  const needed = {
    off: [],
    folder: ["ATTACHMENTS_DIR"],
    s3: ["ATTACHMENTS_S3_URL", "ATTACHMENTS_S3_ACCESS_KEY", "ATTACHMENTS_S3_SECRET_KEY_FILE"],
  } as const;
  const missing = needed[store].filter((name) => config[name] === undefined);
  return missing.length === 0
    ? undefined
    : `ATTACHMENTS_STORE=${store} needs ${missing.join(", ")}`;
}

/** A setting is missing. */
export class AttachmentConfigError extends Error {
  override readonly name = "AttachmentConfigError";
}

/**
 * Undefined without attachments. Rejects when a setting is missing, and when the folder or the
 * bucket cannot be used.
 */
export async function openAttachments(
  config: AttachmentConfig,
  clock: Pick<Clock, "now" | "monotonic">,
): Promise<ObservedStore | undefined> {
  const missing = attachmentComplaint(config);
  if (missing !== undefined) throw new AttachmentConfigError(missing);
  if (config.ATTACHMENTS_STORE === "off") return undefined;
  return new ObservedStore(await openStore(config, clock.now()), clock);
}

async function openStore(config: AttachmentConfig, now: number): Promise<AttachmentStore> {
  if (config.ATTACHMENTS_STORE === "folder") {
    return FolderStore.open(config.ATTACHMENTS_DIR ?? "", now);
  }
  // The client of buckets is loaded only where one is used.
  const { S3Store } = await import("../adapters/attachment-s3.ts");
  const store = new S3Store({
    url: config.ATTACHMENTS_S3_URL ?? "",
    region: config.ATTACHMENTS_S3_REGION,
    accessKey: config.ATTACHMENTS_S3_ACCESS_KEY ?? "",
    secretKey: config.ATTACHMENTS_S3_SECRET_KEY_FILE ?? "",
  });
  await store.check();
  return store;
}
