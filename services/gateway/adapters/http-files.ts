// HttpFiles: the routes that show an attachment: a link to it, and the bytes behind the link.
//
// A link is signed and ends. It needs no header, so that `<img>` and `<a>` can open it.
//
//   http-files.1. A link gives no right. Each request for the bytes asks the owner whether the user
//        of the link may read the room now, and persistence whether the file is still there. So a
//        removal, a deletion and a revoked token end every link.
//   http-files.2. The bytes come through the gateway, also from S3: a link that S3 signs would
//        outlive the right, and cannot have these headers.
//   http-files.3. No browser runs a file: `nosniff`, a policy that allows nothing in a sandbox,
//        and `attachment` for all but images, sound and video.
//   http-files.4. A user has DOWNLOADS_PER_USER_MAX in progress, all users have DOWNLOADS_MAX.
//        Beyond it: `busy`.
//   http-files.5. A file never changes, so its id is its ETag. A browser asks again each time.

import { Readable } from "node:stream";
import { create as contentDisposition } from "content-disposition";
import type { FastifyReply } from "fastify";
import { z } from "zod";
import type { AttachmentRecords, RecordRefusal } from "#shared/ports/attachment-records.ts";
import { objectName } from "#shared/ports/attachment-store.ts";
import type { AttachmentStore, BytePart, StoredObject } from "#shared/ports/attachment-store.ts";
import type { Clock } from "#shared/ports/clock.ts";
import type { Logger } from "#shared/process/logger.ts";
import { thumbnailOf } from "#shared/protocol/attachments.ts";
import type { Attachment } from "#shared/protocol/attachments.ts";
import { attachmentSchemas, inviteIdSchema, roomSchema } from "#shared/protocol/client-frames.ts";
import type { ErrorName } from "#shared/protocol/errors.ts";
import { grantFor } from "#shared/protocol/roles.ts";
import type { FileLink, FileLinks } from "../core/attachments-port.ts";
import type { Identity } from "#shared/ports/identity.ts";
import type { RoomApi } from "../core/room-api-port.ts";
import type { AttachmentStats } from "./attachment-stats.ts";
import type { HttpRoute } from "./http-route.ts";
import { OFF } from "./http-uploads.ts";
import { sendProblem } from "./problem.ts";
import type { ProblemDetail } from "#shared/protocol/problem.ts";

export interface FileParts {
  readonly roomApi: RoomApi;
  readonly records: AttachmentRecords;
  /** Undefined: the cluster takes no attachments. */
  readonly store: AttachmentStore | undefined;
  readonly links: FileLinks;
  readonly stats: AttachmentStats;
  readonly linkMs: number;
  readonly isRevoked: (identity: Identity, now: number) => boolean;
  readonly clock: Pick<Clock, "now">;
  readonly logger: Logger;
}

const NOT_LINKED = "The link is not valid, or has ended: ask for a new one.";
const INLINE = /^(?:image\/(?:png|jpeg|gif|webp|avif)|audio\/|video\/)/;
const THUMBNAIL_TYPE = "image/webp";
const HEADERS = {
  "content-security-policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  // The link is the right: a page of another origin may show what its user may read.
  "cross-origin-resource-policy": "cross-origin",
  "cache-control": "private, no-cache",
  "accept-ranges": "bytes",
};

const params = z.object({ room: roomSchema, id: inviteIdSchema });
const linkParams = z.object({ link: z.string().min(1) });
const linked = z.object({
  ...attachmentSchemas,
  url: z.string().meta({ description: "The path of the bytes. It needs no token." }),
  thumbnail: z.string().optional().meta({ description: "The path of a small WebP image." }),
  until: z.number().int().meta({ description: "When the paths end." }),
});

export function fileRoutes(parts: FileParts): readonly HttpRoute[] {
  return [linkRoute(parts), contentRoute(parts)];
}

function linkRoute(parts: FileParts): HttpRoute {
  return {
    name: "linkAttachment",
    method: "GET",
    url: "/v1/rooms/:room/attachments/:id",
    access: "bearer",
    limited: true,
    errors: ["forbidden", "not_found", "busy", "unavailable"],
    summary: "Get a link to an attachment",
    description:
      "For a user who may read the room. The link ends, and it ends at once with the user's right to read.",
    checks: { params },
    answer: { status: 200, schema: linked },
    async handle(request, reply) {
      const { identity } = request;
      if (identity === undefined) return sendProblem(reply, "unauthorized");
      if (parts.store === undefined) return sendProblem(reply, "not_found", { detail: OFF });
      const { room, id } = request.params as z.output<typeof params>;
      const { user, issuedAt, expiresAt } = identity;
      const grant = grantFor(room, identity);
      const until = Math.min(parts.clock.now() + parts.linkMs, expiresAt);
      const link = { id, room, user, grant, issuedAt, until };
      const found = await fileOf(parts, link);
      if (typeof found === "string") return sendProblem(reply, found);
      const urlOf = (isThumbnail: boolean): string =>
        `/v1/files/${parts.links.encode({ ...link, isThumbnail })}`;
      const thumbnail = found.width !== undefined && { thumbnail: urlOf(true) };
      reply.header("cache-control", "no-store");
      return reply.send({ ...found, url: urlOf(false), ...thumbnail, until });
    },
  };
}

