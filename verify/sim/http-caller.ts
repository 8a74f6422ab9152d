// HttpCaller: clients without a session, as in HTTP requests. It repeats old sends and reads
// history.
//
// Owns: its open calls. Each call uses a random running gateway. A call to a gateway that exits
// ends with an unknown outcome, as a dropped HTTP connection does.
//
//   http-caller.1. Every gateway answers a repeated message id with its first sequence number.
//   http-caller.2. The history of a room, page by page, equals the log.

import { LOST } from "../checker/record.ts";
import type { HistoryRecord } from "../checker/record.ts";
import { sumOf } from "../checker/sum.ts";
import type { Millis, RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import type { PageOutcome, RoomApi } from "../../services/gateway/core/room-api-port.ts";
import type { SimulatedCluster, SimulatedService } from "./cluster.ts";
import type { SeededRng } from "./seeded-rng.ts";
import type { Findings } from "./findings.ts";
import type { Acked } from "./user.ts";

/** Connection numbers of calls begin far above those of sockets. */
const FIRST_CALL_NUMBER = 1_000_000;
const PAGE_LIMIT = 200;
/** The user who reads all history at the end of a run. */
const READER = "reader" as UserId;
const READ_ATTEMPTS = 20;

export interface HttpCallerOptions {
  readonly cluster: SimulatedCluster;
  readonly rng: SeededRng;
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

  /** The number of calls that have not ended. */
  get open(): number {
    return this.#open;
  }

  repeat(user: UserId, { room, id, body, seq: known }: Acked): void {
    const { records, findings, now } = this.#options;
    const call = FIRST_CALL_NUMBER + ++this.#calls;
    const origin = { client: user, conn: call, room, op: "send" as const, id };
    let isSent = false;
    this.#call(
      (roomApi) => {
        isSent = true;
        records.push({ ...origin, t: now(), phase: "invoke", sum: sumOf(body) });
        return roomApi.write({ user, frame: { t: "send", room, id, body } });
      },
      (outcome) => {
        if (outcome === undefined) {
          if (isSent) records.push({ ...origin, t: now(), phase: "info", err: LOST });
        } else if (outcome.kind === "sent") {
          records.push({ ...origin, t: now(), phase: "ok", seq: outcome.seq });
          if (outcome.seq === known)
            findings.count("retry answered with the first sequence number");
        } else {
          records.push({ ...origin, t: now(), phase: "info", err: outcome.error });
        }
      },
    );
  }

  /** All lines of all rooms, as the product's history pages return them. */
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
    for (let i = 0; i < READ_ATTEMPTS; i++) {
      const outcome = await new Promise<PageOutcome | undefined>((resolve) => {
        this.#call(
          (roomApi) =>
            roomApi.page({ user: READER, grant: "admin", room, after, limit: PAGE_LIMIT }),
          resolve,
        );
      });
      if (outcome?.kind === "page") return outcome;
      if (outcome !== undefined) reason = outcome.error;
    }
    this.#options.findings.violation("I15", `${room} after ${after} cannot be read: ${reason}`);
    return { kind: "page", events: [], more: false };
  }

  #call<T>(call: (roomApi: RoomApi) => Promise<T>, onEnd: (outcome: T | undefined) => void): void {
    const service = this.#pickGateway();
    const gateway = service?.gateway;
    if (service === undefined || gateway === undefined) return onEnd(undefined);
    this.#open++;
    let hasEnded = false;
    const end = (outcome: T | undefined): void => {
      if (hasEnded) return;
      hasEnded = true;
      this.#open--;
      onEnd(outcome);
    };
    service.process.onExit(() => end(undefined));
    service.process.run(() => void call(gateway.roomApi).then(end));
  }

  #pickGateway(): SimulatedService | undefined {
    const { cluster, rng } = this.#options;
    return rng.pick(cluster.of("gateway").filter(({ isLeaving }) => !isLeaving));
  }
}
