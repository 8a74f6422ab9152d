// RawAnswer: writes an HTTP problem to a socket without a response object: for bytes that Node's
// parser refused, a CONNECT, or an upgrade.

import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { ErrorName } from "#shared/protocol/errors.ts";
import { problem, PROBLEM_TYPE } from "#shared/protocol/problem.ts";
import type { ProblemDetail } from "#shared/protocol/problem.ts";

/** Writes the answer and ends the connection. Does nothing more when the peer is gone. */
export function endWithProblem(
  socket: Duplex,
  name: ErrorName,
  more: ProblemDetail,
  headers: Readonly<Record<string, string>> = {},
): void {
  socket.on("error", () => socket.destroy());
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const answer = problem(name, more);
  const body = JSON.stringify(answer);
  const all = {
    "content-type": PROBLEM_TYPE,
    "content-length": String(Buffer.byteLength(body)),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    connection: "close",
    ...(answer.afterMs !== undefined && {
      "retry-after": String(Math.ceil(answer.afterMs / 1_000)),
    }),
    ...headers,
  };
  const lines = Object.entries(all).map(([field, value]) => `${field}: ${value}\r\n`);
  socket.end(
    `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ""}\r\n${lines.join("")}\r\n${body}`,
    () => socket.destroy(),
  );
}
