// GatewayRoomApi: sends, typing and pages, for sessions and for HTTP. It implements the RoomApi
// port. The secret of an invite ends here (commands.6).

import { inviteHash } from "#shared/adapters/invite-hash.ts";
import type { Bus } from "#shared/ports/bus.ts";
import type { Clock } from "#shared/ports/clock.ts";
import { writeOf } from "#shared/protocol/commands.ts";
import type { Result } from "#shared/protocol/results.ts";
import type { RoomEvent } from "#shared/protocol/events.ts";
import type { MessagesPage } from "#shared/protocol/history.ts";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import { encodeLive } from "#shared/protocol/live.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import type { FileProofs } from "../core/attachments-port.ts";
import type { SessionInput } from "../core/session-io.ts";
import type {
  AboutOutcome,
  ClientWrite,
  Covered,
  InvitesOutcome,
  MembersOutcome,
  PageInput,
  PageOutcome,
  Refused,
  RoomApi,
  RoomReader,
  WriteOutcome,
} from "../core/room-api-port.ts";
import type { GatewayStats } from "./gateway-stats.ts";
import type { Lanes } from "./lanes.ts";
import type { MessageTraces } from "./message-traces.ts";
import type { Pages } from "./pages.ts";

type PageAnswer = Extract<SessionInput, { kind: "page" }>["outcome"];

const decoder = new TextDecoder();

export class GatewayRoomApi implements RoomApi {
  readonly #proofs: Pick<FileProofs, "isValid"> | undefined;
  readonly #lanes: Pick<Lanes, "submit">;
  readonly #pages: Pick<Pages, "page">;
  readonly #bus: Bus;
  readonly #clock: Clock;
  readonly #stats: GatewayStats;
  readonly #traces: MessageTraces;
  isDraining = false;
  /** The region of this gateway may not serve. */
  isAway = false;

  constructor(parts: {
    readonly lanes: Pick<Lanes, "submit">;
    readonly pages: Pick<Pages, "page">;
    readonly bus: Bus;
    readonly clock: Clock;
    readonly stats: GatewayStats;
    readonly traces: MessageTraces;
    /** Default: no message may have files. */
    readonly proofs?: Pick<FileProofs, "isValid"> | undefined;
  }) {
    this.#proofs = parts.proofs;
    this.#lanes = parts.lanes;
    this.#pages = parts.pages;
    this.#bus = parts.bus;
    this.#clock = parts.clock;
    this.#stats = parts.stats;
    this.#traces = parts.traces;
  }

  get health(): RoomApi["health"] {
    const draining = this.isDraining || this.isAway;
    return { natsUp: this.#bus.status === "connected", draining, away: this.isAway };
  }

  write(write: ClientWrite): Promise<WriteOutcome> {
    return new Promise((resolve) => this.#write(write, resolve, true));
  }

  /** A write of a session: it keeps its order (O4). Calls `onAnswer` exactly once. */
  writeWithCallback(write: ClientWrite, onAnswer: (answer: WriteOutcome) => void): void {
    this.#write(write, onAnswer);
  }

  #write(write: ClientWrite, onAnswer: (answer: WriteOutcome) => void, unordered?: true): void {
    if (!this.#hasValidFiles(write)) return onAnswer({ kind: "refused", error: "forbidden" });
    const began = this.#clock.monotonic();
    const span = this.#traces.receive(write.frame, began);
    // E3: the client's own trace context does not leave the gateway.
    const command = writeOf(write.frame, write, {
      trace: span?.traceparent,
      hashOf: inviteHash,
      unordered,
    });
    this.#lanes.submit(command, ({ result }) => {
      const answer = writeOutcome(result);
      const outcome = answer.kind === "sent" ? "ok" : answer.error;
      const ms = this.#clock.monotonic() - began;
      this.#stats.answered(outcome, ms);
      if (span !== undefined) this.#traces.answered(span, answer, ms);
      onAnswer(answer);
    });
  }

  /** AT2. */
  #hasValidFiles({ user, frame }: ClientWrite): boolean {
    if (frame.t !== "send" || frame.attachments === undefined) return true;
    const { room, attachments } = frame;
    return attachments.every((file) => this.#proofs?.isValid(file, { room, user }) === true);
  }

