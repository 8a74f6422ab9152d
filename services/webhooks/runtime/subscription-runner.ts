// SubscriptionRunner: delivers the events of one subscription.
//
// Owns: what is tried when. Does not own: which process runs it (webhooks-node.ts), how an event is
// stored (core/ports.ts) or sent. A subscription has a runner of its own and shares nothing with
// others, so a receiver that hangs delays no other one (W4).
//
//   subscription-runner.1. A cursor moves when every event before it has arrived or is stored as
//        left (W1). A process that is killed in between leaves the cursor where it was, and its
//        successor sends these events again with the same ids.
//   subscription-runner.2. Within a lane one event is in flight, and none is begun behind one that
//        has not arrived, except behind a dead letter (W2).
//   subscription-runner.3. While a receiver is down, nothing new is begun: the events stay in the
//        feed, which is cheaper than to store each as left. Events that became too old go to the
//        dead letters.
//   subscription-runner.4. When another process has moved a cursor, this runner ends at once.

import { fullJitter } from "#shared/kit/backoff.ts";
import type { Clock, Random, Timer } from "#shared/ports/clock.ts";
import type { Webhook } from "#shared/protocol/webhooks.ts";
import {
  HOUSEKEEPING_MS,
  IN_FLIGHT_MAX,
  POLL_MS,
  RETRY,
  STORE_RETRY_MS,
  TRIED_FOR_MS,
  WAITING_MAX,
} from "../core/bounds.ts";
import { byLane } from "../core/chunk.ts";
import type { Chunk, Item, Left, Sender, Waiting, WebhookStore } from "../core/ports.ts";
import { ReceiverHealth } from "../core/receiver-health.ts";
import type { WebhookStats } from "./webhook-stats.ts";

export interface RunnerParts {
  readonly store: WebhookStore;
  readonly sender: Sender;
  readonly clock: Clock;
  readonly random: Random;
  readonly stats: WebhookStats;
  /** The reason why PostgreSQL did not answer. */
  readonly onStoreError: (reason: unknown) => void;
}

export class SubscriptionRunner {
  readonly webhook: Webhook;
  readonly #parts: RunnerParts;
  readonly #health: ReceiverHealth;
  readonly #stopping = new AbortController();
  #wakeUp: (() => void) | undefined;
  #isAwake = false;
  #tidiedAt = -Infinity;
  #run: Promise<void> | undefined;

  constructor(webhook: Webhook, parts: RunnerParts) {
    this.webhook = webhook;
    this.#parts = parts;
    this.#health = new ReceiverHealth(parts.random);
  }

  get isDown(): boolean {
    return this.#health.isDown;
  }

  /** Resolves when the runner has ended. Never rejects. */
  start(): Promise<void> {
    this.#run ??= this.#loop();
    return this.#run;
  }

  /** New events may be there. */
  wake(): void {
    this.#isAwake = true;
    this.#wakeUp?.();
  }

  /** Ends deliveries in flight: their outcome is uncertain, and they are sent again. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#parts.sender.abort(this.webhook.webhook);
    this.#wakeUp?.();
    await this.#run;
  }

  get #isStopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #loop(): Promise<void> {
    while (!this.#isStopped) {
      this.#isAwake = false;
      let waitMs = STORE_RETRY_MS;
      try {
        waitMs = await this.#turn();
      } catch (error: unknown) {
        if (!this.#isStopped) this.#parts.onStoreError(error);
      }
      if (waitMs > 0) await this.#pause(waitMs);
    }
  }

  /** A wake ends it early, unless the receiver is down. */
  async #pause(ms: number): Promise<void> {
    if (this.#isStopped || (this.#isAwake && !this.#health.isDown)) return;
    await new Promise<void>((resolve) => {
      const timer: Timer = this.#parts.clock.after(ms, resolve);
      this.#wakeUp = () => {
        if (this.#health.isDown && !this.#isStopped) return;
        timer.cancel();
        resolve();
      };
    });
    this.#wakeUp = undefined;
  }

