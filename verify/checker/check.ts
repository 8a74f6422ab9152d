// Check: judges whether a run kept the invariants, from the records of the clients and the contents
// of the stores.
//
// It is pure and streaming. It knows records, log entries and event lines only, and it shares no
// code with the services. It needs about two hundred bytes of memory for each message.
//
// The invariants I1 to I19 of docs/SPEC.md, and the file that judges each:
//
//   I1, I3, I4, I15   stored.ts
//   I2                sends.ts, streams.ts, stored.ts
//   I3, I5, I8, I9    streams.ts, births.ts
//   I6                sends.ts, stored.ts
//   I7                sends.ts
//   I10               tenures.ts
//   I11               streams.ts
//   I12, I13          faults.ts
//   I14               conns.ts
//   I16               members.ts, invites.ts, pace.ts
//   I17               changes.ts, pace.ts
//   I18               lists.ts
//   I19               hooks.ts
//
// Order of the input: all records, then the archive, then the logs, then the pages, then `finish`.

import type { MessageId, RoomId, Seq } from "#shared/protocol/ids.ts";
import { Changes } from "./changes.ts";
import { Conns } from "./conns.ts";
import { Faults } from "./faults.ts";
import type { FaultReport } from "./faults.ts";
import { Hooks } from "./hooks.ts";
import { CheckedInvites } from "./invites.ts";
import type { Percentiles } from "./latencies.ts";
import { Lists } from "./lists.ts";
import { Members } from "./members.ts";
import { Messages } from "./messages.ts";
import type { HistoryRecord } from "./record.ts";
import { Pace } from "./pace.ts";
import { Tenures } from "./tenures.ts";
import type { LoggedEntry } from "./tenures.ts";
import { Sends } from "./sends.ts";
import { Stored } from "./stored.ts";
import { Streams } from "./streams.ts";
import type { InvariantId, Violation } from "./violation.ts";

export interface Counts {
  violations: number;
  /** Distinct message ids. */
  sent: number;
  acked: number;
  /** Ids that a client sent more than once. */
  retried: number;
  /** Ids with an uncertain outcome: no answer, or only `unavailable`. */
  unknown: number;
  refused: number;
  stored: number;
  seen: number;
  claims: number;
  /** Void commits of fenced owners (P15). */
  voided: number;
}

/** Events that must happen at least once in a full run. */
export interface Sometimes {
  ownerChanged: number;
  retryAnsweredOld: number;
  resumeReplayed: number;
  /** A line took the right to read from a connection. */
  memberRemoved: number;
  /** A page of messages was judged by the fold of the lines. */
  messagesViewed: number;
  /** A room of a room list was judged by the fold of its lines. */
  roomsListed: number;
  /** A read position of a user was higher than in the list before. */
  positionGrew: number;
  /** A guest entered with an invite. */
  guestEntered: number;
  /** A room decided against a write, for example one with an invite that has ended. */
  writeRefused: number;
  /** A send had to wait, and then it was acknowledged. Runs without limits: for a slow mode. */
  senderSlowed: number;
  /** A stored message was judged by the slow mode of its room. */
  slowModeJudged: number;
  /** The archive has a tombstone in the place of a text. */
  textErased: number;
  /** A receiver of webhooks took an event. */
  hookDelivered: number;
}

export interface Report {
  /** At most VIOLATIONS_MAX; `counts.violations` counts all. */
  readonly violations: readonly Violation[];
  readonly broken: readonly InvariantId[];
  readonly counts: Readonly<Counts>;
  readonly sometimes: Readonly<Sometimes>;
  readonly faults: readonly FaultReport[];
  /** First send to acknowledgement, faults included. */
  readonly ackMs: Percentiles;
  /** Of the messages that were acknowledged while no fault lasted and every unit was served. */
  readonly calmMs: Percentiles;
  readonly mibPeaks: Readonly<Record<string, number>>;
  readonly seconds: number;
}

export interface Run {
  readonly records: Iterable<HistoryRecord>;
  readonly archive: Iterable<string>;
  readonly log: Iterable<LoggedEntry>;
  /** The history of the rooms from event 1 on; undefined when it was not read. */
  readonly pages?: Iterable<string>;
}

export const VIOLATIONS_MAX = 200;

