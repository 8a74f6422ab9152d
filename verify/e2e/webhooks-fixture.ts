// Fixture: webhooks processes in this one, on a real PostgreSQL whose archive the test fills.

import { randomUUID } from "node:crypto";
import { systemClock, systemRandom } from "#shared/adapters/clock-system.ts";
import { launchPostgres } from "#shared/testing/launch-postgres.ts";
import { createLogger } from "#shared/process/logger.ts";
import type { WebhookKind } from "#shared/protocol/webhooks.ts";
import type { Clock } from "#shared/ports/clock.ts";
import { Client } from "pg";
import { PostgresArchive } from "../../services/persistence/adapters/archive-postgres.ts";
import { claimPartitions, migrate } from "../../services/persistence/adapters/migrate.ts";
import { event } from "#shared/testing/archive.contract.ts";
import type { RoomId, Seq } from "#shared/protocol/ids.ts";
import { readNetworks } from "../../services/webhooks/adapters/addresses.ts";
import { openPostgresSession } from "../../services/webhooks/adapters/postgres-session.ts";
import { HttpSender } from "../../services/webhooks/adapters/sender.ts";
import { SECRET } from "../../services/webhooks/test/receiver.ts";
import type { SessionFeed } from "../../services/webhooks/core/ports.ts";
import { WebhookStats } from "../../services/webhooks/runtime/webhook-stats.ts";
import { WebhooksNode } from "../../services/webhooks/runtime/webhooks-node.ts";
import type { WebhookSession } from "../../services/webhooks/runtime/webhooks-node.ts";

const PARTITIONS = 2;

export interface WebhooksFixture extends AsyncDisposable {
  readonly url: string;
  /** Archives the next `count` messages of each room, as one batch of a partition. */
  archive(rooms: readonly string[], count?: number, p?: number): Promise<void>;
  add(url: string, more?: { kinds?: WebhookKind[]; rooms?: string[] }): Promise<string>;
  start(options?: NodeOptions): WebhooksNode & { readonly stats: WebhookStats };
  query<R extends object>(text: string, values?: unknown[]): Promise<R[]>;
  readonly desk: WebhookSession["store"];
}

export interface NodeOptions {
  readonly sessions?: SessionFeed;
  readonly clock?: Clock;
  readonly timeoutMs?: number;
}

export async function openFixture(): Promise<WebhooksFixture> {
  const server = await launchPostgres({ embedded: true });
  await migrate({ url: server.url });
  await claimPartitions(server.url, PARTITIONS);
  const archive = new PostgresArchive({ url: server.url });
  const session = await openPostgresSession([server.url], undefined);
  const client = new Client({ connectionString: server.url });
  await client.connect();
  const heads = new Map<string, Seq>();
  const watermarks = new Map<number, number>();
  const nodes: WebhooksNode[] = [];
  return {
    url: server.url,
    desk: session.store,
    async archive(rooms, count = 1, p = 0) {
      const events = rooms.flatMap((room) => {
        const head = heads.get(room) ?? 0;
        heads.set(room, head + count);
        return Array.from({ length: count }, (_, n) => event(room as RoomId, head + n + 1));
      });
      const from = watermarks.get(p) ?? 0;
      watermarks.set(p, from + 1);
      const outcome = await archive.write({ p, from, to: from + 1, epoch: 1, events });
      if (outcome.kind !== "ok") throw new Error(JSON.stringify(outcome));
      for (const node of nodes) node.wake();
    },
    async add(url, { kinds = ["room.msg"], rooms = [] } = {}) {
      const webhook = randomUUID();
      const row = { webhook, url, secret: SECRET, kinds, rooms, author: "test" };
      await session.store.add(row, undefined);
      return webhook;
    },
    start({ sessions, clock = systemClock, timeoutMs = 1_000 } = {}) {
      const stats = new WebhookStats();
      const allowed = readNetworks("127.0.0.0/8") ?? [];
      const now = (): number => Date.now();
      const node = new WebhooksNode({
        open: () => openPostgresSession([server.url], sessions),
        sender: new HttpSender({ allowed, plain: true, now, timeoutMs }),
        clock,
        random: systemRandom,
        stats,
        logger: createLogger({ name: "webhooks", level: "silent" }),
      });
      nodes.push(node);
      node.start();
      return Object.assign(node, { stats });
    },
    async query<R extends object>(text: string, values: unknown[] = []) {
      return (await client.query<R>(text, values)).rows;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(nodes.map((node) => node.stop()));
      await Promise.all([archive.close(), session.close(), client.end()]);
      await server[Symbol.asyncDispose]();
    },
  };
}
