// Optional targets: valid messages of attachments, webhooks and link previews, which a cluster can
// leave out, and their decoders.

import {
  decodeAttachmentRequest,
  decodeRecordOutcome,
  encodeAttachmentRequest,
  encodeRecordOutcome,
} from "#shared/protocol/attachment-requests.ts";
import { ATTACHMENT_NAME_LENGTH_MAX, PREVIEW_TITLE_LENGTH_MAX } from "#shared/protocol/limits.ts";
import {
  decodePreviewAnswer,
  decodePreviewRequest,
  encodePreviewAnswer,
  encodePreviewRequest,
} from "#shared/protocol/link-previews.ts";
import {
  decodeWebhookAnswer,
  decodeWebhookRequest,
  encodeWebhookAnswer,
  encodeWebhookRequest,
} from "#shared/protocol/webhooks.ts";
import type { WebhookAnswer } from "#shared/protocol/webhooks.ts";
import { ADA, ID, ROOM } from "./samples.ts";
import { of, use } from "./target.ts";
import type { Target } from "./target.ts";

const FILE = { id: ID, name: "a.png", type: "image/png", bytes: 9 } as const;
const UPLOAD = { id: ID, room: ROOM, user: ADA } as const;
const WEBHOOK = {
  webhook: "0199d3c0-0000-7000-8000-000000000002",
  url: "https://hooks.example/chat",
  kinds: ["room.msg", "session.ended"],
  rooms: [ROOM as string],
  author: ADA as string,
} as const;
const { webhook } = WEBHOOK;
const DEAD = { n: 3, id: ID as string, kind: "room.msg", at: 9, attempts: 8, reason: "500" };

export function optionalTargets(): Target[] {
  return [...attachmentTargets(), ...webhookTargets(), ...previewTargets()];
}

function attachmentTargets(): Target[] {
  return [
    of(
      "attachment request",
      [
        encodeAttachmentRequest({ op: "begin", ...UPLOAD, name: "a.png", bytes: 9, quota: 99 }),
        encodeAttachmentRequest({ op: "finish", ...UPLOAD, type: "text/plain" }),
        encodeAttachmentRequest({
          op: "finish",
          ...UPLOAD,
          type: "image/png",
          width: 3,
          height: 2,
        }),
        encodeAttachmentRequest({ op: "find", id: ID, room: ROOM }),
      ],
      decodeAttachmentRequest,
      (request) => {
        if (request.op === "begin") checkLength(request.name, ATTACHMENT_NAME_LENGTH_MAX);
      },
    ),
    of(
      "attachment outcome",
      [
        encodeRecordOutcome({ kind: "begun" }),
        encodeRecordOutcome({ kind: "file", file: { ...FILE, width: 3, height: 2 } }),
        encodeRecordOutcome({ kind: "file", file: FILE }),
        encodeRecordOutcome({ kind: "refused", error: "full" }),
      ],
      decodeRecordOutcome,
      (outcome) => {
        if (outcome.kind === "file") use(outcome.file.type.split("/"), outcome.file.bytes + 1);
      },
    ),
  ];
}

function webhookTargets(): Target[] {
  const secret = `whsec_${"a".repeat(32)}`;
  const { kinds, rooms } = WEBHOOK;
  return [
    of(
      "webhook request",
      [
        encodeWebhookRequest({
          op: "add",
          ...WEBHOOK,
          kinds: [...kinds],
          rooms: [...rooms],
          secret,
        }),
        encodeWebhookRequest({ op: "list" }),
        encodeWebhookRequest({ op: "remove", webhook }),
        encodeWebhookRequest({ op: "dead", webhook, after: 3, limit: 9 }),
        encodeWebhookRequest({ op: "replay", webhook, ids: [ID] }),
        encodeWebhookRequest({ op: "replay", webhook }),
      ],
      decodeWebhookRequest,
      (request) => {
        if (request.op === "add") use(new URL(request.url).host, request.kinds.length);
      },
    ),
    of(
      "webhook answer",
      (
        [
          { kind: "done" },
          {
            kind: "webhooks",
            webhooks: [
              { ...WEBHOOK, created: 1, waiting: 2, dead: 3, behindMs: 4, reason: "timeout" },
            ],
          },
          { kind: "dead", dead: [DEAD] },
          { kind: "replayed", count: 3 },
          { kind: "refused", error: "conflict", detail: "There are too many webhooks." },
        ] satisfies WebhookAnswer[]
      ).map(encodeWebhookAnswer),
      decodeWebhookAnswer,
      useWebhookAnswer,
    ),
  ];
}

/** As the gateway and the command line read it. */
function useWebhookAnswer(answer: WebhookAnswer): void {
  if (answer.kind === "replayed") use(answer.count.toFixed(0));
  if (answer.kind === "refused") use(answer.error.length, answer.detail?.length);
  if (answer.kind === "dead") {
    for (const { id, at, reason } of answer.dead) use(id.length, at.toFixed(0), reason.length);
  }
  if (answer.kind !== "webhooks") return;
  for (const { kinds, rooms, waiting, behindMs, reason } of answer.webhooks) {
    use(kinds.join(), rooms.join(), waiting.toFixed(0), behindMs.toFixed(0), reason?.length);
  }
}

function previewTargets(): Target[] {
  const preview = { title: "Tea", description: "Green, black, white.", site: "Tea House" };
  return [
    of(
      "link preview request",
      [
        encodePreviewRequest("https://tea.example/green?n=1"),
        encodePreviewRequest("http://[2001:db8::1]:8080/"),
      ],
      decodePreviewRequest,
      (url) => {
        // A preview of something else than a page of the web would reach other programs.
        if (!/^https?:/.test(url)) throw new Error("a URL with another scheme");
        if (URL.canParse(url)) use(new URL(url).host);
      },
    ),
    of(
      "link preview answer",
      [
        encodePreviewAnswer({ kind: "preview", preview }),
        encodePreviewAnswer({ kind: "preview", preview: { title: "Tea" } }),
        encodePreviewAnswer({ kind: "none", reason: "nothing" }),
      ],
      decodePreviewAnswer,
      (answer) => {
        if (answer.kind === "none") return;
        const { title, description, site } = answer.preview;
        checkLength(title, PREVIEW_TITLE_LENGTH_MAX);
        use(description?.trim(), site?.trim());
      },
    ),
  ];
}

function checkLength(text: string, max: number): void {
  if (Array.from(text).length > max) throw new Error("a text beyond its bound");
}