/** Judges a run that fits into memory. */
export function check(run: Run): Report {
  const checker = new Check();
  for (const record of run.records) checker.take(record);
  for (const line of run.archive) checker.takeArchived(line);
  for (const entry of run.log) checker.takeLogged(entry);
  for (const line of run.pages ?? []) checker.takePaged(line);
  return checker.finish({ hasPages: run.pages !== undefined });
}

export class Check {
  readonly #violations: Violation[] = [];
  readonly #broken = new Set<InvariantId>();
  #failed = 0;
  readonly #fail = (invariant: InvariantId, detail: string): void => {
    this.#failed++;
    this.#broken.add(invariant);
    if (this.#violations.length < VIOLATIONS_MAX) this.#violations.push({ invariant, detail });
  };
  readonly #messages = new Messages();
  readonly #conns = new Conns(this.#fail);
  readonly #sends = new Sends(this.#messages, this.#conns, this.#fail);
  readonly #streams = new Streams(this.#messages, this.#conns, this.#fail);
  readonly #members = new Members(this.#fail);
  readonly #changes = new Changes(this.#members, this.#fail);
  readonly #invites = new CheckedInvites(this.#members, this.#fail);
  readonly #pace = new Pace(this.#members, this.#messages, this.#fail);
  readonly #lists = new Lists(this.#fail);
  readonly #hooks = new Hooks(this.#fail);
  readonly #faults = new Faults(this.#conns, this.#fail);
  readonly #tenures = new Tenures(this.#fail);
  readonly #stored = new Stored(this.#messages, this.#fail);
  /** Pages that clients read during the run, kept until the archive is known. */
  readonly #paged: { room: RoomId; first: Seq; messages: Uint32Array }[] = [];
  /** The run has ended in order. */
  #isEnded = false;
  #beganAt: number | undefined;
  #endedAt = 0;

  take(record: HistoryRecord): void {
    this.#beganAt ??= record.t;
    this.#endedAt = record.t;
    switch (record.op) {
      case "send":
        return this.#onSend(record, Math.round(record.t - this.#beganAt));
      case "see":
        this.#sends.onShown(record.room, record.seq);
        this.#members.onSeen(record);
        this.#lists.onReached(record, record.room, record.seq);
        return this.#streams.onSeen(record);
      case "join":
        if (record.phase === "fail") this.#faults.onError(record);
        if (record.phase === "ok") {
          this.#members.onJoined(record);
          this.#sends.onShown(record.room, record.head ?? 0);
          this.#lists.onReached(record, record.room, record.head ?? 0);
        }
        if (record.phase === "fail" || record.phase === "info") this.#sends.onAway(record);
        return this.#streams.onJoin(record);
      case "caught":
        return this.#streams.onCaughtUp(record);
      case "leave":
        this.#sends.onAway(record);
        return this.#streams.onLeave(record);
      case "here":
        return this.#streams.onPresence(record);
      case "page":
        return this.#onPage(record);
      case "view":
        return this.#onView(record);
      case "read":
        return this.#lists.onSaid(record);
      case "list":
        return this.#onList(record);
      case "open":
        this.#conns.of(record).via = record.via;
        return;
      case "close":
        this.#sends.onClosed(record);
        return this.#conns.close(record);
      case "fault":
        return this.#faults.onFault(record);
      case "hook":
        return this.#hooks.onRecord(record);
      case "sample":
        return this.#faults.onSample(record);
      case "mark":
        if (record.what === "loss") return this.#streams.births.onLoss();
        this.#streams.onQuiet();
        if (record.what !== "end") return;
        this.#isEnded = true;
        this.#streams.onEnd();
    }
  }

  takeArchived(line: string): void {
    this.#members.takeArchived(line);
    this.#changes.takeArchived(line);
    this.#pace.takeArchived(line);
    this.#invites.takeArchived(line);
    this.#lists.takeArchived(line);
    this.#hooks.takeArchived(line);
    this.#stored.takeArchived(line);
  }

  takeLogged(entry: LoggedEntry): void {
    for (const line of this.#tenures.take(entry)) {
      this.#stored.takeLogged(line, this.#tenures.isTrimmed);
    }
  }

  takePaged(line: string): void {
    this.#stored.takePaged(line);
  }

