// TableSource: where a table (shared/protocol/tables.ts) is stored, for the process that serves it.
//
//   table-source.1. A read returns the whole table, or reports that the version is the one that the
//        caller knows.

import type { TableRow, TableVersion } from "../protocol/tables.ts";

export interface WholeTable extends TableVersion {
  /** At most TABLE_ROWS_MAX, in the order of their keys. */
  readonly rows: readonly TableRow[];
  /** Rows left out: beyond that number, or with a key or text that is too long. */
  readonly omitted: number;
}

export type TableRead =
  | { readonly kind: "ok"; readonly table: WholeTable }
  | { readonly kind: "same" }
  | { readonly kind: "unavailable"; readonly reason: string };

export interface TableSource {
  /** Resolves, never rejects. */
  read(known: TableVersion | undefined): Promise<TableRead>;
}
