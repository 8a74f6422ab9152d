// Webhooks: the subscriptions of back ends and what they lack. The API manages them.

import type { JSX } from "preact";
import type { ClusterSnapshot } from "#shared/protocol/operator-page.ts";
import { age, count, TEXT } from "../texts.ts";
import { Table } from "./table.tsx";

const { columns } = TEXT;
const COLUMNS = [
  columns.url,
  columns.kinds,
  columns.waiting,
  columns.dead,
  columns.behind,
  columns.reason,
];

export function Webhooks({ webhooks }: Pick<ClusterSnapshot, "webhooks">): JSX.Element {
  const note = webhooks === null ? TEXT.noWebhooks : webhooks.length === 0 ? TEXT.none : undefined;
  return (
    <Table
      id="webhooks"
      title={TEXT.sections.webhooks}
      columns={COLUMNS}
      note={<p class="operator-note">{note}</p>}
    >
      {webhooks?.map(({ webhook, url, kinds, waiting, dead, behindMs, reason }) => (
        <tr key={webhook} data-webhook={webhook}>
          <th scope="row">{url}</th>
          <td>{kinds.join(", ")}</td>
          <td class="operator-number">{count(waiting)}</td>
          <td class="operator-number">{count(dead)}</td>
          <td class="operator-number">{age(behindMs / 1_000)}</td>
          <td>{reason}</td>
        </tr>
      ))}
    </Table>
  );
}