  finish({ hasPages }: { readonly hasPages: boolean }): Report {
    const { isTrimmed, claims, voided, changes } = this.#tenures;
    this.#sends.finish();
    this.#conns.finish();
    this.#members.finish();
    this.#changes.finish();
    this.#lists.finish(this.#isEnded);
    this.#hooks.finish(this.#isEnded);
    this.#stored.finish({ isTrimmed, hasPages, seen: this.#streams.seen() });
    for (const { client, room, next } of this.#streams.last) {
      const head = this.#stored.head(room);
      if (next - 1 !== head) {
        this.#fail("I8", `${client} has ${room} up to ${next - 1} at the end; the head is ${head}`);
      }
    }
    for (const { room, first, messages } of this.#paged) {
      messages.forEach((m, i) => this.#stored.checkPaged(room, first + i, m));
    }
    const faults = this.#faults.finish(this.#beganAt ?? 0);
    const counts = { ...this.#count(), claims, voided, violations: this.#failed };
    return {
      violations: this.#violations,
      broken: [...this.#broken],
      counts,
      sometimes: {
        ownerChanged: changes,
        retryAnsweredOld: this.#sends.oldAnswers,
        resumeReplayed: this.#streams.replayed,
        memberRemoved: this.#members.removed,
        messagesViewed: this.#changes.viewed,
        roomsListed: this.#lists.judged,
        positionGrew: this.#lists.grown,
        guestEntered: this.#invites.entered,
        writeRefused: this.#sends.decided,
        senderSlowed: this.#sends.slowed,
        slowModeJudged: this.#pace.slowed,
        textErased: this.#changes.erased,
        hookDelivered: this.#hooks.delivered,
      },
      faults,
      ackMs: this.#sends.latencies.percentiles(),
      calmMs: this.#faults.calm.percentiles(),
      mibPeaks: Object.fromEntries(this.#faults.peaks),
      seconds: (this.#endedAt - (this.#beganAt ?? 0)) / 1_000,
    };
  }

  #onSend(record: Extract<HistoryRecord, { op: "send" }>, at: number): void {
    if (record.phase === "invoke") {
      if (record.sum !== undefined) this.#faults.onSent(record);
      this.#sends.onInvoked(record, at);
    } else if (record.phase === "ok") {
      const m = this.#sends.onAcked(record, at);
      if (m === 0) return;
      const sentAt = this.#messages.at.at(m) + (this.#beganAt ?? 0);
      this.#faults.onAcked(record, sentAt, { isTimed: !this.#sends.isSlowed(m) });
    } else {
      this.#faults.onError(record);
      this.#sends.onUnanswered(record);
    }
  }

  #onPage(record: Extract<HistoryRecord, { op: "page" }>): void {
    const request = `page ${record.ref}`;
    if (record.phase === "invoke") {
      this.#conns.begin(record, request);
      return;
    }
    this.#conns.end(record, request);
    if (record.phase !== "ok") return;
    this.#members.onPaged(record);
    const { room, first, ids } = record;
    const messages = Uint32Array.from(ids, (id: MessageId) => this.#messages.number(id));
    this.#paged.push({ room, first, messages });
  }

  #onView(record: Extract<HistoryRecord, { op: "view" }>): void {
    const request = `view ${record.ref}`;
    if (record.phase === "invoke") {
      this.#conns.begin(record, request);
      return;
    }
    this.#conns.end(record, request);
    if (record.phase !== "ok") return;
    this.#members.onViewed(record);
    this.#changes.onViewed(record);
  }

  #onList(record: Extract<HistoryRecord, { op: "list" }>): void {
    const request = `list ${record.ref}`;
    if (record.phase === "invoke") {
      this.#conns.begin(record, request);
      return this.#lists.onAsked(record);
    }
    this.#conns.end(record, request);
    if (record.phase === "ok") this.#lists.onListed(record);
  }

  #count(): Omit<Counts, "claims" | "voided" | "violations"> {
    const { count: sent } = this.#messages;
    let acked = 0;
    let refused = 0;
    for (let m = 1; m <= sent; m++) {
      if (this.#messages.seq.at(m) > 0) acked++;
      else if (this.#messages.isOnlyRefused(m) || this.#sends.isDecided(m)) refused++;
    }
    const { lines: stored } = this.#stored.archive;
    const unknown = sent - acked - refused;
    return {
      sent,
      acked,
      refused,
      unknown,
      stored,
      retried: this.#sends.retried,
      seen: this.#streams.shown,
    };
  }
}
