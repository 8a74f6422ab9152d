// HttpStatic: serves a built page, the web client or the admin page, with headers that block
// injected markup (H4, AP6).
//
//   http-static.1. No inline script or style runs. Both come from this server's files only.
//   http-static.2. A file with a hash in its name may be cached for a year. Other files are
//        revalidated.
//   http-static.3. Files have no CORS headers. A module script sends an Origin to its own host too,
//        so files are served for any Origin.
//   http-static.4. Without a build the process serves everything else, and the page names the build
//        command.
//   http-static.5. The build compressed each file (Brotli, gzip). The smallest one that the client
//        accepts is sent, with `Vary`. No process compresses anything but the page, once.

import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import fastifyStatic from "@fastify/static";
import type { FastifyContextConfig, FastifyInstance } from "fastify";
import { openPage } from "./http-page.ts";
import type { WebAttachments, WebLinkPreviews, WebSignIn } from "./http-page.ts";

/** Vite puts only files with a hash there. */
const HASHED = ["/assets/", "/docs/"];
const KEEP_FOR_A_YEAR = "public, max-age=31536000, immutable";

export interface WebPageConfig {
  readonly webDir: string;
  /** The folder of its sources, for the command that builds it. */
  readonly sources: string;
  /** Of each route. */
  readonly routes: FastifyContextConfig;
  /** The Trusted Types policy of the page. Default: none. */
  readonly policy?: string;
  /** Origins with a WebSocket that the page opens. */
  readonly origins: readonly string[];
  /** Default: another application signs users in. */
  readonly signIn?: WebSignIn;
  /** Default: there are none. */
  readonly attachments?: WebAttachments;
  readonly linkPreviews?: WebLinkPreviews;
  /** Origins that the page may call besides the issuer's. */
  readonly signInOrigins?: readonly string[];
}

export async function addWebPage(app: FastifyInstance, config: WebPageConfig): Promise<void> {
  const { webDir, sources, routes, signIn = { kind: "none" }, attachments, linkPreviews } = config;
  const root = resolve(webDir);
  if (!existsSync(join(root, "index.html"))) {
    app.get("/", { config: routes }, (_request, reply) =>
      reply
        .type("text/html; charset=utf-8")
        .header("cache-control", "no-cache")
        .send(
          `<!doctype html><title>Parley</title><p>The page is not built. Run: npx vite build ${sources}`,
        ),
    );
    return;
  }
  const headers = pageHeaders(config);
  const page = openPage(join(root, "index.html"), { signIn, attachments, linkPreviews });
  await app.register(async (web) => {
    web.addHook("onRoute", (route) => {
      route.config = { ...route.config, ...routes };
    });
    for (const path of ["/", "/index.html"]) {
      web.get(path, (request, reply) =>
        page.send(request, reply.header("cache-control", "no-cache").headers(headers)),
      );
    }
    await web.register(fastifyStatic, {
      root,
      index: false,
      preCompressed: true, // http-static.5
      dotfiles: "ignore",
      cacheControl: false,
      setHeaders(reply, path) {
        const isHashed = HASHED.some((folder) => path.startsWith(join(root, folder)));
        reply.header("cache-control", isHashed ? KEEP_FOR_A_YEAR : "no-cache").headers(headers);
      },
    });
  });
}

/** `'self'` covers the WebSocket in current browsers. Older ones need its scheme. */
function pageHeaders(config: WebPageConfig): Readonly<Record<string, string>> {
  const { origins, policy = "'none'", signIn, signInOrigins = [] } = config;
  const sockets = origins.map((origin) => origin.replace(/^http/, "ws"));
  const issuer = signIn?.kind === "oidc" ? [new URL(signIn.issuer).origin, ...signInOrigins] : [];
  return {
    "content-security-policy": [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      ["connect-src 'self'", ...sockets, ...issuer].join(" "),
      "img-src 'self' data:",
      "font-src 'self'",
      "manifest-src 'self'",
      "worker-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
      `trusted-types ${policy}`,
    ].join("; "),
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
  };
}
