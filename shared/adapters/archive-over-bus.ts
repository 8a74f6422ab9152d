// ArchiveReader over the bus: sends a request on `hist.<p>` and accepts only a reply that matches
// it.
//
// The bus guarantees no reply, and a reply may come from an unknown version. Every failure (no
// responders, a timeout, a reply of another shape) is `unavailable`. Reads change nothing, so the
// caller may retry at any time.
//
//   archive-over-bus.1. A read without an answer for AGAIN_MS is requested a second time, and the
//        first answer counts. The bus gives each request to one persistence process. When that
//        process is killed, its requests are lost, and the second one reaches another process. A
//        read position that is stored twice changes nothing. A watermark is requested again after
//        WATERMARK_AGAIN_MS: all rooms of a partition wait for it.

import type { ArchiveReader, LookedUp, Read, Watermark } from "../ports/archive.ts";
import type { Bus, RequestOutcome } from "../ports/bus.ts";
import type { Clock } from "../ports/clock.ts";
import type { RoomListReader } from "../ports/room-lists.ts";
import type { NameReader } from "../ports/names.ts";
import type { SearchReader } from "../ports/search.ts";
import { decodeReply, encodeRequest } from "../protocol/history.ts";
import type {
  ArchivedRange,
  HistoryReply,
  HistoryRequest,
  MessagesPage,
  MessagesQuery,
  RoomSnapshot,
  RoomSnapshotState,
} from "../protocol/history.ts";
import type { LogSeq, MessageId, Millis, Partition, RoomId, Seq, UserId } from "../protocol/ids.ts";
import type {
  FindQuery,
  FoundRooms,
  ReadPosition,
  RoomsPage,
  RoomsQuery,
} from "../protocol/room-list.ts";
import type { NamedUser, SaidName } from "../protocol/names.ts";
import { ROOM_MEMBERS_MAX } from "../protocol/limits.ts";
import type { FoundMessages, SearchQuery } from "../protocol/search.ts";
import { subjects } from "../protocol/subjects.ts";

export interface ArchiveReaderOptions {
  readonly timeoutMs?: number;
}

/** PostgreSQL answers these reads within milliseconds; its own statement timeout is longer. */
const TIMEOUT_MS = 3_000;
/** A slow PostgreSQL gets at most twice the reads. */
const AGAIN_MS = 500;
/** Persistence reads the watermarks that are requested together in one statement (D12). */
const WATERMARK_AGAIN_MS = 200;

type AskBus = Pick<Bus, "request">;
type AskClock = Pick<Clock, "after">;

export function openArchiveReader(
  bus: AskBus,
  clock: AskClock,
  options: ArchiveReaderOptions = {},
): ArchiveReader & RoomListReader & SearchReader & NameReader {
  return new BusArchive(bus, clock, options.timeoutMs ?? TIMEOUT_MS);
}

type Op = HistoryRequest["op"];
type RequestBody = HistoryRequest extends infer R
  ? R extends unknown
    ? Omit<R, "v">
    : never
  : never;
type ReplyTo<O extends Op> = Extract<HistoryReply, { readonly op: O }>;
type Unavailable = Extract<Read<never>, { kind: "unavailable" }>;

class BusArchive implements ArchiveReader, RoomListReader, SearchReader, NameReader {
  readonly #bus: AskBus;
  readonly #clock: AskClock;
  readonly #timeoutMs: number;

  constructor(bus: AskBus, clock: AskClock, timeoutMs: number) {
    this.#bus = bus;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  async watermark(p: Partition, claim: LogSeq): Promise<Read<Watermark>> {
    const read = await this.#request(p, "watermark", { op: "watermark", claim });
    if (read.kind !== "ok") return read;
    const { watermark: seq, epoch, of } = read.value;
    return ok({ seq, epoch, ...(of !== undefined && { of }) });
  }

  async range(p: Partition, room: RoomId, first: Seq, last: Seq): Promise<Read<ArchivedRange>> {
    const read = await this.#request(p, "range", { op: "range", room, first, last });
    if (read.kind !== "ok") return read;
    const { range } = read.value;
    const fits = range.first === first && range.lines.length <= Math.max(0, last - first + 1);
    return fits ? ok(range) : misfit("range");
  }

  async snapshot(p: Partition, room: RoomId, since: Millis): Promise<Read<RoomSnapshot>> {
    const read = await this.#request(p, "snapshot", { op: "snapshot", room, since });
    if (read.kind !== "ok") return read;
    const { snapshot } = read.value;
    const fits = snapshot.room === room && snapshot.tail.length <= snapshot.head;
    if (!fits) return misfit("snapshot");
    return snapshot.state?.isCut === true
      ? this.#complete(p, snapshot, snapshot.state)
      : ok(snapshot);
  }

  async messages(p: Partition, room: RoomId, query: MessagesQuery): Promise<Read<MessagesPage>> {
    const read = await this.#request(p, "messages", { op: "messages", room, ...query });
    if (read.kind !== "ok") return read;
    const { page } = read.value;
    return page.lines.length <= query.limit ? ok(page) : misfit("messages");
  }

