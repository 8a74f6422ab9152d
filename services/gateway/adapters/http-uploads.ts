// HttpUploads: the route that takes a file for a message.
//
//   http-uploads.1. The owner judges the user before a byte of the content is stored. Who may send
//        to the room may upload.
//   http-uploads.2. The content flows into the store in parts. An upload holds one part in memory,
//        however large it is.
//   http-uploads.3. A user has UPLOADS_PER_USER_MAX uploads in progress, all users have
//        UPLOADS_MAX. Beyond it: `busy`. One of which nothing arrives for a while is cut
//        (http-sockets.6).
//   http-uploads.4. The type comes from the content. What the store has already keeps its type:
//        a repeat with other bytes changes nothing.
//   http-uploads.5. An upload with an id that is known gets the first answer, when room, user, name
//        and length are the same, else `conflict`.

import { Readable } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { AttachmentRecords, RecordRefusal } from "#shared/ports/attachment-records.ts";
import { objectName } from "#shared/ports/attachment-store.ts";
import type { AttachmentStore, ObjectName } from "#shared/ports/attachment-store.ts";
import type { Clock } from "#shared/ports/clock.ts";
import type { Logger } from "#shared/process/logger.ts";
import { attachmentSchemas, inviteIdSchema, roomSchema } from "#shared/protocol/client-frames.ts";
import type { UploadRefusal } from "#shared/protocol/attachments.ts";
import type { ErrorName } from "#shared/protocol/errors.ts";
import type { MessageId } from "#shared/protocol/ids.ts";
import { thumbnailOf } from "#shared/protocol/attachments.ts";
import { ATTACHMENT_UNSENT_MS } from "#shared/protocol/limits.ts";
import { grantFor, isAtLeast } from "#shared/protocol/roles.ts";
import type { FileProofs } from "../core/attachments-port.ts";
import type { RoomApi } from "../core/room-api-port.ts";
import type { Thumbnails } from "../runtime/thumbnails.ts";
import type { AttachmentStats } from "./attachment-stats.ts";
import { fileName } from "./file-name.ts";
import type { HttpRoute } from "./http-route.ts";
import { HEAD_BYTES, isListed, mediaTypeOf } from "./media-type.ts";
import { sendProblem } from "./problem.ts";

export interface UploadParts {
  readonly roomApi: RoomApi;
  readonly records: AttachmentRecords;
  /** Undefined: the cluster takes no attachments. */
  readonly store: AttachmentStore | undefined;
  readonly proofs: FileProofs;
  readonly stats: AttachmentStats;
  readonly thumbnails: Pick<Thumbnails, "of">;
  readonly clock: Pick<Clock, "now">;
  readonly logger: Logger;
  readonly limits: UploadLimits;
}

export interface UploadLimits {
  readonly fileBytesMax: number;
  /** Of all files of a user. */
  readonly userBytesMax: number;
  /** The accepted types, such as `image/*`. */
  readonly types: readonly string[];
}

const params = z.object({
  room: roomSchema,
  id: inviteIdSchema.meta({ description: "A UUIDv7 that the caller makes for the file." }),
});
const query = z.object({
  name: z
    .string()
    .min(1)
    .max(1_024)
    .meta({ description: "As readers see it, for example `photo.jpg`." }),
});
const uploaded = z.object({
  ...attachmentSchemas,
  until: z.number().int().meta({ description: "A message may name the file until then." }),
  proof: z.string(),
});

export const OFF = "This cluster takes no attachments: the setting ATTACHMENTS_STORE is off.";
const REFUSALS: { readonly [R in RecordRefusal]: ErrorName } = {
  conflict: "conflict",
  full: "too_large",
  missing: "unavailable", // It was swept meanwhile: the same request begins it again.
  busy: "busy",
  unavailable: "unavailable",
};

