// Totals: a few sums, with their range while the page was open.

import type { JSX } from "preact";
import type { ClusterSnapshot, HistoryPoint } from "#shared/protocol/operator-page.ts";
import { count, TEXT } from "../texts.ts";

type Sum = (point: HistoryPoint) => number;

const SUMS: readonly (readonly [string, Sum])[] = [
  [TEXT.totals.sockets, ({ sockets }) => sockets],
  [TEXT.totals.rooms, ({ rooms }) => rooms],
  [TEXT.totals.lag, ({ lagEntries }) => lagEntries],
];

export function Totals({ snapshot }: { readonly snapshot: ClusterSnapshot }): JSX.Element {
  const { history } = snapshot;
  return (
    <dl class="operator-totals">
      {SUMS.map(([name, sum]) => {
        const values = history.map(sum);
        const range = [Math.min(...values), Math.max(...values)].map(count);
        return (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{count(values.at(-1) ?? 0)}</dd>
            <dd class="operator-range">{TEXT.range(range[0] ?? "", range[1] ?? "")}</dd>
          </div>
        );
      })}
    </dl>
  );
}