  /** How long nothing is to do. */
  async #turn(): Promise<number> {
    const { store, clock } = this.#parts;
    const id = this.webhook.webhook;
    await this.#tidyUp();
    await this.#retry();
    if (this.#isStopped) return 0;
    const { count, nextAt } = await store.waiting(id);
    if (this.#health.isDown) return Math.max(1, this.#health.waitMs(clock.now()));
    if (count < WAITING_MAX) {
      const chunk = await store.chunk(this.webhook);
      if (chunk.moves.length > 0) {
        await this.#deliver(chunk);
        return 0;
      }
    }
    return Math.min(POLL_MS, Math.max(1, nextAt - clock.now()));
  }

  /** Dead letters, of waiting events and of the feed of a receiver that is down. */
  async #tidyUp(): Promise<void> {
    const { store, clock, stats } = this.#parts;
    if (clock.monotonic() - this.#tidiedAt < HOUSEKEEPING_MS) return;
    this.#tidiedAt = clock.monotonic();
    const until = clock.now() - TRIED_FOR_MS;
    stats.buried += await store.bury(this.webhook.webhook, until);
    for (let isMore = this.#health.isDown; isMore && !this.#isStopped;) {
      const chunk = await store.chunk(this.webhook, until);
      isMore = chunk.moves.length > 0;
      const left = chunk.items.map((item) => this.#left(item, "the receiver was down", 0));
      if (isMore) await this.#advance(chunk, left);
    }
  }

  async #retry(): Promise<void> {
    const { store, clock } = this.#parts;
    const { webhook } = this.webhook;
    if (this.#health.waitMs(clock.now()) > 0) return;
    const isProbe = this.#health.isDown;
    // A probe is the event that is due first, whenever that is.
    const due = await store.due(
      webhook,
      isProbe ? Infinity : clock.now(),
      isProbe ? 1 : IN_FLIGHT_MAX,
    );
    await Promise.all(due.map((first) => this.#retryLane(first)));
  }

  /** The waiting events of a lane in order, until one fails. */
  async #retryLane(first: Waiting): Promise<void> {
    const { store, clock, random } = this.#parts;
    let next: Waiting | undefined = first;
    while (next !== undefined && !this.#isStopped) {
      const { n, attempts, lane } = next;
      const attempt = await this.#send(next);
      if (attempt.kind === "failed") {
        if (this.#isStopped) return;
        const nextAt = clock.now() + fullJitter(attempts, RETRY, random);
        await store.failed(n, attempts + 1, nextAt, attempt.reason);
        return;
      }
      await store.delivered(n);
      next = await store.nextOf(this.webhook.webhook, lane);
    }
  }

  async #deliver(chunk: Chunk): Promise<void> {
    const { store, clock } = this.#parts;
    const lanes = byLane(chunk.items);
    const names = lanes.map(([first]) => first?.lane ?? "");
    const waiting = await store.waitingLanes(this.webhook.webhook, names);
    const left: Left[] = [];
    const tooOld = clock.now() - TRIED_FOR_MS;
    const queue = lanes.values();
    const work = async (): Promise<void> => {
      for (const items of queue) {
        const [first] = items;
        const isBlocked = first !== undefined && waiting.has(first.lane);
        left.push(...(await this.#deliverLane(items, isBlocked, tooOld)));
      }
    };
    // All take lanes from the same iterator, so IN_FLIGHT_MAX are in flight.
    await Promise.all(Array.from({ length: IN_FLIGHT_MAX }, work));
    if (this.#isStopped) return; // subscription-runner.1: nothing is known of what was in flight.
    await this.#advance(chunk, left);
  }

  /** What of a lane the receiver does not have now. */
  async #deliverLane(items: readonly Item[], isBlocked: boolean, tooOld: number): Promise<Left[]> {
    const left: Left[] = [];
    for (const item of items) {
      if (this.#isStopped) return left;
      const mustWait = isBlocked || left.length > 0 || this.#health.isDown;
      if (mustWait || item.at < tooOld) {
        left.push(this.#left(item, "", 0));
        continue;
      }
      const attempt = await this.#send(item);
      if (attempt.kind === "failed") left.push(this.#left(item, attempt.reason, 1));
    }
    return left;
  }

  #left(item: Item, reason: string, attempts: number): Left {
    const { clock, random } = this.#parts;
    const now = clock.now();
    const nextAt = attempts === 0 ? now : now + fullJitter(0, RETRY, random);
    return { item, attempts, nextAt, reason, dead: item.at < now - TRIED_FOR_MS };
  }

  async #advance({ moves }: Chunk, left: readonly Left[]): Promise<void> {
    const { store, stats } = this.#parts;
    stats.buried += left.filter(({ dead }) => dead).length;
    const isMine = await store.advance(this.webhook.webhook, moves, left);
    if (!isMine) this.#stopping.abort(); // subscription-runner.4
  }

  async #send(item: Item): Promise<Awaited<ReturnType<Sender["send"]>>> {
    const { sender, clock, stats, store } = this.#parts;
    const began = clock.monotonic();
    const attempt = await sender.send(this.webhook, item);
    if (this.#isStopped) return { kind: "failed", reason: "the process ends" };
    stats.attempted(attempt, clock.monotonic() - began);
    if (attempt.kind === "failed") this.#health.onFailure(clock.now());
    else if (this.#health.onSuccess()) await store.hurry(this.webhook.webhook);
    return attempt;
  }
}
