// CheckedRequest: one HTTP request to a stranger, whose address is judged.
//
// Owns: the connection. Does not own: the judgement (addresses.ts), what is read of the answer.
//
//   checked-request.1. A host that is an address is judged before the request, and a name by the
//        look-up of the socket (addresses.2). A refusal rejects with AddressRefused.
//   checked-request.2. No redirect is followed: the caller sends each one as another checked
//        request, or none.
//   checked-request.3. `signal` ends the request in every state, also while the answer is read.

import { Agent as HttpAgent, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { IncomingMessage, OutgoingHttpHeaders } from "node:http";
import { AddressRefused, checkedLookup, isAllowedHost } from "./addresses.ts";
import type { Judge, LookUp } from "./addresses.ts";

export interface Agents {
  readonly "http:": HttpAgent;
  readonly "https:": HttpsAgent;
}

export interface CheckedRequest {
  readonly method: "GET" | "POST";
  readonly headers: OutgoingHttpHeaders;
  readonly body?: string;
  /** Default: the connection ends with the answer. */
  readonly agents?: Agents;
  readonly passes: Judge;
  /** Default: the look-up of the system. */
  readonly lookUp?: LookUp;
  readonly signal: AbortSignal;
}

/** `url`: http or https. */
export async function checkedRequest(url: URL, asked: CheckedRequest): Promise<IncomingMessage> {
  const { method, headers, body, agents, passes, lookUp, signal } = asked;
  if (!isAllowedHost(url.hostname, passes)) throw new AddressRefused();
  const plain = url.protocol === "http:";
  return new Promise((resolve, reject) => {
    const lookup = checkedLookup(passes, lookUp);
    const agent = agents?.[plain ? "http:" : "https:"] ?? false;
    const request = (plain ? httpRequest : httpsRequest)(
      url,
      { method, headers, agent, lookup, signal },
      resolve,
    );
    request.on("error", reject);
    request.end(body);
  });
}