function contentRoute(parts: FileParts): HttpRoute {
  const { downloads } = parts.stats;
  return {
    name: "readAttachment",
    method: "GET",
    url: "/v1/files/:link",
    access: "open",
    limited: false,
    errors: ["forbidden", "not_found", "busy", "unavailable"],
    summary: "Read the bytes of an attachment",
    description: "`link`: from the answer with a link. One `Range` of bytes is served.",
    checks: { params: linkParams },
    // `mediaTypeOf` names the type when the file is stored.
    answer: { status: 200, type: "*/*", inParts: true, schema: z.string() },
    async handle(request, reply) {
      const { links, clock, isRevoked, store } = parts;
      if (store === undefined) {
        downloads.outcomes.add("off");
        return sendProblem(reply, "not_found", { detail: OFF });
      }
      const link = links.decode((request.params as z.output<typeof linkParams>).link);
      const now = clock.now();
      if (link === undefined || link.until < now || isRevoked(identityOf(link), now)) {
        return refuse(parts, reply, "forbidden", { detail: NOT_LINKED });
      }
      if (!downloads.begin(link.user)) return refuse(parts, reply, "busy"); // http-files.4
      reply.raw.once("close", () => downloads.end(link.user));
      const { range, "if-none-match": etag, "if-range": ifRange } = request.headers;
      const asked = { range: ifRange === undefined ? range : undefined, etag };
      return sendContent(parts, store, link, asked, reply);
    },
  };
}

/** For the revocations, which go by user and `iat`. */
function identityOf({ user, issuedAt, until: expiresAt }: FileLink): Identity {
  return { user, admin: false, expiresAt, ...(issuedAt !== undefined && { issuedAt }) };
}

async function sendContent(
  parts: FileParts,
  store: AttachmentStore,
  link: FileLink,
  asked: { readonly range: string | undefined; readonly etag: string | undefined },
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { downloads } = parts.stats;
  const file = await fileOf(parts, link); // http-files.1
  if (typeof file === "string") return refuse(parts, reply, file);
  const name = link.isThumbnail ? thumbnailOf(link.id) : link.id;
  const etag = `"${name}"`;
  reply.headers(HEADERS).header("etag", etag);
  if (asked.etag === etag) {
    downloads.outcomes.add("not_modified");
    return reply.code(304).send();
  }
  const part = link.isThumbnail ? undefined : partOf(asked.range, file.bytes);
  if (part === "outside") {
    reply.header("content-range", `bytes */${file.bytes}`);
    return refuse(parts, reply, "bad_frame", { status: 416, detail: "The file has no such part." });
  }
  let object: StoredObject | undefined;
  try {
    object = await store.get(objectName(name), part);
  } catch (error: unknown) {
    parts.logger.warn({ error, requestId: reply.request.id }, "an attachment cannot be read");
    return refuse(parts, reply, "unavailable");
  }
  if (object === undefined) return refuse(parts, reply, "not_found");
  downloads.outcomes.add("sent");
  const { bytes, content } = object;
  reply.raw.once("close", () => void object.close());
  const type = link.isThumbnail ? THUMBNAIL_TYPE : file.type;
  const disposition = contentDisposition(file.name, {
    type: INLINE.test(type) ? "inline" : "attachment",
  });
  reply.type(type === "text/plain" ? "text/plain; charset=utf-8" : type);
  reply.header("content-disposition", disposition);
  if (part !== undefined) {
    reply.code(206).header("content-range", `bytes ${part.first}-${part.last}/${bytes}`);
  }
  reply.header("content-length", part === undefined ? bytes : part.last - part.first + 1);
  return reply.send(Readable.from(counted(content, downloads), { objectMode: false }));
}

async function* counted(
  content: AsyncIterable<Uint8Array>,
  downloads: AttachmentStats["downloads"],
): AsyncGenerator<Uint8Array> {
  for await (const part of content) {
    downloads.bytes += part.byteLength;
    yield part;
  }
}

function refuse(
  { stats }: FileParts,
  reply: FastifyReply,
  error: ErrorName,
  detail: ProblemDetail = {},
): FastifyReply {
  stats.downloads.outcomes.add(error);
  return sendProblem(reply, error, detail);
}

/** The file when the user of the link may read it now, or the refusal. */
async function fileOf(
  { roomApi, records }: FileParts,
  { id, room, user, grant }: Pick<FileLink, "id" | "room" | "user" | "grant">,
): Promise<Attachment | ErrorName> {
  const [known, record] = await Promise.all([
    roomApi.about({ user, grant, room }),
    records.find({ id, room }),
  ]);
  if (known.kind === "refused") return known.error;
  if (record.kind === "file") return record.file;
  return record.kind === "refused" ? REFUSALS[record.error] : "internal";
}

const REFUSALS: { readonly [R in RecordRefusal]: ErrorName } = {
  conflict: "not_found",
  full: "not_found",
  missing: "not_found",
  busy: "busy",
  unavailable: "unavailable",
};

/** One part, or undefined for the whole: also for a text that is none. */
function partOf(range: string | undefined, bytes: number): BytePart | "outside" | undefined {
  const [, from = "", to = ""] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(range ?? "") ?? [];
  if (from === "" && to === "") return undefined;
  const first = from === "" ? Math.max(0, bytes - Number(to)) : Number(from);
  const last = from === "" || to === "" ? bytes - 1 : Math.min(Number(to), bytes - 1);
  if (from !== "" && to !== "" && Number(to) < first) return undefined;
  return first > last ? "outside" : { first, last };
}
