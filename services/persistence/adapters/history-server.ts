// HistoryServer: answers `hist.<p>` for every partition. Any persistence process may answer.
//
//   history-server.1. It works on at most REQUESTS_MAX requests at a time; one more gets
//        `unavailable`.
//   history-server.2. A malformed request, or one of another version, gets `bad_request` (N5).
//        Every request is answered, and no answer contains text from a database error.
//   history-server.3. While the store is unavailable, the watermark comes from the memory of this
//        process: it is a lower bound, which is sufficient for a replay. That does not apply to a
//        claim behind a watermark that counts as settled: the store would later still report that
//        no owner wrote behind it (archive.5).
//   history-server.4. `stop` first ends the subscriptions without losing a request. It then waits
//        for the answers to the requests that reached this process, for at most STOP_WAIT_MS.
//        Other processes answer the next requests. A lost request would cost its client the whole
//        timeout.
//   history-server.5. Where both regions serve, a process answers for the partitions of homes that
//        its region serves. The other archive may be behind the owner.

import type { PageWarmer } from "../runtime/page-warmer.ts";
import { unreachable } from "#shared/kit/assert.ts";
import type { ArchiveStore, Claim, Read, Watermark } from "#shared/ports/archive.ts";
import type { Bus, BusMessage, BusSubscription } from "#shared/ports/bus.ts";
import type { Clock } from "#shared/ports/clock.ts";
import type { RoomListStore } from "#shared/ports/room-lists.ts";
import type { NameStore } from "#shared/ports/names.ts";
import type { SearchStore } from "#shared/ports/search.ts";
import { decodeRequest, encodeReply } from "#shared/protocol/history.ts";
import type { DecodedRequest, HistoryReply } from "#shared/protocol/history.ts";
import type { Partition } from "#shared/protocol/ids.ts";
import { HISTORY_QUEUE, subjects } from "#shared/protocol/subjects.ts";

export const REQUESTS_MAX = 512;
/** The clients of an older request have given up (shared/adapters/archive-over-bus.ts). */
const STOP_WAIT_MS = 3_000;

const UNAVAILABLE: HistoryReply = { ok: false, error: "unavailable" };
const BAD_REQUEST: HistoryReply = { ok: false, error: "bad_request" };

export interface HistoryServerPorts {
  readonly bus: Pick<Bus, "subscribe" | "publish">;
  readonly store: Omit<ArchiveStore, "write" | "range" | "close"> &
    RoomListStore &
    SearchStore &
    NameStore;
  readonly pages: Pick<ArchiveStore, "range">;
  /** Pages of messages. Left out: from the store. */
  readonly newest?: (Pick<ArchiveStore, "messages"> & Pick<PageWarmer, "onWake">) | undefined;
  /** The watermark that this process knows of a partition. */
  readonly localWatermark: (p: Partition) => Watermark | undefined;
  readonly clock: Pick<Clock, "after">;
  /** history-server.5. Left out: every partition. */
  readonly serves?: ((p: Partition) => boolean) | undefined;
}

export class HistoryServer {
  readonly #ports: HistoryServerPorts;
  readonly #subscriptions = new Map<Partition, BusSubscription>();
  #partitions = 0;
  #working = 0;
  #isStopped = false;
  #onIdle: (() => void) | undefined;

  constructor(ports: HistoryServerPorts) {
    this.#ports = ports;
  }

  /**
   * Serves the partitions below `partitions` from now on. Fewer than before change nothing, and so
   * does a call after `stop`: a split may be announced while the process leaves.
   */
  start(partitions: number): void {
    this.#partitions = Math.max(this.#partitions, partitions);
    this.onRightsChanged();
  }

  /** The answer to `serves` has changed for some partitions. */
  onRightsChanged(): void {
    if (this.#isStopped) return;
    const { serves = () => true } = this.#ports;
    for (let p = 0; p < this.#partitions; p++) {
      const subscription = this.#subscriptions.get(p);
      if (subscription === undefined && serves(p)) this.#subscribe(p);
      if (subscription === undefined || serves(p)) continue;
      this.#subscriptions.delete(p);
      void subscription.drain();
    }
  }

  #subscribe(p: Partition): void {
    const onRequest = (message: BusMessage): void => void this.#onRequest(p, message);
    const options = { queue: HISTORY_QUEUE };
    const subscription = this.#ports.bus.subscribe(subjects.history(p), onRequest, options);
    this.#subscriptions.set(p, subscription);
  }

