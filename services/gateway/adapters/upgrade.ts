// Upgrade: decides which requests may become a WebSocket, and words each refusal.
//
//   upgrade.1. An Origin that is not on the exact list is refused with 403. A client without an
//        Origin passes (S3).
//   upgrade.2. A client that offers subprotocols without `parley.v1` is refused with 400.
//   upgrade.3. Each refusal is a problem that names its reason (H1).
//   upgrade.4. A client that offers no subprotocol is upgraded and then closed with a reason that
//        names `parley.v1`: the WebSocket API hides the text of an HTTP refusal from its program.
//   upgrade.5. While the gateway sheds new connections, it refuses them with 503 and Retry-After
//        before the handshake (L12).

import type { IncomingMessage } from "node:http";
import type { ErrorName } from "#shared/protocol/errors.ts";
import type { Millis } from "#shared/protocol/ids.ts";
import { OVERLOADED } from "../core/shedding.ts";
import { ORIGIN_REFUSED } from "./cors.ts";
import { NO_METHOD } from "./http-methods.ts";
import type { ProblemDetail } from "#shared/protocol/problem.ts";

export const SUBPROTOCOL = "parley.v1";
export const SOCKET_PATH = "/v1/ws";
export const DRAINING = "The gateway is draining: connect again to reach another one.";
/** The only version of the WebSocket protocol (RFC 6455). */
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
    shed,
  }: {
    readonly origins: readonly string[];
    readonly isDraining: () => boolean;
    readonly shed?: (() => Millis | undefined) | undefined;
  },
): UpgradeRefusal | undefined {
  const { headers } = request;
  const [path] = (request.url ?? "").split("?", 1);
  if (path !== SOCKET_PATH)
    return refusal("not_found", `Expected the path ${SOCKET_PATH} for a WebSocket.`);
  if (request.method !== "GET") {
    const more = { status: 405, detail: NO_METHOD };
    return { name: "not_found", more, headers: { allow: "GET" } };
  }
  if (headers.host === undefined) return refusal("bad_frame", "The Host header is missing.");
  if (isDraining()) return refusal("unavailable", DRAINING);
  if (headers.origin !== undefined && !origins.includes(headers.origin)) {
    return refusal("forbidden", ORIGIN_REFUSED); // upgrade.1
  }
  const version = headers["sec-websocket-version"];
  if (version !== VERSION) {
    const fault = version === undefined ? "missing" : "not supported";
    const detail = `The Sec-WebSocket-Version header is ${fault}: expected version ${VERSION}.`;
    const more = { status: 426, detail };
    return {
      name: "bad_frame",
      more,
      headers: { "sec-websocket-version": VERSION, upgrade: "websocket" },
    };
  }
  const key = headers["sec-websocket-key"];
  if (key === undefined) return refusal("bad_frame", "The Sec-WebSocket-Key header is missing.");
  if (!KEY.test(key)) {
    const detail = "The Sec-WebSocket-Key header is not valid: expected 16 bytes in base64.";
    return refusal("bad_frame", detail);
  }
  const offered = headers["sec-websocket-protocol"];
  const isOffered = offered?.split(",").some((name) => name.trim() === SUBPROTOCOL);
  if (isOffered === false) {
    // upgrade.2
    return refusal("bad_frame", `Expected the subprotocol ${SUBPROTOCOL} among those offered.`);
  }
  const afterMs = shed?.(); // L12
  if (afterMs === undefined) return undefined; // Without a subprotocol too: upgrade.4.
  return { name: "busy", more: { detail: OVERLOADED, afterMs } };
}

function refusal(name: ErrorName, detail: string): UpgradeRefusal {
  return { name, more: { detail } };
}