export function uploadRoute(parts: UploadParts): HttpRoute {
  const { uploads } = parts.stats;
  return {
    name: "uploadAttachment",
    method: "PUT",
    url: "/v1/rooms/:room/attachments/:id",
    access: "bearer",
    limited: true,
    errors: ["bad_frame", "forbidden", "not_found", "conflict", "too_large", "busy", "unavailable"],
    summary: "Upload a file for a message",
    description:
      "The body is the file, with a `Content-Length`. Pass the answer in `attachments` of a message within a " +
      "day. A repeated upload with the same id gets the first answer. The type comes from the content.",
    checks: { params, querystring: query },
    binaryBody: true,
    answer: { status: 201, schema: uploaded },
    async handle(request, reply) {
      const { identity } = request;
      if (identity === undefined) return sendProblem(reply, "unauthorized");
      const refuse = refusalsOf(parts.stats, reply);
      if (parts.store === undefined) return refuse("not_found", OFF, "off");
      const { user } = identity;
      if (!uploads.begin(user)) return refuse("busy"); // http-uploads.3
      try {
        return await upload(parts, parts.store, request, reply);
      } finally {
        uploads.end(user);
      }
    },
  };
}

async function upload(
  parts: UploadParts,
  store: AttachmentStore,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { roomApi, records, proofs, clock, limits } = parts;
  const { uploads } = parts.stats;
  const refuse = refusalsOf(parts.stats, reply);
  const { identity } = request;
  if (identity === undefined) return sendProblem(reply, "unauthorized");
  const { room, id } = request.params as z.output<typeof params>;
  const name = fileName((request.query as z.output<typeof query>).name);
  const { user } = identity;
  const bytes = lengthOf(request.headers["content-length"]);
  if (bytes === undefined) return refuse("bad_frame", NO_LENGTH);
  if (bytes > limits.fileBytesMax) {
    const text = `A file has at most ${limits.fileBytesMax} bytes.`;
    return refuse("too_large", text, "size");
  }
  const known = await roomApi.about({ user, grant: grantFor(room, identity), room });
  if (known.kind === "refused") return refuse(known.error);
  if (!isAtLeast(known.about.role, "member")) return refuse("forbidden"); // http-uploads.1
  const begun = await records.begin({ id, room, user, name, bytes, quota: limits.userBytesMax });
  if (begun.kind === "refused") {
    if (begun.error !== "full") return refuse(REFUSALS[begun.error]);
    const full = `All files of a user have at most ${limits.userBytesMax} bytes.`;
    return refuse(REFUSALS.full, full, "quota");
  }
  const until = clock.now() + ATTACHMENT_UNSENT_MS;
  if (begun.kind === "file") {
    uploads.outcomes.add("again");
    return accept(reply, proofs.sign(begun.file, { room, user }, until)); // http-uploads.5
  }
  const object = objectName(id);
  request.server.sockets.allowUpload(request.raw, bytes);
  const stored = await storeContent(request.body as Readable, store, { object, bytes, limits });
  if (stored.kind === "failed") {
    if (stored.isCut) {
      uploads.outcomes.add("aborted");
      return sendProblem(reply, "unavailable");
    }
    parts.logger.warn({ error: stored.error, requestId: request.id }, "an upload failed");
    return refuse("unavailable");
  }
  if (stored.kind === "type") {
    const text = `Files of the type ${stored.type} are not accepted.`;
    return refuse("forbidden", text, "type");
  }
  const size = await storeThumbnail(parts, store, { id, bytes, type: stored.type });
  const finished = await records.finish({ id, room, user, type: stored.type, ...size });
  if (finished.kind !== "file") {
    return refuse(finished.kind === "refused" ? REFUSALS[finished.error] : "internal");
  }
  uploads.outcomes.add("stored");
  uploads.bytes += bytes;
  return accept(reply, proofs.sign(finished.file, { room, user }, until));
}