  /**
   * Reads the members that the snapshot does not have. They can be newer than the snapshot: the
   * replay above it gives the same state either way.
   */
  async #complete(
    p: Partition,
    snapshot: RoomSnapshot,
    { settings, members: first }: RoomSnapshotState,
  ): Promise<Read<RoomSnapshot>> {
    const { room } = snapshot;
    const members = [...first];
    for (let isCut: true | undefined = true; isCut === true;) {
      const after = members.at(-1)?.[0];
      if (after === undefined) return misfit("members");
      const read = await this.#request(p, "members", { op: "members", room, after });
      if (read.kind !== "ok") return read;
      const page = read.value;
      // A page makes progress, and a room stores a bounded number of members.
      if (page.isCut === true && page.members.length === 0) return misfit("members");
      if (members.length > ROOM_MEMBERS_MAX) return misfit("members");
      members.push(...page.members);
      isCut = page.isCut;
    }
    const state = { ...(settings !== undefined && { settings }), members };
    return ok({ ...snapshot, state });
  }

  async lookup(
    p: Partition,
    room: RoomId,
    sender: UserId,
    id: MessageId,
    target?: Seq,
  ): Promise<Read<LookedUp>> {
    const request = { op: "lookup", room, from: sender, id, target } as const;
    const read = await this.#request(p, "lookup", request);
    if (read.kind !== "ok") return read;
    const { found, target: archived, watermark } = read.value;
    // The request asked for one event; the answer to another one is none.
    const isAsked = archived !== undefined && archived.seq === target;
    return ok({
      watermark,
      ...(found !== undefined && { found }),
      ...(isAsked && { target: archived }),
    });
  }

  async rooms(p: Partition, query: RoomsQuery): Promise<Read<RoomsPage>> {
    const read = await this.#request(p, "rooms", { op: "rooms", ...query });
    if (read.kind !== "ok") return read;
    const { page } = read.value;
    return page.rooms.length <= query.limit ? ok(page) : misfit("rooms");
  }

  async findRooms(p: Partition, query: FindQuery): Promise<Read<FoundRooms>> {
    const read = await this.#request(p, "find", { op: "find", ...query });
    if (read.kind !== "ok") return read;
    const { found } = read.value;
    return found.rooms.length <= query.limit ? ok(found) : misfit("find");
  }

  async search(p: Partition, query: SearchQuery): Promise<Read<FoundMessages>> {
    const read = await this.#request(p, "search", { op: "search", ...query });
    if (read.kind !== "ok") return read;
    const { found } = read.value;
    return found.messages.length <= query.limit ? ok(found) : misfit("search");
  }

  async names(p: Partition, users: readonly UserId[]): Promise<Read<readonly NamedUser[]>> {
    const read = await this.#request(p, "names", { op: "names", users });
    if (read.kind !== "ok") return read;
    const { names } = read.value;
    return names.every(([user]) => users.includes(user)) ? ok(names) : misfit("names");
  }

  async putName(p: Partition, said: SaidName): Promise<Read<undefined>> {
    const read = await this.#request(p, "name", { op: "name", ...said });
    return read.kind === "ok" ? ok(undefined) : read;
  }

  async putReads(
    p: Partition,
    reads: readonly ReadPosition[],
  ): Promise<Read<readonly ReadPosition[]>> {
    const read = await this.#request(p, "reads", { op: "reads", reads });
    return read.kind === "ok" ? ok(read.value.again) : read;
  }

  async #request<O extends Op>(p: Partition, op: O, body: RequestBody): Promise<Read<ReplyTo<O>>> {
    const request = encodeRequest(body);
    const againMs = op === "watermark" ? WATERMARK_AGAIN_MS : AGAIN_MS;
    const outcome = await this.#ask(subjects.history(p), request, againMs);
    if (outcome.kind !== "ok") return { kind: "unavailable", reason: `${op}: ${outcome.kind}` };
    const reply = decodeReply(new TextDecoder().decode(outcome.data));
    if (reply === undefined) return misfit(op); // N5
    if (!reply.ok) return { kind: "unavailable", reason: `${op}: ${reply.error}` };
    return reply.op === op ? ok(reply as ReplyTo<O>) : misfit(op);
  }

  /** archive-over-bus.1. */
  #ask(subject: string, request: string, againMs: Millis): Promise<RequestOutcome> {
    return new Promise((resolve) => {
      let open = 0;
      const ask = (timeoutMs: number): void => {
        open++;
        void this.#bus.request(subject, request, { timeoutMs }).then((outcome) => {
          open--;
          if (outcome.kind !== "ok" && open > 0) return; // The other request may get an answer.
          again.cancel();
          resolve(outcome);
        });
      };
      const again = this.#clock.after(againMs, () => ask(this.#timeoutMs - againMs));
      ask(this.#timeoutMs);
    });
  }
}

function ok<T>(value: T): Read<T> {
  return { kind: "ok", value };
}

function misfit(op: Op): Unavailable {
  return { kind: "unavailable", reason: `${op}: the reply does not match the request` };
}
