// HttpStatic: serves the built web client, with headers that block injected markup (H4).
//
//   http-static.1. No inline script or style runs. Both come from this server's files only.
//   http-static.2. A file with a hash in its name may be cached for a year. Other files are
//        revalidated.
//   http-static.3. Files are served for any Origin, without CORS headers.
//   http-static.4. Without a build the gateway serves everything else, and the page names the build
//        command.

import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance } from "fastify";

/** Vite puts only files with a hash there. */
const HASHED = "/assets/";
const KEEP_FOR_A_YEAR = "public, max-age=31536000, immutable";

export async function addWebClient(
  app: FastifyInstance,
  { webDir, origins }: { readonly webDir: string; readonly origins: readonly string[] },
): Promise<void> {
  const root = resolve(webDir);
  if (!existsSync(join(root, "index.html"))) {
    app.get("/", { config: { access: "file" } }, (_request, reply) =>
      reply
        .type("text/html; charset=utf-8")
        .header("cache-control", "no-cache")
        .send(
          "<!doctype html><title>Parley</title><p>The web client is not built. Run: npx vite build client/web",
        ),
    );
    return;
  }
  const headers = pageHeaders(origins);
  await app.register(async (web) => {
    web.addHook("onRoute", (route) => {
      route.config = { ...route.config, access: "file" }; // http-static.3
    });
    await web.register(fastifyStatic, {
      root,
      index: "index.html",
      dotfiles: "ignore",
      cacheControl: false,
      setHeaders(reply, path) {
        const isHashed = path.startsWith(join(root, HASHED));
        reply.header("cache-control", isHashed ? KEEP_FOR_A_YEAR : "no-cache").headers(headers);
      },
    });
  });
}

/** `'self'` covers the WebSocket in current browsers. Older ones need its scheme. */
function pageHeaders(origins: readonly string[]): Readonly<Record<string, string>> {
  const sockets = origins.map((origin) => origin.replace(/^http/, "ws"));
  return {
    "content-security-policy": [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      ["connect-src 'self'", ...sockets].join(" "),
      "img-src 'self' data:",
      "font-src 'self'",
      "manifest-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join("; "),
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
  };
}
