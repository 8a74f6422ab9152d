// TableServer: reads a table from its source, and serves it on core NATS subjects.
//
// Any persistence process may answer a request. All of them publish changes and beats, and
// followers ignore what they already have. Owns: when the table is read. Does not own: the meaning
// of a row.
//
//   table-server.1. It reads every READ_MS, one read at a time, and publishes a change at the read
//        that finds it.
//   table-server.2. It answers no request before its first complete read: an empty answer would
//        remove every row.
//   table-server.3. It ignores an older revision of the same `born` (a lagging replica). So it
//        detects a row that vanished without a deletion marker only at the next change.
//   table-server.4. A change of more rows than a message holds is published as a gap, and followers
//        request the table.

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

/**
 * A change takes effect within a second (E4): this delay, a read, and the message to the follower.
 * Each read costs the NATS server and this process a request, also when nothing changed. Every
 * second one runs in the turn of the beats.
 */
const READ_MS = 500;

export interface TableServerOptions {
  readonly name: TableName;
  readonly source: TableSource;
  readonly bus: Pick<Bus, "subscribe" | "publish">;
  readonly clock: Pick<Clock, "every">;
  /** Called once when reads begin to fail, and once when rows are left out. */
  readonly onProblem?: (reason: string) => void;
}

export class TableServer {
  readonly #options: TableServerOptions;
  readonly #timers: Timer[] = [];
  #requests: Subscription | undefined;
  #table: WholeTable | undefined;
  #isReading = false;
  #problem: string | undefined;

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
    // N5: the follower retries, and a server of its version answers.
    if (request === undefined) return;
    const { born, revision, rows } = this.#table;
    const { behind } = request;
    const first = behind === undefined ? 0 : rows.findIndex(({ key }) => key > behind);
    const rest = first === -1 ? [] : rows.slice(first);
    const page = rest.slice(0, TABLE_PAGE_ROWS_MAX);
    const more = rest.length > page.length;
    this.#options.bus.publish(reply, encodeTablePage({ born, revision, rows: page, more }));
  }

  #report(reason: string | undefined): void {
    if (reason === this.#problem) return;
    this.#problem = reason;
    if (reason !== undefined) this.#options.onProblem?.(reason);
  }
}
