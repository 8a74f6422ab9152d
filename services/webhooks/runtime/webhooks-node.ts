// WebhooksNode: which subscriptions this process serves, and for how long.
//
// Owns: the session with PostgreSQL whose advisory locks say who serves what. Does not own: the
// deliveries (subscription-runner.ts).
//
//   webhooks-node.1. One process serves a subscription: it holds the lock of a session with
//        PostgreSQL. When the process or its session ends, PostgreSQL frees the lock, and another
//        process takes it within LOOK_MS (W3).
//   webhooks-node.2. When the session ends, all runners of it end at once.

import type { Clock, Random } from "#shared/ports/clock.ts";
import type { Logger } from "#shared/process/logger.ts";
import type { Webhook } from "#shared/protocol/webhooks.ts";
import { HOUSEKEEPING_MS, LOOK_MS } from "../core/bounds.ts";
import type { Sender, WebhookDesk, WebhookStore } from "../core/ports.ts";
import { SubscriptionRunner } from "./subscription-runner.ts";
import type { WebhookStats } from "./webhook-stats.ts";

/** One session with PostgreSQL. */
export interface WebhookSession {
  readonly store: WebhookStore & WebhookDesk;
  /** True while this session holds the lock. */
  lock(webhook: string): Promise<boolean>;
  unlock(webhook: string): Promise<void>;
  /** Resolves when the session has ended. */
  readonly ended: Promise<void>;
  close(): Promise<void>;
}

export interface NodeParts {
  /** Rejects while PostgreSQL has no primary. */
  readonly open: () => Promise<WebhookSession>;
  readonly sender: Sender;
  readonly clock: Clock;
  readonly random: Random;
  readonly stats: WebhookStats;
  readonly logger: Pick<Logger, "info" | "warn">;
}

export class WebhooksNode {
  readonly #parts: NodeParts;
  readonly #runners = new Map<string, SubscriptionRunner>();
  readonly #stopped = Promise.withResolvers<void>();
  #session: WebhookSession | undefined;
  #isStopped = false;
  #isFailing = false;
  #tidiedAt = -Infinity;
  #main: Promise<void> | undefined;

  constructor(parts: NodeParts) {
    this.#parts = parts;
    parts.stats.down = () => [...this.#runners.values()].filter(({ isDown }) => isDown).length;
  }

  /** Undefined while there is no session. */
  get desk(): WebhookDesk | undefined {
    return this.#session?.store;
  }

  get serves(): readonly string[] {
    return [...this.#runners.keys()];
  }

  start(): void {
    this.#main ??= this.#loop();
  }

  /** The archive has new events. */
  wake(): void {
    for (const runner of this.#runners.values()) runner.wake();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#stopped.resolve();
    await this.#main;
  }

  async #loop(): Promise<void> {
    while (!this.#isStopped) {
      try {
        const session = await this.#parts.open();
        this.#session = session;
        this.#isFailing = false;
        await this.#serve(session);
      } catch (error: unknown) {
        this.#report(error);
      }
      await this.#endSession();
      if (!this.#isStopped) await this.#wait(LOOK_MS);
    }
  }

  async #serve(session: WebhookSession): Promise<void> {
    const ending = new AbortController();
    void session.ended.then(() => {
      ending.abort();
      for (const runner of this.#runners.values()) void runner.stop(); // webhooks-node.2
    });
    while (!this.#isStopped && !ending.signal.aborted) {
      await this.#look(session);
      await Promise.race([this.#wait(LOOK_MS), session.ended]);
    }
  }

  async #look(session: WebhookSession): Promise<void> {
    const { stats, clock } = this.#parts;
    const wanted = await session.store.subscriptions();
    const ids = new Set(wanted.map(({ webhook }) => webhook));
    for (const [id, runner] of this.#runners) {
      if (ids.has(id)) continue;
      await runner.stop();
      await session.unlock(id);
    }
    for (const webhook of wanted) {
      if (this.#runners.has(webhook.webhook)) continue;
      if (await session.lock(webhook.webhook)) this.#begin(session, webhook);
    }
    if (this.#runners.size === 0) stats.held = [];
    if (clock.monotonic() - this.#tidiedAt < HOUSEKEEPING_MS) return;
    this.#tidiedAt = clock.monotonic();
    if (this.#runners.size > 0 || wanted.length === 0) await session.store.prune();
    if (this.#runners.size === 0) return;
    stats.held = (await session.store.list()).filter(({ webhook }) => this.#runners.has(webhook));
  }

  #begin(session: WebhookSession, webhook: Webhook): void {
    const { sender, clock, random, stats, logger } = this.#parts;
    const runner = new SubscriptionRunner(webhook, {
      store: session.store,
      sender,
      clock,
      random,
      stats,
      onStoreError: (error) => this.#report(error),
    });
    this.#runners.set(webhook.webhook, runner);
    logger.info({ webhook: webhook.webhook }, "serving a webhook");
    void runner.start().then(() => this.#runners.delete(webhook.webhook));
  }

  async #endSession(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await Promise.all([...this.#runners.values()].map((runner) => runner.stop()));
    this.#runners.clear();
    await session?.close();
  }

  /** Once for each time in which PostgreSQL does not answer. */
  #report(error: unknown): void {
    if (this.#isFailing || this.#isStopped) return;
    this.#isFailing = true;
    const reason = error instanceof Error ? error.message : String(error);
    this.#parts.logger.warn({ reason }, "the webhooks wait for PostgreSQL");
  }

  #wait(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#parts.clock.after(ms, resolve);
    void this.#stopped.promise.then(() => {
      timer.cancel();
      resolve();
    });
    return promise;
  }
}
