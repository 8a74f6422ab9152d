// HttpDocs: `/docs`, the descriptions of the API as pages.
//
// Owns: the routes of the pages, their headers, and the plain list of a gateway without a build.
// Does not own: the descriptions (http-meta.ts), what the pages show (client/web/docs), their other
// files (http-static.ts).
//
//   http-docs.1. No inline script and no code from text runs, and nothing comes from another
//        server. The renderer puts its rules into style elements that are empty when they are made:
//        the policy permits exactly those, by the hash of nothing.
//   http-docs.2. Without a build `/docs` lists the operations.

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { FastifyInstance } from "fastify";
import { openStaticPage } from "#shared/adapters/http-page.ts";
import type { HttpRoute } from "./http-route.ts";

const PAGES = ["/docs", "/docs/websocket"];

function sourceHash(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  `style-src 'self' ${sourceHash("")}`, // http-docs.1
  "connect-src 'self'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  // The policy of the page (client/web/docs/main.ts), and the one of the renderer's sanitizer.
  "require-trusted-types-for 'script'",
  "trusted-types default dompurify",
].join("; ");

export function addDocs(app: FastifyInstance, webDir: string, routes: readonly HttpRoute[]): void {
  const file = join(resolve(webDir), "docs.html");
  if (!existsSync(file)) return addList(app, routes);
  const page = openStaticPage(file);
  for (const path of PAGES) {
    app.get(path, { config: { access: "file" } }, (request, reply) =>
      page.send(
        request,
        reply.headers({
          "content-security-policy": POLICY,
          "cross-origin-opener-policy": "same-origin",
          "cache-control": "no-cache",
        }),
      ),
    );
  }
}

/** http-docs.2. */
function addList(app: FastifyInstance, routes: readonly HttpRoute[]): void {
  const page = listOf(routes);
  const policy = `default-src 'none'; style-src ${sourceHash(LIST_STYLE)}; base-uri 'none'; frame-ancestors 'none'`;
  app.get("/docs", (_request, reply) =>
    reply.header("content-security-policy", policy).type("text/html; charset=utf-8").send(page),
  );
}

const LIST_STYLE =
  ":root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}" +
  "body{max-width:46rem;margin:2rem auto;padding:0 1rem}code{font-size:.95em}dd{margin:0 0 1rem}";

function listOf(routes: readonly HttpRoute[]): string {
  const items = routes.map(
    (route) =>
      `<dt><code>${route.method} ${escapeHtml(route.url)}</code></dt>` +
      `<dd>${escapeHtml(route.summary)}${route.access === "bearer" ? " (needs a token)" : ""}` +
      `${route.description === undefined ? "" : `<br>${escapeHtml(route.description)}`}</dd>`,
  );
  return (
    `<!doctype html><html lang="en"><meta charset="utf-8"><title>Parley API</title>` +
    `<meta name="viewport" content="width=device-width"><style>${LIST_STYLE}</style>` +
    `<h1>Parley API</h1><p>The complete description: <a href="/openapi.json">openapi.json</a>. ` +
    `The WebSocket: <a href="/asyncapi.json">asyncapi.json</a>.</p>` +
    `<dl>${items.join("")}</dl></html>`
  );
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
