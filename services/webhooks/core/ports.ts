// Ports of the webhooks service: its store, the stream of sessions, the sender, and the fetcher of
// pages.

import type { ListedWebhook, NewWebhook, Webhook } from "#shared/protocol/webhooks.ts";
import type { Cursor, Move } from "./chunk.ts";

/** An event for one subscription. */
export interface Item {
  /** Whose events are in order: a room, or a user of sessions. */
  readonly lane: string;
  /** `webhook-id`: the same at every attempt. */
  readonly id: string;
  readonly kind: string;
  /** When the archive, or the stream of sessions, got it. */
  readonly at: number;
  /** JSON: the `data` of the payload. */
  readonly data: string;
  /** A room event is read again before an attempt: it may have become a tombstone. */
  readonly place?: { readonly room: string; readonly seq: number };
}

/** An event that is tried again. */
export interface Waiting extends Item {
  readonly n: number;
  readonly attempts: number;
  readonly nextAt: number;
}

/** An event that the receiver does not have, behind the cursor. */
export interface Left {
  readonly item: Item;
  readonly attempts: number;
  readonly nextAt: number;
  readonly reason: string;
  readonly dead: boolean;
}

/** The next events of a subscription, of all its sources. */
export interface Chunk {
  readonly items: readonly Item[];
  readonly moves: readonly Move[];
}

export interface WebhookStore {
  subscriptions(): Promise<readonly Webhook[]>;
  /** `until`: only of what the archive got before, in ms. */
  chunk(webhook: Webhook, until?: number): Promise<Chunk>;
  /** Those of the lanes in which an event waits. */
  waitingLanes(webhook: string, lanes: readonly string[]): Promise<ReadonlySet<string>>;
  /** The first waiting events of lanes that are due, at most `most` lanes. */
  due(webhook: string, now: number, most: number): Promise<readonly Waiting[]>;
  /** The first waiting event of a lane. */
  nextOf(webhook: string, lane: string): Promise<Waiting | undefined>;
  /** When the next waiting event is due, and how many wait. */
  waiting(webhook: string): Promise<{ readonly count: number; readonly nextAt: number }>;
  /** False: another process has moved a cursor. Then nothing has changed. */
  advance(webhook: string, moves: readonly Move[], left: readonly Left[]): Promise<boolean>;
  delivered(n: number): Promise<void>;
  failed(n: number, attempts: number, nextAt: number, reason: string): Promise<void>;
  /** All waiting events are due now. */
  hurry(webhook: string): Promise<void>;
  /** Waiting events from before `until` become dead letters. */
  bury(webhook: string, until: number): Promise<number>;
  /** Removes what all subscriptions have from the feed. */
  prune(): Promise<void>;
}

export type Change =
  | { readonly kind: "ok" }
  | { readonly kind: "missing" }
  /** As many subscriptions as there may be. */
  | { readonly kind: "full" };

/** What operators and back ends do with subscriptions. */
export interface WebhookDesk {
  add(webhook: NewWebhook, sessions: Cursor | undefined): Promise<Change>;
  list(): Promise<readonly ListedWebhook[]>;
  remove(webhook: string): Promise<Change>;
  /** Undefined: there is no such webhook. */
  dead(webhook: string, after: number, most: number): Promise<readonly DeadRow[] | undefined>;
  /** How many dead letters are tried again. Undefined: there is no such webhook. */
  replay(webhook: string, ids: readonly string[] | undefined): Promise<number | undefined>;
}

export interface DeadRow {
  readonly n: number;
  readonly id: string;
  readonly kind: string;
  readonly at: number;
  readonly attempts: number;
  readonly reason: string;
}

export type Attempt =
  | { readonly kind: "delivered" }
  | { readonly kind: "failed"; readonly reason: string };

export interface Sender {
  /** Resolves, never rejects. */
  send(webhook: Webhook, item: Item): Promise<Attempt>;
  /** Ends the deliveries of a webhook in flight. */
  abort(webhook: string): void;
}

/** One record of the stream of sessions. */
export interface SessionRecord {
  readonly seq: number;
  readonly user: string;
  readonly kind: "session.started" | "session.ended";
  readonly at: number;
  /** JSON. */
  readonly data: string;
}

/** The second source. */
export interface SessionFeed {
  /** The records behind `after`, at most `most`; another `ident` begins at the first record. */
  read(
    after: { readonly ident: string; readonly position: number },
    most: number,
  ): Promise<{
    readonly ident: string;
    /** The number of the last record that was examined. */
    readonly position: number;
    readonly records: readonly SessionRecord[];
  }>;
  /** Where the stream ends now. */
  end(): Promise<{ readonly ident: string; readonly position: number }>;
}

/** Why a page was not fetched. Only metrics and tests name it (LP8). */
export const FETCH_FAILURES = [
  "address",
  "connection",
  "redirects",
  "status",
  "time",
  "type",
] as const;
export type FetchFailure = (typeof FETCH_FAILURES)[number];

export type Fetched =
  | {
      readonly kind: "page";
      readonly bytes: Uint8Array;
      /** Of the header. */
      readonly charset: string | undefined;
    }
  | { readonly kind: "failed"; readonly reason: FetchFailure };

/** Fetches the pages of links. */
export interface Fetcher {
  /** Resolves, never rejects. */
  fetch(url: string): Promise<Fetched>;
}
