// HttpMethods: answers 405 with `Allow` for every method that a known path does not serve (H6).

import type { FastifyInstance, onRequestHookHandler } from "fastify";
import { sendProblem } from "./problem.ts";
import { ServedPaths } from "./served-paths.ts";
import type { ServedPath } from "./served-paths.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** The path of a request whose method it does not serve, or whose method is OPTIONS. */
    unserved: ServedPath | undefined;
  }
}

/** Call it before the first hook and the first route. */
export function collectMethods(app: FastifyInstance): void {
  const paths = new ServedPaths();
  // The page of the web client comes from a wildcard route.
  paths.add("/", ["GET", "HEAD"]);
  app.addHook("onRoute", ({ url, method }) => {
    if (!url.includes("*")) paths.add(url, [method].flat());
  });
  app.decorateRequest("unserved", undefined);
  app.addHook("onRequest", (request, _reply, done) => {
    // The wildcard route serves the methods of files, also of the paths that have other routes.
    const isFile = request.routeOptions.url?.includes("*") === true;
    if (request.is404 || isFile) request.unserved = paths.find(request.url);
    done();
  });
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
    } else if (request.unserved !== undefined) {
      reply.header("allow", request.unserved.allow);
      if (request.method === "OPTIONS") reply.code(204).send();
      else sendProblem(reply, "not_found", { status: 405, detail: NO_METHOD });
    } else if (request.is404) sendProblem(reply, "not_found");
    else done();
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
