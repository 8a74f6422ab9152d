// WireClientOptions: the parameters of a WireClient: its user, its endpoints, the rooms that it
// joins, and the hooks for its records and answers.

import type { JsonObject } from "#shared/kit/json.ts";
import type { MessageId, RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import type { ClientRecord } from "../checker/record.ts";

export interface Endpoint {
  /** The gateway's name in the records. */
  readonly name: string;
  /** `ws://…/v1/ws`. */
  readonly url: string;
}

/**
 * Where the first join of a room begins: after a cursor (default: 0), or with the last `tail`
 * events.
 */
export interface RoomStart {
  readonly room: RoomId;
  readonly after?: Seq;
  readonly tail?: number;
  /** The user may lose the right to read it (wire-client.6). Otherwise a refusal is a surprise. */
  readonly isClosed?: boolean;
}

export interface Refusal {
  readonly id: MessageId;
  readonly room: RoomId;
  /** The error's name. */
  readonly error: string;
  readonly afterMs: number;
  /** The room has decided against it: no retry can change the answer. */
  readonly isFinal: boolean;
}

export interface WireClientHooks {
  /** Receives every record of the client in order. */
  readonly onRecord?: (record: ClientRecord) => void;
  /** Receives every decoded frame before the client handles it. */
  readonly onFrame?: (frame: JsonObject) => void;
  readonly onJoined?: (room: RoomId) => void;
  readonly onAck?: (room: RoomId, id: MessageId, seq: Seq) => void;
  /** The server refused a send; unless `isFinal`, it accepts a retry after `afterMs`. */
  readonly onRefused?: (refusal: Refusal) => void;
  /** The connection was lost while these sends were in flight, in the order of their first send. */
  readonly onLost?: (ids: readonly MessageId[]) => void;
  /** The gateway leaves and asks the client to reconnect after `afterMs`. */
  readonly onReconnect?: (afterMs: number) => void;
  /** The connection closed. `reason`: the socket's error, if it had one. */
  readonly onClosed?: (code: number, reason: string | undefined) => void;
  /** An answer that a client which follows the protocol must never get. */
  readonly onSurprise?: (what: string) => void;
}

/** The first connection goes to the first endpoint, each further one to the next. */
export function inTurn(endpoints: readonly Endpoint[]): (n: number) => Endpoint {
  return (n) => {
    const endpoint = endpoints[n % endpoints.length];
    if (endpoint === undefined) throw new Error("a client needs an endpoint");
    return endpoint;
  };
}

export interface WireClientOptions {
  readonly user: UserId;
  readonly token: string;
  /** Returns the endpoint of connection `n`, from 0 on. */
  readonly endpoint: (n: number) => Endpoint;
  readonly rooms?: readonly RoomStart[];
  /** Default: true. */
  readonly reconnects?: boolean;
  readonly welcomeWithinMs?: number;
  /** wire-client.4. Default: the client waits until the socket closes. */
  readonly silenceMs?: number;
  readonly localAddress?: string;
  /** Milliseconds on the clock of the records. Default: performance.now. */
  readonly now?: () => number;
  /** The checker judges presence only for clients that record it. */
  readonly recordsPresence?: boolean;
  readonly hooks?: WireClientHooks;
}