  /** history-server.4. Never rejects. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    const subscriptions = [...this.#subscriptions.values()];
    this.#subscriptions.clear();
    await Promise.all(subscriptions.map((subscription) => subscription.drain()));
    if (this.#working === 0) return;
    await new Promise<void>((resolve) => {
      const timer = this.#ports.clock.after(STOP_WAIT_MS, resolve);
      this.#onIdle = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  async #onRequest(p: Partition, { data, reply }: BusMessage): Promise<void> {
    if (reply === undefined) return;
    let answer = UNAVAILABLE; // history-server.1
    if (this.#working < REQUESTS_MAX) {
      this.#working++;
      answer = await this.#answer(p, decodeRequest(new TextDecoder().decode(data)));
      this.#working--;
    }
    this.#reply(reply, answer);
    if (this.#working === 0) this.#onIdle?.();
  }

  #reply(reply: string, answer: HistoryReply): void {
    const { bus } = this.#ports;
    // The store bounds every reply. One that is too large anyway must not leave its client without
    // an answer.
    const outcome = bus.publish(reply, encodeReply(answer));
    if (outcome === "too-large") bus.publish(reply, encodeReply(UNAVAILABLE));
  }

  async #answer(p: Partition, request: DecodedRequest | undefined): Promise<HistoryReply> {
    if (request === undefined) return BAD_REQUEST; // history-server.2
    const { store, pages, newest } = this.#ports;
    switch (request.op) {
      case "watermark":
        return this.#watermark(p, request.claim);
      case "snapshot": {
        const { op, room, since } = request;
        newest?.onWake(room);
        const read = await store.snapshot(p, room, since);
        return orUnavailable(read, (snapshot) => ({ ok: true, op, snapshot }));
      }
      case "members": {
        const { op, room, after } = request;
        const read = await store.members(room, after);
        return orUnavailable(read, (page) => ({ ok: true, op, ...page }));
      }
      case "messages": {
        const { op, v: _version, room, ...query } = request;
        const read = await (newest ?? store).messages(room, query);
        return orUnavailable(read, (page) => ({ ok: true, op, page }));
      }
      case "range": {
        const { op, room, first, last } = request;
        const read = await pages.range(room, first, last);
        return orUnavailable(read, (range) => ({ ok: true, op, range }));
      }
      case "lookup": {
        const { op, room, from, id, target } = request;
        const read = await store.lookup(p, room, from, id, target);
        return orUnavailable(read, (value) => ({ ok: true, op, ...value }));
      }
      case "rooms": {
        const { op, v: _version, ...query } = request;
        return orUnavailable(await store.rooms(query), (page) => ({ ok: true, op, page }));
      }
      case "find": {
        const { op, v: _version, ...query } = request;
        return orUnavailable(await store.findRooms(query), (found) => ({ ok: true, op, found }));
      }
      case "search": {
        const { op, v: _version, ...query } = request;
        return orUnavailable(await store.search(query), (found) => ({ ok: true, op, found }));
      }
      case "names": {
        const { op, users } = request;
        return orUnavailable(await store.names(users), (names) => ({ ok: true, op, names }));
      }
      case "name": {
        const { op, v: _version, ...said } = request;
        return orUnavailable(await store.putName(said), () => ({ ok: true, op }));
      }
      case "reads": {
        const { op, reads } = request;
        return orUnavailable(await store.putReads(reads), (again) => ({ ok: true, op, again }));
      }
      default:
        return unreachable(request);
    }
  }

  async #watermark(p: Partition, claim: Claim): Promise<HistoryReply> {
    const read = await this.#ports.store.watermark(p, claim);
    // history-server.3
    const value = read.kind === "ok" ? read.value : this.#ports.localWatermark(p);
    if (value === undefined) return UNAVAILABLE;
    if (read.kind !== "ok" && value.isSettled === true && claim !== 0) return UNAVAILABLE;
    const { seq: watermark, epoch, of } = value;
    return { ok: true, op: "watermark", watermark, epoch, ...(of !== undefined && { of }) };
  }
}

function orUnavailable<T>(read: Read<T>, toReply: (value: T) => HistoryReply): HistoryReply {
  return read.kind === "ok" ? toReply(read.value) : UNAVAILABLE;
}
