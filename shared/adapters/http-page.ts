// HttpPage: the page of the web client, with the settings that a gateway gives it.
//
// Owns: the text of `index.html` as it is sent, in three encodings, made once. Does not own: the
// other files (http-static.ts), the flow of the sign-in (client/web).
//
//   http-page.1. The settings stand in a `meta` element as escaped JSON, so the content security
//        policy needs no inline script, and the page no second request.
//   http-page.2. They are public: the issuer, the id of a client without a secret, the audience,
//        the largest attachment, whether users may switch link previews on.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { brotliCompressSync, gzipSync } from "node:zlib";
import type { FastifyReply, FastifyRequest } from "fastify";

/** How the page signs a user in. */
export type WebSignIn =
  | { readonly kind: "dev" }
  /** Another application signs users in. */
  | { readonly kind: "none" }
  | {
      readonly kind: "oidc";
      readonly issuer: string;
      readonly clientId: string;
      readonly scope: string;
      /** What the gateways expect as `aud` of a token. */
      readonly audience: string;
    };

/** What the page knows of attachments before its first request; `{}`: there are none. */
export interface WebAttachments {
  /** The largest file. */
  readonly bytesMax?: number | undefined;
}

/** What the page knows of link previews; `{}`: the cluster makes none (LP1). */
export interface WebLinkPreviews {
  readonly on?: true;
}

export interface PageSettings {
  readonly signIn: WebSignIn;
  /** Default: there are none. */
  readonly attachments?: WebAttachments | undefined;
  readonly linkPreviews?: WebLinkPreviews | undefined;
}

export function openPage(file: string, settings: PageSettings): Page {
  const { signIn, attachments = {}, linkPreviews = {} } = settings;
  const metas = [
    ["sign-in", signIn],
    ["attachments", attachments],
    ["link-previews", linkPreviews],
  ] as const;
  const html = readFileSync(file, "utf8");
  return new Page(metas.reduce((text, [name, value]) => setMeta(text, name, value), html));
}

/** http-page.1. */
function setMeta(html: string, name: string, settings: object): string {
  const json = JSON.stringify(settings).replaceAll("&", "&amp;").replaceAll('"', "&quot;");
  const content = json.replaceAll("<", "&lt;");
  return html.replace(
    new RegExp(`<meta name="parley-${name}"[^>]*>`, "u"),
    () => `<meta name="parley-${name}" content="${content}" />`,
  );
}

/** A page without settings. */
export function openStaticPage(file: string): Page {
  return new Page(readFileSync(file, "utf8"));
}

export class Page {
  readonly #bodies: Readonly<Record<"br" | "gzip" | "identity", Buffer>>;
  readonly #etag: string;

  constructor(html: string) {
    const identity = Buffer.from(html);
    this.#bodies = { br: brotliCompressSync(identity), gzip: gzipSync(identity), identity };
    this.#etag = createHash("sha256").update(identity).digest("base64url").slice(0, 22);
  }

  /** Headers of the caller stay. */
  send(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const encoding = accepted(request.headers["accept-encoding"] ?? "");
    const etag = `W/"${this.#etag}"`;
    reply.header("vary", "accept-encoding").header("etag", etag);
    if (request.headers["if-none-match"] === etag) return reply.code(304).send();
    if (encoding !== "identity") reply.header("content-encoding", encoding);
    return reply.type("text/html; charset=utf-8").send(this.#bodies[encoding]);
  }
}

/** The smallest one that the header names; a `q=0` refuses one. */
function accepted(header: string): "br" | "gzip" | "identity" {
  const names = header
    .split(",")
    .map((part) => part.trim().toLowerCase())
    .filter((part) => !/;\s*q=0(?:\.0*)?$/u.test(part))
    .map((part) => part.split(";")[0]?.trim());
  if (names.includes("br")) return "br";
  return names.includes("gzip") ? "gzip" : "identity";
}
