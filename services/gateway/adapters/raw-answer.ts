// RawAnswer: an HTTP problem written to a socket that has no response object: bytes that Node's parser
// refused, a CONNECT, an upgrade.

import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { ErrorName } from "#shared/protocol/errors.ts";
import { problem, PROBLEM_TYPE } from "./problem.ts";
import type { ProblemDetail } from "./problem.ts";

/** Answers and ends the connection. A peer that is gone already gets nothing. */
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
