// Messages that change: any history in any batches gives the same pages, lines and look-ups on
// PostgreSQL and in memory, also when batches are written again.

import { expect } from "chai";
import * as fc from "fast-check";
import { MemoryArchive } from "#shared/adapters/archive-memory.ts";
import type { ArchiveEvent, ArchiveStore } from "#shared/ports/archive.ts";
import type { MessagesQuery } from "#shared/protocol/history.ts";
import type { RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import { archived, idOf, valueOf } from "#shared/testing/archive.contract.ts";
import { launchPostgres } from "#shared/testing/launch-postgres.ts";
import type { PostgresServer } from "#shared/testing/launch-postgres.ts";
import { PostgresArchive } from "../adapters/archive-postgres.ts";
import { migrate } from "../adapters/migrate.ts";

interface Draft {
  readonly kind: "msg" | "reply" | "edited" | "deleted" | "reacted" | "pinned";
  readonly user: string;
  readonly back: number;
  readonly on: boolean;
  readonly emoji: string;
}

const draft: fc.Arbitrary<Draft> = fc.record({
  kind: fc.constantFrom("msg", "msg", "msg", "reply", "edited", "deleted", "reacted", "pinned"),
  user: fc.constantFrom("ada", "ben", "cat"),
  back: fc.integer({ min: 1, max: 12 }),
  on: fc.boolean(),
  emoji: fc.constantFrom("👍", ":ok:"),
});

/** What an owner could have decided: each target is an earlier message that is not deleted. */
function eventsOf(room: RoomId, drafts: readonly Draft[]): ArchiveEvent[] {
  const messages: { seq: Seq; thread: Seq }[] = [];
  return drafts.map(({ kind, user, back, on, emoji }, i) => {
    const seq = i + 1;
    const message = messages.at(-back);
    const isMain = message?.thread === 0;
    const isPlain = message === undefined || kind === "msg" || (kind === "reply" && !isMain);
    const head = { room, seq, id: idOf(seq), from: user as UserId, at: 1_000 + seq };
    const body = { text: `secret ${seq}` };
    const target = message?.seq ?? 0;
    if (isPlain || kind === "reply") {
      const thread = isPlain ? 0 : target;
      messages.push({ seq, thread });
      const mentions = on && { mentions: ["ada"] as UserId[] };
      return archived({ t: "msg", ...head, body, ...(thread > 0 && { thread }), ...mentions });
    }
    if (kind === "deleted") messages.splice(messages.indexOf(message), 1);
    const named = on && { mentions: emoji === ":ok:" ? [] : (["ben"] as UserId[]) };
    if (kind === "edited") return archived({ t: kind, ...head, target, body, ...named });
    if (kind === "deleted") return archived({ t: kind, ...head, target });
    if (kind === "pinned") return archived({ t: kind, ...head, target, on });
    return archived({ t: "reacted", ...head, target, emoji, on });
  });
}

describe("Messages that change, on PostgreSQL and in memory", function () {
  let server: PostgresServer;
  let postgres: PostgresArchive;
  let p = 0;

  before(async function () {
    this.timeout(60_000);
    server = await launchPostgres();
    await migrate({ url: server.url });
    postgres = new PostgresArchive({ url: server.url });
  });
  after(async () => {
    await postgres.close();
    await server.stop();
  });

  async function everything(store: ArchiveStore, room: RoomId, head: Seq): Promise<unknown> {
    const page = async (query: Partial<MessagesQuery>) =>
      valueOf(await store.messages(room, { limit: 7, ...query }));
    const targets = Array.from({ length: Math.min(head, 6) }, (_, i) => i + 1);
    const asked = targets.map(async (target) =>
      valueOf(await store.lookup(p, room, "eve" as UserId, idOf(9_999), target)),
    );
    return {
      pages: [
        await page({}),
        await page({ after: 0 }),
        await page({ before: Math.ceil(head / 2) }),
        await page({ pinned: true }),
        ...(await Promise.all(targets.map((thread) => page({ thread, after: 0 })))),
      ],
      lines: valueOf(await store.range(room, 1, 200)).lines,
      targets: (await Promise.all(asked)).map(({ target }) => target),
    };
  }

  it("C5, C6: give the same for any history, cut into any batches, of which some are written twice", async function () {
    this.timeout(120_000);
    let erased = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(draft, { minLength: 1, maxLength: 60, size: "max" }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 60, maxLength: 60 }),
        fc.array(fc.nat({ max: 6 }), { minLength: 60, maxLength: 60 }),
        async (drafts, sizes, agains) => {
          const room = `room-${++p}` as RoomId;
          const memory = new MemoryArchive();
          const events = eventsOf(room, drafts);
          let [at, from] = [0, 0];
          for (let n = 0; at < events.length; n++) {
            const first = Math.max(0, at - (agains[n] === 0 ? 5 : 0)); // Some come again.
            const end = at + (sizes[n] ?? 1);
            const batch = { p, from, to: ++from, epoch: 1, events: events.slice(first, end) };
            expect(await memory.write(batch)).to.deep.equal({ kind: "ok", quarantined: 0 });
            expect(await postgres.write(batch)).to.deep.equal({ kind: "ok", quarantined: 0 });
            at = end;
          }
          const stored = await everything(postgres, room, events.length);
          expect(stored).to.deep.equal(await everything(memory, room, events.length));
          const newest = valueOf(await postgres.newestPages(["none" as RoomId, room], 7));
          const page = valueOf(await memory.messages(room, { limit: 7 }));
          expect(newest).to.deep.equal([[room, page]]);
          for (const { kind, line } of events) {
            if (kind !== "deleted") continue;
            const { target } = JSON.parse(line) as { target: Seq };
            expect(JSON.stringify(stored)).to.not.include(`"secret ${target}\\\\"`);
            erased++;
          }
        },
      ),
      { numRuns: Number(process.env["RUNS"] ?? 15), endOnFailure: true },
    );
    expect(erased).to.be.above(0);
  });
});
