// ClusterWatch: asks the cluster while an administrator looks at it.
//
// Owns: when the processes are asked, the last snapshot, the small history. Does not own: the
// requests (shared/adapters/operator-requests.ts), who may look (adapters/http.ts).
//
//   cluster-watch.1. The processes are asked at most once at a time, and not again while the last
//        answer is younger than FRESH_MS: any number of open pages costs one request a second.
//        Without an open page it asks nothing.
//   cluster-watch.2. Without a connection to NATS, or when a request fails, it returns the last
//        snapshot, and says so.
//   cluster-watch.3. The history has a point for every HISTORY_EVERY_MS in which a page was open,
//        and at most HISTORY_MAX points.

import type { OperatorRequests, RoomSummaries } from "#shared/adapters/operator-requests.ts";
import { clusterOverview } from "#shared/kit/cluster-overview.ts";
import type { Bus } from "#shared/ports/bus.ts";
import type { Clock } from "#shared/ports/clock.ts";
import type { ProcessStatus } from "#shared/protocol/control.ts";
import type { Millis } from "#shared/protocol/ids.ts";
import type { ClusterSnapshot, HistoryPoint } from "#shared/protocol/operator-page.ts";
import { WatchedProcesses } from "../core/watched-processes.ts";

export const FRESH_MS = 1_000;
const HISTORY_EVERY_MS = 5_000;
const HISTORY_MAX = 60;
/** The author of the questions that no administrator asked by hand. */
const WATCHER = "admin page";

type Kept = Omit<ClusterSnapshot, "now" | "isConnected">;

const NOTHING: Kept = {
  at: 0,
  processes: [],
  partitions: [],
  problems: [],
  webhooks: null,
  history: [],
};

export interface ClusterWatchParts {
  readonly requests: Pick<OperatorRequests, "status" | "rooms" | "webhooks">;
  readonly bus: Pick<Bus, "status">;
  readonly clock: Pick<Clock, "now">;
}

export class ClusterWatch {
  readonly #parts: ClusterWatchParts;
  readonly #processes = new WatchedProcesses();
  readonly #history: HistoryPoint[] = [];
  #kept = NOTHING;
  #failed = false;
  #asking: Promise<void> | undefined;
  #rooms: { readonly at: Millis; readonly found: RoomSummaries } | undefined;
  #askingRooms: Promise<RoomSummaries> | undefined;

  constructor(parts: ClusterWatchParts) {
    this.#parts = parts;
  }

  /** Never rejects (cluster-watch.2). */
  async snapshot(): Promise<ClusterSnapshot> {
    const { bus, clock } = this.#parts;
    const isConnected = bus.status === "connected";
    const age = clock.now() - this.#kept.at;
    if (isConnected && (age >= FRESH_MS || age < 0)) {
      this.#asking ??= this.#ask().finally(() => (this.#asking = undefined));
      await this.#asking;
    }
    return { ...this.#kept, now: clock.now(), isConnected: isConnected && !this.#failed };
  }

  /** Rejects without a connection to NATS. */
  async rooms(): Promise<RoomSummaries> {
    const { clock, requests } = this.#parts;
    const kept = this.#rooms;
    if (kept !== undefined && Math.abs(clock.now() - kept.at) < FRESH_MS) return kept.found;
    this.#askingRooms ??= requests.rooms(WATCHER).finally(() => (this.#askingRooms = undefined));
    const found = await this.#askingRooms;
    this.#rooms = { at: clock.now(), found };
    return found;
  }

  async #ask(): Promise<void> {
    const { clock, requests } = this.#parts;
    try {
      const [answers, webhooks] = await Promise.all([
        requests.status(WATCHER),
        requests.webhooks(),
      ]);
      const at = clock.now();
      this.#remember(answers, at);
      const { partitions, problems } = clusterOverview(answers);
      const processes = this.#processes.take(answers, at);
      const history = [...this.#history];
      this.#kept = { at, processes, partitions, problems, webhooks: webhooks ?? null, history };
      this.#failed = false;
    } catch {
      this.#failed = true; // The connection was lost meanwhile.
    }
  }

  /** cluster-watch.3. */
  #remember(answers: readonly ProcessStatus[], at: Millis): void {
    const last = this.#history.at(-1);
    if (last !== undefined && Math.abs(at - last.at) < HISTORY_EVERY_MS) return;
    const sum = (count: (one: ProcessStatus) => number | undefined): number =>
      answers.reduce((all, one) => all + (count(one) ?? 0), 0);
    this.#history.push({
      at,
      sockets: sum((one) => one.connections),
      rooms: sum((one) => (one.kind === "room" ? one.rooms : 0)),
      lagEntries: sum((one) => one.logs?.reduce((all, log) => all + log.lagEntries, 0)),
    });
    if (this.#history.length > HISTORY_MAX) this.#history.shift();
  }
}
