// Dump: what the log, the archive and the HTTP history hold, as the check wants it.

import { Client } from "pg";
import { openNatsBus } from "#shared/adapters/bus-nats.ts";
import { openNatsLog } from "#shared/adapters/log-nats.ts";
import { createLogger } from "#shared/process/logger.ts";
import { decodeEntry, epochAfter, isVoid } from "#shared/protocol/entry.ts";
import { decodeEvent } from "#shared/protocol/events.ts";
import { until } from "#shared/testing/wait.ts";
import type { RoomDump, Stored } from "./history.ts";

const READ_WITHIN_MS = 60_000;

/** The valid events of all partition logs that were not trimmed (P15 applied). */
export async function dumpLog(natsUrl: string, partitions: number): Promise<RoomDump> {
  const logger = createLogger({ name: "dump", level: "error" });
  const bus = await openNatsBus({ url: natsUrl, name: "dump", inboxPrefix: "_INBOX_dump", logger });
  const log = openNatsLog(bus);
  const rooms = new Map<string, Stored[]>();
  for (let p = 0; p < partitions; p++) {
    const state = await log.last(p);
    const last = state.kind === "ok" ? state.last : 0;
    if (last === 0) continue;
    let epoch = 0;
    let seen = 0;
    const reader = log.read(p, 1, {
      onEntry: (seq, data) => {
        seen = seq;
        const entry = decodeEntry(new TextDecoder().decode(data));
        if (entry.kind === "commit" && !isVoid(epoch, entry)) {
          for (const { room, lines } of entry.groups) add(rooms, room, lines);
        }
        epoch = epochAfter(epoch, seq, entry);
      },
      onError: (reason) => {
        throw new Error(`the log of partition ${p} cannot be read: ${reason}`);
      },
    });
    await until(() => seen >= last, { withinMs: READ_WITHIN_MS, what: `entry ${last} of ${p}` });
    reader.close();
  }
  await bus.close();
  return rooms;
}

export async function dumpArchive(databaseUrl: string): Promise<RoomDump> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  const { rows } = await client.query<{ room: string; line: string }>(
    "select room, line from events order by room, seq",
  );
  await client.end();
  const rooms = new Map<string, Stored[]>();
  for (const { room, line } of rows) add(rooms, room, [line]);
  return rooms;
}

/** Pages through `GET /v1/rooms/{room}/messages` from the beginning. */
export async function dumpHistory(
  url: string,
  token: string,
  names: readonly string[],
): Promise<RoomDump> {
  const rooms = new Map<string, Stored[]>();
  for (const room of names) {
    const events: Stored[] = [];
    for (let more = true; more;) {
      const after = events.at(-1)?.seq ?? 0;
      const response = await fetch(`${url}/v1/rooms/${room}/messages?after=${after}&limit=200`, {
        headers: { authorization: `Bearer ${token}` },
      });
      if (!response.ok) throw new Error(`history of ${room}: ${response.status}`);
      const page = (await response.json()) as { events: Stored[]; more: boolean };
      events.push(...page.events.map(({ seq, id }) => ({ seq, id })));
      more = page.more && page.events.length > 0;
    }
    rooms.set(room, events);
  }
  return rooms;
}

function add(rooms: Map<string, Stored[]>, room: string, lines: readonly string[]): void {
  const events = rooms.get(room) ?? [];
  rooms.set(room, events);
  for (const line of lines) {
    const { seq, id } = decodeEvent(line);
    events.push({ seq, id });
  }
}
