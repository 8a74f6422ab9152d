// HttpCaller: callers without a session, as HTTP brings them: repeats of old sends, and the whole history.
//
// Owns: calls under way. What it asks goes through any living gateway; a call to a gateway that
// dies ends as unknown, as a dropped HTTP connection does.
//
//   http-caller.1.  A repeated id is answered with the number that it had, whoever is asked.
//   http-caller.2. The history of a room, page by page, is what the log has.

import { LOST } from "../checker/record.ts";
import type { HistoryRecord } from "../checker/record.ts";
import { sumOf } from "../checker/sum.ts";
import type { Millis, RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import type { PageOutcome, RoomApi } from "../../services/gateway/core/room-api-port.ts";
import type { Cluster, Member } from "./cluster.ts";
import type { Dice } from "./seeded-rng.ts";
import type { Findings } from "./findings.ts";
import type { Acked } from "./user.ts";

/** Connection numbers of calls: far above those of sockets. */
const FIRST_CALL = 1_000_000;
const PAGE = 200;
/** Reads the whole history at the end of a run. */
const READER = "reader" as UserId;
const READ_TRIES = 20;

export interface HttpCallerOptions {
  readonly cluster: Cluster;
  readonly dice: Dice;
  readonly records: HistoryRecord[];
  readonly findings: Findings;
  readonly now: () => Millis;
}

export class HttpCaller {
  readonly #options: HttpCallerOptions;
  #calls = 0;
  #open = 0;

  constructor(options: HttpCallerOptions) {
    this.#options = options;
  }

  get open(): number {
    return this.#open;
  }

  repeat(user: UserId, { room, id, body, seq: known }: Acked): void {
    const { records, findings, now } = this.#options;
    const call = FIRST_CALL + ++this.#calls;
    const origin = { client: user, conn: call, room, op: "send" as const, id };
    let isAsked = false;
    this.#call(
      (roomApi) => {
        isAsked = true;
        records.push({ ...origin, t: now(), phase: "invoke", sum: sumOf(body) });
        return roomApi.send({ user, room, id, body });
      },
      (outcome) => {
        if (outcome === undefined) {
          if (isAsked) records.push({ ...origin, t: now(), phase: "info", err: LOST });
        } else if (outcome.kind === "sent") {
          records.push({ ...origin, t: now(), phase: "ok", seq: outcome.seq });
          if (outcome.seq === known) findings.saw("retry answered with the old number");
        } else {
          records.push({ ...origin, t: now(), phase: "info", err: outcome.error });
        }
      },
    );
  }

  /** All lines of all rooms, from the product's own pages. Never resolves if it cannot be had. */
  async readAll(rooms: Iterable<RoomId>): Promise<readonly string[]> {
    const lines: string[] = [];
    for (const room of rooms) {
      let after: Seq = 0;
      for (let more = true; more;) {
        const page = await this.#readPage(room, after);
        lines.push(...page.events);
        more = page.more && page.events.length > 0;
        after += page.events.length;
      }
    }
    return lines;
  }

  async #readPage(room: RoomId, after: Seq): Promise<Extract<PageOutcome, { kind: "page" }>> {
    let reason = "no gateway";
    for (let i = 0; i < READ_TRIES; i++) {
      const outcome = await new Promise<PageOutcome | undefined>((resolve) => {
        this.#call((roomApi) => roomApi.page({ user: READER, room, after, limit: PAGE }), resolve);
      });
      if (outcome?.kind === "page") return outcome;
      if (outcome !== undefined) reason = outcome.error;
    }
    this.#options.findings.broken("I15", `${room} after ${after} cannot be read: ${reason}`);
    return { kind: "page", events: [], more: false };
  }

  #call<T>(ask: (roomApi: RoomApi) => Promise<T>, onEnd: (outcome: T | undefined) => void): void {
    const member = this.#gateway();
    const gateway = member?.gateway;
    if (member === undefined || gateway === undefined) return onEnd(undefined);
    this.#open++;
    let hasEnded = false;
    const end = (outcome: T | undefined): void => {
      if (hasEnded) return;
      hasEnded = true;
      this.#open--;
      onEnd(outcome);
    };
    member.process.onDeath(() => end(undefined));
    member.process.run(() => void ask(gateway.roomApi).then(end));
  }

  #gateway(): Member | undefined {
    const { cluster, dice } = this.#options;
    return dice.pick(cluster.of("gateway").filter(({ isLeaving }) => !isLeaving));
  }
}
