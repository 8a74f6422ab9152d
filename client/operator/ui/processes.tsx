// Processes: one row for each process that answers, or answered a moment ago, with its drain.

import type { JSX } from "preact";
import type { ClusterSnapshot, WatchedProcess } from "#shared/protocol/operator-page.ts";
import { age, count, drainConfirmation, KIND_NAMES, TEXT } from "../texts.ts";
import type { Act } from "./act.ts";
import { Table } from "./table.tsx";

interface Props {
  readonly snapshot: ClusterSnapshot;
  readonly act: Act;
}

const { columns } = TEXT;
const COLUMNS = [
  columns.process,
  columns.where,
  columns.up,
  columns.work,
  columns.answer,
  columns.action,
];
const ORDER = ["gateway", "room", "persistence", "webhooks", "region", "operator"];

export function Processes({ snapshot, act }: Props): JSX.Element {
  const processes = snapshot.processes.toSorted(
    (a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind) || a.id.localeCompare(b.id),
  );
  const isAlone = ({ kind, id }: WatchedProcess): boolean =>
    !processes.some((one) => one.kind === kind && one.id !== id && one.lastAt >= snapshot.at);
  const drain = (one: WatchedProcess): void =>
    act({ action: "drain", process: one.id }, drainConfirmation(one, workOf(one), isAlone(one)));
  return (
    <Table id="processes" title={TEXT.sections.processes} columns={COLUMNS}>
      {processes.map((one) => {
        const silentSeconds = (snapshot.at - one.lastAt) / 1_000;
        const isSilent = silentSeconds > 0;
        return (
          <tr key={one.id} data-process={one.id} data-silent={isSilent}>
            <th scope="row">
              <span class="operator-kind">{KIND_NAMES[one.kind]}</span> {one.id}
            </th>
            <td>
              {one.host}, {one.pid}
            </td>
            <td>
              {age(one.upSeconds)}, {one.version}
            </td>
            <td>{factsOf(one)}</td>
            <td class="operator-answer">
              {isSilent ? TEXT.silent(age(silentSeconds)) : TEXT.answers}
            </td>
            <td>
              {!isSilent && (
                <button
                  type="button"
                  class="secondary"
                  aria-label={`${TEXT.actions.drain} ${one.id}`}
                  onClick={() => drain(one)}
                >
                  {TEXT.actions.drain}
                </button>
              )}
            </td>
          </tr>
        );
      })}
    </Table>
  );
}

/** How much of its work a drain moves. */
function workOf({ kind, connections = 0, owns = {}, logs = [] }: WatchedProcess): number {
  if (kind === "gateway") return connections;
  return kind === "room" ? Object.keys(owns).length : logs.length;
}

function factsOf({ connections, owns, load, logs, rooms }: WatchedProcess): string {
  const facts = [
    connections !== undefined && `${count(connections)} connections`,
    owns !== undefined && `${count(Object.keys(owns).length)} partitions`,
    load !== undefined &&
      `${Math.round((load.busy / load.capacity) * 100)} % of ${load.capacity.toFixed(2)} cores`,
    logs !== undefined && `${count(logs.length)} logs`,
    rooms !== undefined && `${count(rooms)} rooms`,
  ].filter((fact) => fact !== false);
  return facts.join(", ");
}
