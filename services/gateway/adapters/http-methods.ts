// HttpMethods: answers 405 with `Allow` for every method that a known path does not serve (H6).

import { METHODS } from "node:http";
import type { FastifyInstance, onRequestHookHandler } from "fastify";
import { sendProblem } from "./problem.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Set on the routes for methods that the path does not serve: the methods that it serves. */
    allow?: string;
  }
}

/** Call it before the first route, and the returned function after the last one. */
export function collectMethods(app: FastifyInstance): () => void {
  for (const method of METHODS) {
    if (!app.supportedMethods.includes(method)) app.addHttpMethod(method);
  }
  const byPath = new Map<string, Set<string>>();
  app.addHook("onRoute", ({ url, method, config }) => {
    if (config?.allow !== undefined || url.includes("*")) return;
    const methods = byPath.get(url) ?? new Set(["OPTIONS"]);
    byPath.set(url, methods);
    for (const name of [method].flat()) methods.add(name);
  });
  return () => {
    // The page of the web client comes from a wildcard route.
    if (!byPath.has("/")) byPath.set("/", new Set(["GET", "HEAD", "OPTIONS"]));
    for (const [url, methods] of byPath) {
      const allow = [...methods].toSorted().join(", ");
      app.route({
        url,
        method: app.supportedMethods.filter((name) => name === "OPTIONS" || !methods.has(name)),
        config: { allow },
        handler: (_request, reply) => reply.callNotFound(), // methodHook answers first.
      });
    }
  };
}

export const NO_METHOD =
  "This path does not serve this method: the Allow header lists its methods.";

/** Answers requests without a handler, before a token is checked or a body is read. */
export function methodHook(): onRequestHookHandler {
  return (request, reply, done) => {
    if (request.url !== request.originalUrl) {
      sendProblem(reply, "bad_frame", {
        detail: "The path of the URL cannot be decoded: expected percent-encoded UTF-8.",
      });
    } else if (request.is404) {
      sendProblem(reply, "not_found");
    } else {
      const { allow } = request.routeOptions.config;
      if (allow === undefined) return done();
      reply.header("allow", allow);
      if (request.method === "OPTIONS") reply.code(204).send();
      else sendProblem(reply, "not_found", { status: 405, detail: NO_METHOD });
    }
  };
}

/** Replaces a path that cannot be decoded. No route has it. */
const NO_PATH = "/%00";

/** The router refuses such a URL before any hook runs, so it never receives one (http.1). */
export function decodableUrl(url: string): string {
  if (!url.includes("%")) return url;
  try {
    decodeURIComponent(url.split(/[?#;]/, 1)[0] ?? "");
    return url;
  } catch {
    return NO_PATH;
  }
}
