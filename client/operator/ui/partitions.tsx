// Partitions: owner, epoch and archive of each. The ones that need a look come first.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { WatchedPartition, WatchedProcess } from "#shared/protocol/operator-page.ts";
import { age, count, TEXT } from "../texts.ts";
import { Table } from "./table.tsx";

interface Props {
  readonly partitions: readonly WatchedPartition[];
  readonly processes: readonly WatchedProcess[];
}

/** More rows are shown on demand. */
const ROWS_SHOWN = 32;
const { columns } = TEXT;
const COLUMNS = [
  columns.partition,
  columns.owner,
  columns.epoch,
  columns.lag,
  columns.seconds,
  columns.fill,
];

export function Partitions({ partitions }: Props): JSX.Element {
  const [isWhole, setWhole] = useState(false);
  const sorted = partitions.toSorted((a, b) => Number(needsLook(b)) - Number(needsLook(a)));
  const shown = isWhole ? sorted : sorted.slice(0, ROWS_SHOWN);
  const note = shown.length < sorted.length && (
    <button type="button" class="secondary" onClick={() => setWhole(true)}>
      {TEXT.showAll(sorted.length)}
    </button>
  );
  return (
    <Table id="partitions" title={TEXT.sections.partitions} columns={COLUMNS} note={note}>
      {shown.map(({ p, owners, log }) => (
        <tr key={p} data-partition={p} data-bad={owners.length !== 1}>
          <th scope="row">{p}</th>
          <td class="operator-owner">
            {owners.length === 0 ? TEXT.noOwner : owners.map(([id]) => id).join(", ")}
          </td>
          <td class="operator-number">{owners.map(([, epoch]) => epoch).join(", ")}</td>
          <td class="operator-number">{log === undefined ? "?" : count(log.lagEntries)}</td>
          <td class="operator-number">{log === undefined ? "?" : age(log.lagSeconds)}</td>
          <td class="operator-number">
            {log?.fill === undefined ? "?" : `${(log.fill * 100).toFixed(1)} %`}
          </td>
        </tr>
      ))}
    </Table>
  );
}

function needsLook({ owners, log }: WatchedPartition): boolean {
  return owners.length !== 1 || log?.isReachable !== true;
}
