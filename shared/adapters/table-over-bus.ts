// BusTable: follows a table that a trusted process serves over the bus, without any right to
// JetStream.
//
// The bus loses messages, and servers start and stop. Every server sends its version once a second,
// and a change names the version before it. So a follower detects within one beat that it misses a
// change, and requests the whole table, page by page, until it is complete.
//
//   table-over-bus.1. A row is reported when its revision is above the reported revision of its
//        key. So two servers, one of which lags, never set a value back.
//   table-over-bus.2. A complete answer removes the keys that it lacks, unless they are newer than
//        the answer.
//   table-over-bus.3. A table with another `born` was created again: the values of the old table
//        are removed.
//   table-over-bus.4. One request is open at a time; without an answer it is repeated after
//        REQUEST_MS.
//   table-over-bus.5. TABLE_ROWS_MAX bounds the known keys; further keys are not reported.

import type { Bus, Subscription } from "../ports/bus.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { SettingChange, SettingsStore } from "../ports/settings-store.ts";
import { subjects } from "../protocol/subjects.ts";
import {
  decodeTableChange,
  decodeTablePage,
  encodeTableRequest,
  TABLE_ROWS_MAX,
} from "../protocol/tables.ts";
import type { TableChange, TableName, TablePage, TableRow } from "../protocol/tables.ts";

const REQUEST_MS = 500;
/** Pages of one answer; a table has fewer (TABLE_ROWS_MAX). */
const PAGES_MAX = 1_000;

export interface BusTableOptions {
  readonly name: TableName;
  readonly bus: Pick<Bus, "subscribe" | "request">;
  readonly clock: Pick<Clock, "after">;
}

export function openBusTable(options: BusTableOptions): SettingsStore {
  return {
    watch(onChange, onWhole) {
      const follower = new TableFollower(options, onChange, onWhole);
      follower.start();
      return { unsubscribe: () => follower.stop() };
    },
  };
}

class TableFollower {
  readonly #options: BusTableOptions;
  readonly #onChange: (change: SettingChange) => void;
  /** Undefined after its call. */
  #onWhole: (() => void) | undefined;
  /** For each key: the revision that was reported last, and whether it has a text. */
  #known = new Map<string, { readonly revision: number; readonly hasText: boolean }>();
  #born: string | undefined;
  #revision = 0;
  #changes: Subscription | undefined;
  #isRequesting = false;
  #again: Timer | undefined;
  #isStopped = false;

  constructor(
    options: BusTableOptions,
    onChange: (change: SettingChange) => void,
    onWhole?: () => void,
  ) {
    this.#options = options;
    this.#onChange = onChange;
    this.#onWhole = onWhole;
  }

  start(): void {
    const { bus, name } = this.#options;
    this.#changes = bus.subscribe(subjects.tableChanged(name), ({ data }) => {
      const change = decodeTableChange(new TextDecoder().decode(data));
      if (change !== undefined) this.#onChanged(change); // N5
    });
    void this.#requestTable();
  }

  stop(): void {
    this.#isStopped = true;
    this.#changes?.unsubscribe();
    this.#again?.cancel();
  }

  #onChanged({ born, previous, revision, rows }: TableChange): void {
    if (born !== this.#born || previous > this.#revision) return void this.#requestTable();
    for (const row of rows) this.#report(row);
    this.#revision = Math.max(this.#revision, revision);
  }

  async #requestTable(): Promise<void> {
    if (this.#isRequesting || this.#isStopped) return; // table-over-bus.4
    this.#isRequesting = true;
    const pages = await this.#read();
    this.#isRequesting = false;
    if (this.#isStopped) return;
    if (pages !== undefined) return this.#takeWhole(pages);
    this.#again?.cancel();
    this.#again = this.#options.clock.after(REQUEST_MS, () => void this.#requestTable());
  }

  /** Undefined when a page is missing, or the pages are of tables with different `born`. */
  async #read(): Promise<readonly TablePage[] | undefined> {
    const { bus, name } = this.#options;
    const pages: TablePage[] = [];
    let behind: string | undefined;
    while (pages.length < PAGES_MAX) {
      const request = encodeTableRequest({ behind });
      const outcome = await bus.request(subjects.tableGet(name), request, {
        timeoutMs: REQUEST_MS,
      });
      if (outcome.kind !== "ok") return undefined;
      const page = decodeTablePage(new TextDecoder().decode(outcome.data));
      if (page === undefined || page.born !== (pages[0] ?? page).born) return undefined;
      pages.push(page);
      if (!page.more) return pages;
      behind = page.rows.at(-1)?.key;
    }
    return undefined;
  }

  #takeWhole(pages: readonly TablePage[]): void {
    const [first] = pages;
    if (first === undefined) return;
    const { born } = first;
    // A lagging server, or one with a replaced table, answers with an older state than the known
    // one.
    if (born === this.#born ? first.revision < this.#revision : isOlder(born, this.#born)) return;
    if (born !== this.#born) this.#takeBackAll(); // table-over-bus.3
    this.#born = born;
    const rows = pages.flatMap((page) => page.rows);
    const present = new Set(rows.map(({ key }) => key));
    for (const [key, { revision, hasText }] of this.#known) {
      if (present.has(key) || revision > first.revision) continue;
      this.#known.set(key, { revision, hasText: false });
      // table-over-bus.2
      if (hasText) this.#onChange({ key, text: undefined, revision: first.revision });
    }
    for (const row of rows) this.#report(row);
    this.#revision = Math.max(this.#revision, first.revision);
    const onWhole = this.#onWhole;
    this.#onWhole = undefined;
    onWhole?.(); // settings-store.3
  }

  #takeBackAll(): void {
    for (const [key, { revision, hasText }] of this.#known) {
      if (hasText) this.#onChange({ key, text: undefined, revision });
    }
    this.#known.clear();
    this.#revision = 0;
  }

  #report({ key, text, revision }: TableRow): void {
    const known = this.#known.get(key);
    if (known !== undefined && known.revision >= revision) return; // table-over-bus.1
    if (known === undefined && this.#known.size >= TABLE_ROWS_MAX) return; // table-over-bus.5
    this.#known.set(key, { revision, hasText: text !== undefined });
    if (text !== undefined || known?.hasText === true) this.#onChange({ key, text, revision });
  }
}

/** `born` is a time in ISO 8601; of two tables the one created later counts. */
function isOlder(born: string, than: string | undefined): boolean {
  return than !== undefined && Date.parse(born) < Date.parse(than);
}
