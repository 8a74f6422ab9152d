// Table server: reads a table from where it is stored, and serves it on core NATS subjects.
//
// Any persistence process may answer a question; all of them publish changes and beats, and followers
// ignore what they have already. Owns: when the table is read. Does not own: what a row means.
//
//   table-server.1. It reads every READ_MS, one read at a time; a change is published at the read that sees it.
//   table-server.2. It answers no question before its first whole read: an empty answer would take every row back.
//   table-server.3. An older revision of the same `born` (a replica that lags) is ignored.
//        So a row that vanished without a deletion marker is noticed at the next change only.
//   table-server.4. A change of more rows than a message holds is published as a gap, and followers ask.

import type { Bus, BusMessage, Subscription } from "#shared/ports/bus.ts";
import type { Clock, Timer } from "#shared/ports/clock.ts";
import type { TableSource, WholeTable } from "#shared/ports/table-source.ts";
import { TABLE_QUEUE, subjects } from "#shared/protocol/subjects.ts";
import {
  decodeTableRequest,
  encodeTableChange,
  encodeTablePage,
  TABLE_BEAT_MS,
  TABLE_PAGE_ROWS_MAX,
} from "#shared/protocol/tables.ts";
import type { TableName, TableRow } from "#shared/protocol/tables.ts";

/** A change is in force within a second (E4): this, a read, and the way to the follower. */
const READ_MS = 100;

export interface TableServerOptions {
  readonly name: TableName;
  readonly source: TableSource;
  readonly bus: Pick<Bus, "subscribe" | "publish">;
  readonly clock: Pick<Clock, "every">;
  /** Called once when reads begin to fail, and once for rows that are left out. */
  readonly onTrouble?: (reason: string) => void;
}

export class TableServer {
  readonly #options: TableServerOptions;
  readonly #timers: Timer[] = [];
  #requests: Subscription | undefined;
  #table: WholeTable | undefined;
  #isReading = false;
  #trouble: string | undefined;

  constructor(options: TableServerOptions) {
    this.#options = options;
  }

  start(): void {
    const { bus, clock, name } = this.#options;
    const onRequest = (message: BusMessage): void => this.#onRequest(message);
    this.#requests = bus.subscribe(subjects.tableGet(name), onRequest, { queue: TABLE_QUEUE });
    this.#timers.push(
      clock.every(READ_MS, () => void this.#read()),
      clock.every(TABLE_BEAT_MS, () => this.#publish([], this.#table?.revision)),
    );
    void this.#read();
  }

  stop(): void {
    this.#requests?.unsubscribe();
    for (const timer of this.#timers.splice(0)) timer.cancel();
  }

  async #read(): Promise<void> {
    if (this.#isReading) return; // table-server.1
    this.#isReading = true;
    const read = await this.#options.source.read(this.#table);
    this.#isReading = false;
    if (read.kind === "unavailable") return this.#report(read.reason);
    if (read.kind === "ok") this.#take(read.table);
    this.#report(this.#table?.omitted ? `${this.#table.omitted} rows were left out` : undefined);
  }

  #take(table: WholeTable): void {
    const before = this.#table;
    if (before?.born === table.born && table.revision <= before.revision) return; // table-server.3
    this.#table = table;
    if (before?.born !== table.born) return this.#publish([], table.revision);
    const known = new Map(before.rows.map(({ key, revision }) => [key, revision]));
    const rows = table.rows.filter(({ key, revision }) => known.get(key) !== revision);
    if (rows.length > TABLE_PAGE_ROWS_MAX) this.#publish([], table.revision); // table-server.4
    else this.#publish(rows, before.revision);
  }

  #publish(rows: readonly TableRow[], previous: number | undefined): void {
    if (this.#table === undefined || previous === undefined) return;
    const { bus, name } = this.#options;
    const { born, revision } = this.#table;
    bus.publish(subjects.tableChanged(name), encodeTableChange({ born, revision, previous, rows }));
  }

  #onRequest({ data, reply }: BusMessage): void {
    if (reply === undefined || this.#table === undefined) return; // table-server.2
    const request = decodeTableRequest(new TextDecoder().decode(data));
    if (request === undefined) return; // N5: the asker asks again, and another version answers it.
    const { born, revision, rows } = this.#table;
    const { behind } = request;
    const first = behind === undefined ? 0 : rows.findIndex(({ key }) => key > behind);
    const rest = first === -1 ? [] : rows.slice(first);
    const page = rest.slice(0, TABLE_PAGE_ROWS_MAX);
    const more = rest.length > page.length;
    this.#options.bus.publish(reply, encodeTablePage({ born, revision, rows: page, more }));
  }

  #report(reason: string | undefined): void {
    if (reason === this.#trouble) return;
    this.#trouble = reason;
    if (reason !== undefined) this.#options.onTrouble?.(reason);
  }
}
