// Options: what a program passes to the client, to a join, and to the creation of a room.

import type { Clock, Random } from "#shared/ports/clock.ts";
import type { MemberRole } from "#shared/protocol/roles.ts";
import type { Outbox } from "./kept-sends.ts";

export interface ParleyOptions {
  /**
   * The address of the WebSocket: `ws://host:port/v1/ws` or `wss://host/v1/ws`. With a list, an
   * attempt that fails is followed by one at the next address, and the last one by the first.
   */
  readonly url: string | readonly string[];
  /**
   * A JWT, or a function that returns one. The SDK calls the function for every connection and
   * before a token expires. With a text, the client stops when that token expires.
   */
  readonly token: string | (() => Promise<string>);
  /** The name of this program, for the server: `web/1.0`. At most 64 characters. */
  readonly client?: string;
  /** The name of this device, for the list of sessions: `Firefox, Linux`. At most 64 characters. */
  readonly device?: string;
  /** The WebSocket class; default: the global one, which browsers and Node have. */
  readonly webSocket?: typeof WebSocket;
  /**
   * Keeps sends without an outcome, so that they survive a reload or a crash: `indexedDbOutbox`
   * of `@parley/client/browser`, or `fileOutbox` of `@parley/client/node`. A send is then given up
   * after a day instead of five minutes.
   */
  readonly outbox?: Outbox;
  /** For tests. */
  readonly clock?: Clock;
  /** For tests. */
  readonly random?: Random;
}

/** Where delivery begins. */
export interface JoinOptions {
  /** Delivers every event above this sequence number. Without it, delivery begins with the tail. */
  readonly after?: number;
  /**
   * With `after`: `RoomHandle.born` of the run that stored the cursor. A room that was recreated
   * since then gets a "reset". Without it the SDK cannot recognise each of these.
   */
  readonly born?: string;
  /** The number of latest events with which delivery begins, 0 to 200; default: 50. */
  readonly tail?: number;
}

/** A room to create. */
export interface CreateOptions {
  /** In an open room every user is a member; in a closed room only who is invited. */
  readonly kind: "open" | "closed";
  readonly title?: string;
  readonly topic?: string;
  readonly avatar?: string;
  /** The lowest role that may send; default `member`. */
  readonly sendRole?: MemberRole;
  /** The invited members, at most 100; default role: `member`. */
  readonly members?: readonly { readonly user: string; readonly role?: MemberRole }[];
  /** A UUIDv7, to retry a creation of an earlier run of the program; default: a new one. */
  readonly id?: string;
}
