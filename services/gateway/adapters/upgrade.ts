// Upgrade: which requests may become a WebSocket, and why another one may not.
//
//   upgrade.1. An Origin off the exact list is refused with 403; a client without Origin passes (S3).
//   upgrade.2. A client that does not offer `parley.v1` is refused with 400.
//   upgrade.3. Each refusal is a problem that names its reason (H1).

import type { IncomingMessage } from "node:http";
import type { ErrorName } from "#shared/protocol/errors.ts";
import type { ProblemDetail } from "./problem.ts";

export const SUBPROTOCOL = "parley.v1";
export const SOCKET_PATH = "/v1/ws";
/** The one version of the protocol that exists (RFC 6455). */
const VERSION = "13";
/** 16 bytes in base64. */
const KEY = /^[+/0-9A-Za-z]{22}==$/;

export interface UpgradeRefusal {
  readonly name: ErrorName;
  readonly more: ProblemDetail;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Undefined: the request may be upgraded. */
export function refuseUpgrade(
  request: IncomingMessage,
  {
    origins,
    isDraining,
  }: { readonly origins: readonly string[]; readonly isDraining: () => boolean },
): UpgradeRefusal | undefined {
  const { headers } = request;
  const [path] = (request.url ?? "").split("?", 1);
  if (path !== SOCKET_PATH) return refusal("not_found", `no WebSocket at this path`);
  if (request.method !== "GET") {
    const more = { status: 405, detail: "this path has no such method" };
    return { name: "not_found", more, headers: { allow: "GET" } };
  }
  if (headers.host === undefined) return refusal("bad_frame", "one Host header is needed");
  if (isDraining()) return refusal("unavailable", "The gateway is leaving.");
  if (headers.origin !== undefined && !origins.includes(headers.origin)) {
    return refusal("forbidden", "This origin is not on the list."); // upgrade.1
  }
  if (headers["sec-websocket-version"] !== VERSION) {
    const more = { status: 426, detail: `WebSocket version ${VERSION} is needed` };
    return {
      name: "bad_frame",
      more,
      headers: { "sec-websocket-version": VERSION, upgrade: "websocket" },
    };
  }
  if (!KEY.test(headers["sec-websocket-key"] ?? "")) {
    return refusal("bad_frame", "Sec-WebSocket-Key is missing or not valid");
  }
  const offered = (headers["sec-websocket-protocol"] ?? "").split(",");
  if (offered.some((name) => name.trim() === SUBPROTOCOL)) return undefined;
  return refusal("bad_frame", `the subprotocol ${SUBPROTOCOL} must be offered`); // upgrade.2
}

function refusal(name: ErrorName, detail: string): UpgradeRefusal {
  return { name, more: { detail } };
}
