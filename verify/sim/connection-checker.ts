// ConnectionChecker: checks and records every frame of one client connection.
//
// Owns: the checks that need one connection alone. The records go to verify/checker, which checks
// what needs the whole run. The checker reads the wire, so the SDK cannot hide a gateway's error.
// It knows the protocol's fields and shares no code with the SDK or the gateway.
//
//   connection-checker.1. One `caught-up` follows every `joined`.
//   connection-checker.2. Events of a room arrive only between `joined` and `left`.
//   connection-checker.3. Each request on a connection is answered at most once. At the end of a
//                         run no open connection has an unanswered request.
//
// A join is recorded when its answer arrives. Until then events of the previous membership may
// arrive, and verify/checker tracks one membership at a time.

import { EVENT_KINDS, LOST } from "../checker/record.ts";
import type { ClientRecord, HistoryRecord } from "../checker/record.ts";
import { shownPageOf } from "../checker/shown-message.ts";
import { shownListOf } from "../checker/shown-list.ts";
import { sumOf } from "../checker/sum.ts";
import type { MessageId, Millis, RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import type { Findings } from "./findings.ts";

type Frame = { readonly [key: string]: unknown; readonly t: string };

interface Request {
  readonly at: Millis;
  readonly room: RoomId;
  readonly after?: Seq | undefined;
  /** A page of messages. */
  readonly isView?: boolean;
  readonly isLeave?: boolean;
  readonly thread?: Seq | undefined;
}

/** With one of these errors the server guarantees that nothing was stored. */
const REFUSALS = new Set([
  "busy",
  "rate_limited",
  "not_joined",
  "bad_id",
  "bad_frame",
  "forbidden",
  "conflict",
  "not_found",
]);

export interface ConnectionCheckerOptions {
  readonly now: () => Millis;
  readonly findings: Findings;
  readonly records: { push(record: HistoryRecord): unknown };
  readonly client: UserId;
  readonly conn: number;
  readonly gateway: string;
}

export class ConnectionChecker {
  readonly #options: ConnectionCheckerOptions;
  /** room → whether the membership has caught up. */
  readonly #memberships = new Map<RoomId, boolean>();
  /** Requests without an answer, by their key on the wire. */
  readonly #pending = new Map<string, Request>();
  #isOpen = true;
  #hasWelcome = false;

  constructor(options: ConnectionCheckerOptions) {
    this.#options = options;
  }

  /** Requests without an answer, while the connection is open (I14). */
  get pending(): readonly string[] {
    return this.#isOpen ? [...this.#pending.keys()] : [];
  }

  onSent(text: string): void {
    const frame = JSON.parse(text) as Frame;
    const room = frame["room"] as RoomId;
    switch (frame.t) {
      case "send": {
        const id = frame["id"] as MessageId;
        this.#expectAnswer(`send ${id}`, { room });
        const sum = sumOf(frame["body"]);
        this.#record({ room, op: "send", phase: "invoke", id, sum, ...targetOf(frame["thread"]) });
        return;
      }
      case "edit":
      case "delete":
      case "react":
      case "pin":
      case "create":
      case "member":
      case "invite":
      case "revoke":
      case "enter":
      case "update": {
        const id = frame["id"] as MessageId;
        const members = (frame["members"] as readonly object[] | undefined) ?? [];
        const more = frame.t === "create" ? 1 + members.length : 0;
        this.#expectAnswer(`send ${id}`, { room });
        const rest = { ...(more > 0 && { more }), ...targetOf(frame["target"]) };
        this.#record({ room, op: "send", phase: "invoke", id, ...rest });
        return;
      }
      case "join":
        return this.#expectAnswer(refOf(frame), { room, after: frame["after"] as Seq | undefined });
      case "history":
        return this.#onHistory(room, frame);
      case "read":
        return this.#record({ room, op: "read", seq: Number(frame["seq"]) });
      case "rooms":
        this.#record({ op: "list", phase: "invoke", ref: Number(frame["ref"]) });
        return this.#expectAnswer(listOf(frame), { room });
      case "leave":
        return this.#expectAnswer(refOf(frame), { room, isLeave: true });
      case "ping":
        return this.#expectAnswer(refOf(frame), { room });
      default: // `hello` and `typing` have no answer.
    }
  }

  onReceived(text: string): void {
    for (const line of text.split("\n")) this.#onFrame(JSON.parse(line) as Frame);
  }

  onEnded(code: number): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    if (code !== 1005 && this.#hasWelcome) this.#options.findings.shown.push(`close ${code}`);
    for (const [name, { room, isView }] of this.#pending) {
      const [kind, rest = ""] = name.split(" ");
      const lost = { room, phase: "info", err: LOST } as const;
      if (kind === "send") this.#record({ ...lost, op: "send", id: rest as MessageId });
      const op = isView === true ? "view" : "page";
      if (kind === "list")
        this.#record({ op: "list", phase: "info", err: LOST, ref: Number(rest) });
      if (kind === "page") this.#record({ ...lost, op, ref: Number(rest) });
    }
    this.#record({ op: "close", phase: code === 1005 ? "ok" : "info" });
  }

  #onFrame(frame: Frame): void {
    const room = frame["room"] as RoomId;
    switch (frame.t) {
      case "welcome":
        this.#hasWelcome = true;
        return this.#record({ op: "open", phase: "ok", via: this.#options.gateway });
      case "joined":
        return this.#onJoined(room, frame);
      case "caught-up":
        return this.#onCaughtUp(room, frame["seq"] as Seq);
      case "left":
        return this.#onLeft(room, frame);
      case "ack": {
        const id = frame["id"] as MessageId;
        this.#settle(`send ${id}`);
        return this.#record({ room, op: "send", phase: "ok", id, seq: frame["seq"] as Seq });
      }
      case "page":
        return this.#onPage(room, frame);
      case "pong":
        return void this.#settle(refOf(frame));
      case "rooms":
        this.#settle(listOf(frame));
        this.#options.findings.count("room list read");
        return this.#record(shownListOf(frame));
      case "presence":
        return this.#onPresence(room, frame);
      case "error":
        return this.#onError(room, frame);
      default: // `typing` and `reconnect` answer no request.
        if (EVENT_KINDS.has(frame.t)) this.#onEvent(room, frame);
    }
  }

  #onJoined(room: RoomId, frame: Frame): void {
    const request = this.#settle(refOf(frame));
    if (request === undefined) return;
    const [from, head] = [Number(frame["from"]), Number(frame["head"])];
    const { after } = request;
    if (after !== undefined && after < head) this.#options.findings.count("resume replayed");
    this.#memberships.set(room, false);
    const born = String(frame["born"]);
    const join = { room, op: "join" } as const;
    this.#record({ ...join, phase: "invoke", ...(after !== undefined && { after }) });
    this.#record({ ...join, phase: "ok", from, head, born });
  }

  #onCaughtUp(room: RoomId, seq: Seq): void {
    const isCaughtUp = this.#memberships.get(room);
    if (isCaughtUp === undefined) return this.#fail("I9", `caught-up of ${room} without joined`);
    if (isCaughtUp) this.#fail("O8", `caught-up of ${room} was sent twice`);
    this.#memberships.set(room, true);
    this.#record({ room, op: "caught", seq });
  }

  #onEvent(room: RoomId, frame: Frame): void {
    const [seq, id] = [frame["seq"] as Seq, frame["id"] as MessageId];
    if (!this.#memberships.has(room))
      this.#fail("I9", `${room} ${seq} was sent outside of a membership`);
    this.#record({ room, op: "see", seq, id });
  }

  #onLeft(room: RoomId, frame: Frame): void {
    if (frame["ref"] === undefined) this.#options.findings.count("member removed");
    else this.#settle(refOf(frame));
    if (!this.#memberships.delete(room)) return; // The client left before its join was answered.
    this.#record({ room, op: "leave", phase: "invoke" });
    this.#record({ room, op: "leave", phase: "ok" });
  }

  #onHistory(room: RoomId, frame: Frame): void {
    const [ref, after] = [Number(frame["ref"]), frame["after"] as Seq];
    const isView = frame["view"] === "messages";
    const thread = frame["thread"] as Seq | undefined;
    this.#record({ room, op: isView ? "view" : "page", phase: "invoke", ref });
    this.#expectAnswer(pageOf(frame), { room, after, isView, thread });
  }

  #onPage(room: RoomId, frame: Frame): void {
    const request = this.#settle(pageOf(frame));
    if (request?.isView === true) return this.#onView(room, frame, request.thread);
    const after = request?.after ?? 0;
    const events = frame["events"] as readonly { seq: Seq; id: MessageId }[];
    const first = events[0]?.seq ?? after + 1;
    if (first !== after + 1) this.#fail("O12", `a page after ${after} begins at ${first}`);
    const ids = events.map(({ id }) => id);
    this.#record({ room, op: "page", phase: "ok", ref: frame["ref"] as number, first, ids });
  }

  #onView(room: RoomId, frame: Frame, thread: Seq | undefined): void {
    this.#options.findings.count("page of messages read");
    const ref = Number(frame["ref"]);
    this.#record({ room, op: "view", phase: "ok", ref, ...shownPageOf(frame, thread) });
  }

  #onPresence(room: RoomId, frame: Frame): void {
    // The gateway may have sent the frame before it received the leave.
    if (!this.#memberships.has(room)) return;
    const { join, leave, here, all } = frame as {
      join?: readonly UserId[];
      leave?: readonly UserId[];
      here?: number;
      all?: boolean;
    };
    this.#record({
      room,
      op: "here",
      ...(join !== undefined && { join }),
      ...(leave !== undefined && { leave }),
      ...(here !== undefined && { here }),
      ...(all !== undefined && { all }),
    });
  }

  #onError(room: RoomId, frame: Frame): void {
    const err = String(frame["name"]);
    this.#options.findings.shown.push(`${this.#kindOf(room, frame)} ${err}`);
    const phase = REFUSALS.has(err) ? "fail" : "info";
    const id = frame["id"] as MessageId | undefined;
    if (id !== undefined) {
      this.#settle(`send ${id}`);
      if (err === "rate_limited") this.#options.findings.count("sender slowed");
      return this.#record({ room, op: "send", phase, id, err });
    }
    const { ref } = frame;
    if (err === "forbidden") this.#options.findings.count("read refused");
    if (typeof ref !== "number") return;
    if (this.#pending.has(listOf(frame))) {
      this.#settle(listOf(frame));
      return this.#record({ op: "list", phase, ref, err });
    }
    if (!this.#pending.has(pageOf(frame))) return void this.#settle(refOf(frame));
    const op = this.#settle(pageOf(frame))?.isView === true ? "view" : "page";
    this.#record({ room, op, phase, ref, err });
  }

  /** Of the request that this error answers. */
  #kindOf(room: RoomId, frame: Frame): "send" | "page" | "leave" | "request" {
    if (frame["id"] !== undefined) return "send";
    if ([pageOf(frame), listOf(frame)].some((name) => this.#pending.has(name))) return "page";
    const isLeave = this.#pending.get(refOf(frame))?.isLeave === true;
    return isLeave && !this.#memberships.has(room) ? "leave" : "request";
  }

  #expectAnswer(name: string, request: Omit<Request, "at">): void {
    if (this.#pending.has(name)) this.#fail("I14", `the client sent ${name} twice`);
    this.#pending.set(name, { ...request, at: this.#options.now() });
  }

  #settle(name: string): Request | undefined {
    const request = this.#pending.get(name);
    if (request === undefined)
      this.#fail("I14", `the server answered ${name}, which is not pending`);
    this.#pending.delete(name);
    return request;
  }

  #fail(invariant: string, detail: string): void {
    const { client, conn, now, findings } = this.#options;
    findings.violation(invariant, `${client}/${conn} at ${now().toFixed(0)}: ${detail}`);
  }

  #record(part: OwnPart): void {
    const { now, records, client, conn } = this.#options;
    records.push({ t: now(), client, conn, ...part });
  }
}

function refOf(frame: Frame): string {
  return `ref ${Number(frame["ref"])}`;
}

function listOf(frame: Frame): string {
  return `list ${Number(frame["ref"])}`;
}

function pageOf(frame: Frame): string {
  return `page ${Number(frame["ref"])}`;
}

/** The event that a write names. */
function targetOf(seq: unknown): { readonly target?: Seq } {
  return typeof seq === "number" ? { target: seq } : {};
}

type OwnPart = ClientRecord extends infer R
  ? R extends ClientRecord
    ? Omit<R, "t" | "client" | "conn">
    : never
  : never;
