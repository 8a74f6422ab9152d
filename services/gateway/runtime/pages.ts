// Pages: reads parts of a room's history. Sequence numbers have no gaps, so a page is a range.
//
//   gateway/pages.1. `after: a` returns the `limit` events after a, `before: b` the `limit` events
//        before b, and neither the newest `limit` events: ascending, up to the head, without a gap
//        (O12).
//   gateway/pages.2. `more` is true when further events exist in the direction of the page.
//   gateway/pages.3. A page that is not complete within COMMAND_TIMEOUT_MS gets `unavailable` (L2).
//        Later answers of its reads are ignored.
//   gateway/pages.4. A user has at most PAGES_PER_USER_MAX pages in flight over all their sockets
//        and HTTP, and all users have PAGES_MAX. Beyond it: `busy`.
//   gateway/pages.5. A page of messages comes from the archive. It waits up to MESSAGES_WAITS_MS
//        for the archive to have the events up to the head, and says as of which event it is. When
//        the owner judged the user for this page, it shows no message behind the head of then.

import type { ArchiveReader } from "#shared/ports/archive.ts";
import type { Clock } from "#shared/ports/clock.ts";
import type { ErrorName } from "#shared/protocol/errors.ts";
import { readEvent } from "#shared/protocol/events.ts";
import type { MessagesPage } from "#shared/protocol/history.ts";
import type { Seq, UserId } from "#shared/protocol/ids.ts";
import { blockLast } from "#shared/protocol/lines.ts";
import type { Block } from "#shared/protocol/lines.ts";
import type { PartitionMap } from "#shared/protocol/partition-map.ts";
import { COMMAND_TIMEOUT_MS, PAGES_MAX, PAGES_PER_USER_MAX } from "../core/bounds.ts";
import type { PageInput } from "../core/room-api-port.ts";
import type { Lanes } from "./lanes.ts";
import type { Rooms } from "./rooms.ts";
import type { RangeReader } from "./range-reader.ts";

/** Waits before a range is requested again, because a fresh commit may not be readable yet. */
const RETRY_WAITS_MS = [50, 200, 800, 2_000];
/** Waits for the archive, which is a moment behind the head. */
const MESSAGES_WAITS_MS = [50, 100, 200, 400, 800];

export type RawPage =
  | { readonly kind: "page"; readonly blocks: readonly Block[]; readonly more: boolean }
  | { readonly kind: "messages"; readonly page: MessagesPage }
  | { readonly kind: "refused"; readonly error: ErrorName; readonly afterMs?: number };

export interface PagesParts {
  readonly lanes: Pick<Lanes, "submit">;
  readonly rooms: Pick<Rooms, "head" | "read" | "redact">;
  readonly ranges: Pick<RangeReader, "read">;
  readonly archive: Pick<ArchiveReader, "messages">;
  readonly map: Pick<PartitionMap, "partitionOf">;
  readonly clock: Clock;
}

export class Pages {
  readonly #lanes: PagesParts["lanes"];
  readonly #rooms: PagesParts["rooms"];
  readonly #ranges: PagesParts["ranges"];
  readonly #archive: PagesParts["archive"];
  readonly #map: PagesParts["map"];
  readonly #clock: Clock;
  readonly #byUser = new Map<UserId, number>();
  #underWay = 0;

  constructor(parts: PagesParts) {
    this.#lanes = parts.lanes;
    this.#rooms = parts.rooms;
    this.#ranges = parts.ranges;
    this.#archive = parts.archive;
    this.#map = parts.map;
    this.#clock = parts.clock;
  }