  typing(user: UserId, room: RoomId, on: boolean): void {
    this.#bus.publish(subjects.live(room), encodeLive({ t: "typing", room, user, on }));
  }

  importEvents(
    { user, grant, room }: RoomReader,
    { born, events }: { readonly born: string; readonly events: readonly RoomEvent[] },
  ): Promise<WriteOutcome> {
    const query = { op: "import", room, user, born, events } as const;
    return new Promise((resolve) => {
      const onAnswer = ({ result }: { result: Result }): void => resolve(writeOutcome(result));
      this.#lanes.submit({ ...query, ...(grant !== undefined && { grant }) }, onAnswer);
    });
  }

  about({ user, grant, room }: RoomReader): Promise<AboutOutcome> {
    const query = { op: "about", room, user, ...(grant !== undefined && { grant }) } as const;
    return new Promise((resolve) => {
      this.#lanes.submit(query, ({ result }) => {
        if (!("ok" in result) || result.ok !== "about") return resolve(refusedBy(result));
        const { c: _c, ok: _ok, ...about } = result;
        resolve({ kind: "about", about });
      });
    });
  }

  members(
    { user, grant, room }: RoomReader,
    { after, limit }: { readonly after?: UserId | undefined; readonly limit: number },
  ): Promise<MembersOutcome> {
    const reader = { op: "members", room, user, ...(grant !== undefined && { grant }) } as const;
    const query = { ...reader, limit, ...(after !== undefined && { after }) };
    return new Promise((resolve) => {
      this.#lanes.submit(query, ({ result }) => {
        if (!("ok" in result) || result.ok !== "members") return resolve(refusedBy(result));
        const { members, more } = result;
        resolve({ kind: "members", members, more });
      });
    });
  }

  invites({ user, grant, room }: RoomReader): Promise<InvitesOutcome> {
    const query = { op: "invites", room, user, ...(grant !== undefined && { grant }) } as const;
    return new Promise((resolve) => {
      this.#lanes.submit(query, ({ result }) => {
        if (!("ok" in result) || result.ok !== "invites") return resolve(refusedBy(result));
        resolve({ kind: "invites", invites: result.invites });
      });
    });
  }

  async page(input: PageInput): Promise<PageOutcome> {
    const page = await this.#pages.page(input);
    if (page.kind === "refused") return page;
    if (page.kind === "messages") {
      const { lines: events, more } = page.page;
      return { kind: "page", events, more, covered: coveredBy(page.page) };
    }
    const events = page.blocks.flatMap(({ bytes }) => decoder.decode(bytes).split("\n"));
    return { kind: "page", events, more: page.more };
  }

  /** The text of a `page` frame. Its lines are inserted unchanged and never decoded. */
  async pageText(input: PageInput & { readonly ref: number }): Promise<PageAnswer> {
    const page = await this.#pages.page(input);
    if (page.kind === "refused") return page;
    const head = `{"t":"page","ref":${input.ref},"room":"${input.room}"`;
    if (page.kind === "messages") {
      const { lines, more } = page.page;
      const covered = JSON.stringify(coveredBy(page.page)).slice(1);
      const text = `${head},"events":[${lines.join(",")}],"more":${more},${covered}`;
      return { kind: "page", text };
    }
    const lines = page.blocks.map(({ bytes }) => decoder.decode(bytes).replaceAll("\n", ","));
    return { kind: "page", text: `${head},"events":[${lines.join(",")}],"more":${page.more}}` };
  }
}

function coveredBy({ first, last, head }: MessagesPage): Covered {
  return { first, last, asOf: head };
}

function writeOutcome(result: Result): WriteOutcome {
  if ("ok" in result && result.ok === "sent") {
    const { seq, at, repeat } = result;
    return repeat === undefined ? { kind: "sent", seq, at } : { kind: "sent", seq, at, repeat };
  }
  return refusedBy(result);
}

function refusedBy(result: Result): Refused {
  if (!("error" in result)) return { kind: "refused", error: "internal" };
  const { error, afterMs } = result;
  return { kind: "refused", error, ...(afterMs !== undefined && { afterMs }) };
}