/** The size of the image when it has a thumbnail now. Never rejects. */
async function storeThumbnail(
  { thumbnails, logger }: UploadParts,
  store: AttachmentStore,
  { id, bytes, type }: { id: MessageId; bytes: number; type: string },
): Promise<{ readonly width: number; readonly height: number } | undefined> {
  const made = await thumbnails.of({ type, bytes }, () => store.get(objectName(id)));
  if (made === undefined) return undefined;
  const { width, height, content } = made;
  const parts = Readable.from([content]);
  try {
    await store.put(objectName(thumbnailOf(id)), parts, content.length);
    return { width, height };
  } catch (error: unknown) {
    logger.warn({ error }, "a thumbnail could not be stored");
    return undefined;
  }
}

type Stored =
  | { readonly kind: "stored"; readonly type: string }
  /** The type is not accepted. */
  | { readonly kind: "type"; readonly type: string }
  /** `isCut`: the client left, or sent nothing for too long. */
  | { readonly kind: "failed"; readonly error: unknown; readonly isCut: boolean };

/** Never rejects. */
async function storeContent(
  body: Readable,
  store: AttachmentStore,
  { object, bytes, limits }: { object: ObjectName; bytes: number; limits: UploadLimits },
): Promise<Stored> {
  const content = new BodyParts(body);
  try {
    const { head, chunks } = await readHead(content);
    const type = await mediaTypeOf(head);
    if (!isListed(limits.types, type)) return { kind: "type", type };
    const outcome = await store.put(object, rest(chunks, content), bytes);
    if (outcome === "stored") return { kind: "stored", type };
    const first = await storedType(store, object); // http-uploads.4
    return { kind: "stored", type: first };
  } catch (error: unknown) {
    return { kind: "failed", error, isCut: content.isCut };
  }
}

/** A body that ends early rejects. The store that stops to read it only destroys it. */
class BodyParts implements AsyncIterator<Uint8Array> {
  isCut = false;
  readonly #parts: AsyncIterator<Uint8Array>;

  constructor(body: Readable) {
    this.#parts = body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    try {
      return await this.#parts.next();
    } catch (error: unknown) {
      this.isCut = true;
      throw error;
    }
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    await this.#parts.return?.();
    return { done: true, value: undefined };
  }
}

async function storedType(store: AttachmentStore, object: ObjectName): Promise<string> {
  const found = await store.get(object);
  if (found === undefined) throw new Error("an object that exists cannot be read");
  try {
    return await mediaTypeOf((await readHead(found.content[Symbol.asyncIterator]())).head);
  } finally {
    await found.close();
  }
}

/** The first bytes, and the parts that they came in. */
async function readHead(
  content: AsyncIterator<Uint8Array>,
): Promise<{ readonly head: Uint8Array; readonly chunks: readonly Uint8Array[] }> {
  const chunks: Uint8Array[] = [];
  for (let bytes = 0; bytes < HEAD_BYTES;) {
    const next = await content.next();
    if (next.done === true) break;
    chunks.push(next.value);
    bytes += next.value.byteLength;
  }
  return { head: Buffer.concat(chunks).subarray(0, HEAD_BYTES), chunks };
}

async function* rest(
  chunks: readonly Uint8Array[],
  content: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield* chunks;
  yield* { [Symbol.asyncIterator]: () => content };
}

const NO_LENGTH = "The Content-Length header is missing: expected 1 or more bytes.";

function lengthOf(header: string | undefined): number | undefined {
  const bytes = header === undefined ? 0 : Number(header);
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : undefined;
}

function accept(reply: FastifyReply, file: object): FastifyReply {
  return reply.code(201).header("cache-control", "no-store").send(file);
}

type Refuse = (error: ErrorName, detail?: string, reason?: UploadRefusal) => FastifyReply;

/** The rest of the body is not read: the connection ends with the answer. */
function refusalsOf({ uploads }: AttachmentStats, reply: FastifyReply): Refuse {
  return (error, detail, reason) => {
    uploads.outcomes.add(reason ?? error);
    if (!reply.request.raw.complete) reply.header("connection", "close");
    return sendProblem(reply, error, { detail, reason });
  };
}