  /** Resolves, never rejects. */
  async page(input: PageInput): Promise<RawPage> {
    const { user } = input;
    const own = this.#byUser.get(user) ?? 0;
    if (own >= PAGES_PER_USER_MAX || this.#underWay >= PAGES_MAX) {
      return { kind: "refused", error: "busy" }; // gateway/pages.4
    }
    this.#byUser.set(user, own + 1);
    this.#underWay++;
    try {
      return await this.#inTime(input);
    } finally {
      this.#underWay--;
      const left = (this.#byUser.get(user) ?? 0) - 1;
      if (left > 0) this.#byUser.set(user, left);
      else this.#byUser.delete(user);
    }
  }

  async #inTime(input: PageInput): Promise<RawPage> {
    let expired = (_page: RawPage): void => undefined;
    const expiry = new Promise<RawPage>((resolve) => (expired = resolve));
    const timer = this.#clock.after(COMMAND_TIMEOUT_MS, () =>
      expired({ kind: "refused", error: "unavailable" }),
    );
    try {
      return await Promise.race([this.#find(input), expiry]); // gateway/pages.3
    } finally {
      timer.cancel();
    }
  }

  async #find(input: PageInput): Promise<RawPage> {
    const shared = this.#rooms.head(input.room) ?? input.known;
    const local = shared ?? (await this.#askHead(input));
    if (typeof local !== "number") return local;
    // The feed receives a line a moment after its sender received the ack.
    const head = Math.max(local, input.known ?? 0);
    if (input.view === "messages") {
      return this.#findMessages(input, head, shared === undefined ? local : Infinity);
    }
    const { first, last, more } = pageRange(input, head);
    const blocks: Block[] = [];
    for (let next = first; next <= last;) {
      const run = await this.#read(input, next, last, head);
      const newest = run.at(-1);
      if (newest === undefined) return { kind: "refused", error: "unavailable" };
      blocks.push(...run);
      next = blockLast(newest) + 1;
    }
    return { kind: "page", blocks, more };
  }

  /** gateway/pages.5. `judged`: the last number that the user is known to have a right to. */
  async #findMessages(input: PageInput, head: Seq, judged: Seq): Promise<RawPage> {
    const { room, after, limit, thread, pinned } = input;
    const isOpenEnded = after !== undefined || (judged === Infinity && input.before === undefined);
    const before = isOpenEnded ? input.before : Math.min(input.before ?? Infinity, judged + 1);
    const query = { before, after, limit, thread, pinned, atLeast: head };
    let newest: RawPage = { kind: "refused", error: "unavailable" };
    for (const waitMs of [0, ...MESSAGES_WAITS_MS]) {
      if (waitMs > 0) await new Promise<void>((run) => this.#clock.after(waitMs, run));
      const read = await this.#archive.messages(this.#map.partitionOf(room), room, query);
      if (read.kind !== "ok") continue;
      newest = { kind: "messages", page: upTo(judged, read.value) };
      if (read.value.head >= head) break;
    }
    return newest;
  }

  async #read(
    { room, user }: PageInput,
    first: Seq,
    last: Seq,
    head: Seq,
  ): Promise<readonly Block[]> {
    for (const waitMs of [0, ...RETRY_WAITS_MS]) {
      if (waitMs > 0) await new Promise<void>((run) => this.#clock.after(waitMs, run));
      const local = this.#rooms.read(room, first, last);
      if (local.length > 0) return local;
      const block = await this.#ranges.read({ room, first, last, head }, user);
      if (block !== undefined) return [this.#rooms.redact(room, block)];
    }
    return [];
  }

  #askHead({ room, user, grant }: PageInput): Promise<Seq | Extract<RawPage, { kind: "refused" }>> {
    return new Promise((resolve) => {
      const query = { op: "head", room, user, ...(grant !== undefined && { grant }) } as const;
      this.#lanes.submit(query, ({ result }) => {
        if ("ok" in result && result.ok === "head") resolve(result.head);
        else resolve({ kind: "refused", error: "error" in result ? result.error : "internal" });
      });
    });
  }
}

/** The part of a page that has no number above `judged`. */
function upTo(judged: Seq, page: MessagesPage): MessagesPage {
  if (page.last <= judged) return page;
  const lines = page.lines.filter((line) => (readEvent(line)?.seq ?? 0) <= judged);
  return { ...page, lines, last: judged, more: true };
}

export function pageRange(
  { before, after, limit }: Pick<PageInput, "before" | "after" | "limit">,
  head: Seq,
): { first: Seq; last: Seq; more: boolean } {
  if (after !== undefined) {
    const last = Math.min(head, after + limit);
    return { first: after + 1, last, more: last < head && last > after };
  }
  const last = Math.min(head, (before ?? Infinity) - 1);
  const first = Math.max(1, last - limit + 1);
  return { first, last, more: first > 1 };
}
