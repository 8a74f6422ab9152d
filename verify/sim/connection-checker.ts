// Wire tap: what one connection said and was told, frame by frame: judged at once where it can be,
// and recorded for verify/checker where only the whole run can tell.
//
// It sits on the wire, so the SDK cannot hide what a gateway did wrong. It knows the protocol's
// words and shares no code with those who speak it.
//
//   connection-checker.1.  One `caught-up` follows every `joined`.
//   connection-checker.2.  No event of a room comes outside of joined … left.
//   connection-checker.3. Every request on a connection is answered at most once; at the end of a run no connection
//        that is still open is owed an answer.
// A join is recorded when it is answered: until then the events of an earlier stay may come, and the
// checker knows one stay at a time.

import { LOST } from "../checker/record.ts";
import type { ClientRecord, HistoryRecord } from "../checker/record.ts";
import { sumOf } from "../checker/sum.ts";
import type { MessageId, Millis, RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import type { Findings } from "./findings.ts";

type Frame = { readonly [key: string]: unknown; readonly t: string };

interface Asked {
  readonly at: Millis;
  readonly room: RoomId;
  readonly after?: Seq | undefined;
}

/** The server promises that nothing was stored when it says one of these. */
const REFUSALS = new Set(["busy", "rate_limited", "not_joined", "bad_id", "bad_frame"]);

export interface WireTapOptions {
  readonly now: () => Millis;
  readonly findings: Findings;
  readonly records: HistoryRecord[];
  readonly client: UserId;
  readonly conn: number;
  readonly gateway: string;
}

export class WireTap {
  readonly #options: WireTapOptions;
  /** room → whether its stay has caught up. */
  readonly #stays = new Map<RoomId, boolean>();
  /** What is owed an answer, by its name on the wire. */
  readonly #owed = new Map<string, Asked>();
  #isOpen = true;
  #wasWelcome = false;

  constructor(options: WireTapOptions) {
    this.#options = options;
  }

  /** Requests without an answer, while the connection is open (I14). */
  get owed(): readonly string[] {
    return this.#isOpen ? [...this.#owed.keys()] : [];
  }

  onSent(text: string): void {
    const frame = JSON.parse(text) as Frame;
    const room = frame["room"] as RoomId;
    switch (frame.t) {
      case "send": {
        const id = frame["id"] as MessageId;
        this.#owe(`send ${id}`, { room });
        this.#record({ room, op: "send", phase: "invoke", id, sum: sumOf(frame["body"]) });
        return;
      }
      case "join":
        return this.#owe(refOf(frame), { room, after: frame["after"] as Seq | undefined });
      case "history":
        this.#record({ room, op: "page", phase: "invoke", ref: frame["ref"] as number });
        return this.#owe(pageOf(frame), { room, after: frame["after"] as Seq });
      case "leave":
      case "ping":
        return this.#owe(refOf(frame), { room });
      default: // hello ends with the connection, typing has no answer.
    }
  }

  onReceived(text: string): void {
    for (const line of text.split("\n")) this.#onFrame(JSON.parse(line) as Frame);
  }

  onEnded(code: number): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    if (code !== 1005 && this.#wasWelcome) this.#options.findings.shown.push(`close ${code}`);
    for (const [name, { room }] of this.#owed) {
      const [kind, rest = ""] = name.split(" ");
      const lost = { room, phase: "info", err: LOST } as const;
      if (kind === "send") this.#record({ ...lost, op: "send", id: rest as MessageId });
      if (kind === "page") this.#record({ ...lost, op: "page", ref: Number(rest) });
    }
    this.#record({ op: "close", phase: code === 1005 ? "ok" : "info" });
  }

  #onFrame(frame: Frame): void {
    const room = frame["room"] as RoomId;
    switch (frame.t) {
      case "welcome":
        this.#wasWelcome = true;
        return this.#record({ op: "open", phase: "ok", via: this.#options.gateway });
      case "joined":
        return this.#onJoined(room, frame);
      case "caught-up":
        return this.#onCaughtUp(room, frame["seq"] as Seq);
      case "msg":
        return this.#onEvent(room, frame);
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
      case "presence":
        return this.#onPresence(room, frame);
      case "error":
        return this.#onError(room, frame);
      default: // typing, reconnect: nobody is owed these.
    }
  }

  #onJoined(room: RoomId, frame: Frame): void {
    const asked = this.#settle(refOf(frame));
    if (asked === undefined) return;
    const [from, head] = [Number(frame["from"]), Number(frame["head"])];
    const { after } = asked;
    if (after !== undefined && after < head) this.#options.findings.saw("resume replayed");
    this.#stays.set(room, false);
    const born = String(frame["born"]);
    const join = { room, op: "join" } as const;
    this.#record({ ...join, phase: "invoke", ...(after !== undefined && { after }) });
    this.#record({ ...join, phase: "ok", from, head, born });
  }

  #onCaughtUp(room: RoomId, seq: Seq): void {
    const isCaughtUp = this.#stays.get(room);
    if (isCaughtUp === undefined) return this.#fail("I9", `caught-up of ${room} without joined`);
    if (isCaughtUp) this.#fail("O8", `${room} was caught up twice`);
    this.#stays.set(room, true);
    this.#record({ room, op: "caught", seq });
  }

  #onEvent(room: RoomId, frame: Frame): void {
    const [seq, id] = [frame["seq"] as Seq, frame["id"] as MessageId];
    if (!this.#stays.has(room)) this.#fail("I9", `${room} ${seq} was shown outside of a stay`);
    this.#record({ room, op: "see", seq, id });
  }

  #onLeft(room: RoomId, frame: Frame): void {
    this.#settle(refOf(frame));
    if (!this.#stays.delete(room)) return; // It left before it was let in.
    this.#record({ room, op: "leave", phase: "invoke" });
    this.#record({ room, op: "leave", phase: "ok" });
  }

  #onPage(room: RoomId, frame: Frame): void {
    const after = this.#settle(pageOf(frame))?.after ?? 0;
    const events = frame["events"] as readonly { seq: Seq; id: MessageId }[];
    const first = events[0]?.seq ?? after + 1;
    if (first !== after + 1) this.#fail("O12", `a page after ${after} begins at ${first}`);
    const ids = events.map(({ id }) => id);
    this.#record({ room, op: "page", phase: "ok", ref: frame["ref"] as number, first, ids });
  }

  #onPresence(room: RoomId, frame: Frame): void {
    // A frame of the room may be under way while the leave is: it says nothing about anybody's text.
    if (!this.#stays.has(room)) return;
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
    const what = this.#owed.has(pageOf(frame)) ? "page" : "request";
    this.#options.findings.shown.push(`${what} ${err}`);
    const phase = REFUSALS.has(err) ? "fail" : "info";
    const id = frame["id"] as MessageId | undefined;
    if (id !== undefined) {
      this.#settle(`send ${id}`);
      return this.#record({ room, op: "send", phase, id, err });
    }
    const { ref } = frame;
    if (typeof ref !== "number") return;
    if (!this.#owed.has(pageOf(frame))) return void this.#settle(refOf(frame));
    this.#settle(pageOf(frame));
    this.#record({ room, op: "page", phase, ref, err });
  }

  #owe(name: string, asked: Omit<Asked, "at">): void {
    if (this.#owed.has(name)) this.#fail("I14", `the client asked twice: ${name}`);
    this.#owed.set(name, { ...asked, at: this.#options.now() });
  }

  #settle(name: string): Asked | undefined {
    const asked = this.#owed.get(name);
    if (asked === undefined) this.#fail("I14", `answered without being asked: ${name}`);
    this.#owed.delete(name);
    return asked;
  }

  #fail(invariant: string, detail: string): void {
    const { client, conn, now, findings } = this.#options;
    findings.broken(invariant, `${client}/${conn} at ${now().toFixed(0)}: ${detail}`);
  }

  #record(what: OwnPart): void {
    const { now, records, client, conn } = this.#options;
    records.push({ t: now(), client, conn, ...what });
  }
}

function refOf(frame: Frame): string {
  return `ref ${Number(frame["ref"])}`;
}

function pageOf(frame: Frame): string {
  return `page ${Number(frame["ref"])}`;
}

type OwnPart = ClientRecord extends infer R
  ? R extends ClientRecord
    ? Omit<R, "t" | "client" | "conn">
    : never
  : never;
