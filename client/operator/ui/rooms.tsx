// Rooms: the rooms with the most sessions, and a search for a part of an id.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { RoomsPage } from "#shared/protocol/operator-page.ts";
import type { OperatorApi } from "../store/operator-api.ts";
import { count, TEXT } from "../texts.ts";
import { Table } from "./table.tsx";

const { columns } = TEXT;
const COLUMNS = [columns.room, columns.members, columns.head];

export function Rooms({ api }: { readonly api: OperatorApi }): JSX.Element {
  const [text, setText] = useState("");
  const [page, setPage] = useState<RoomsPage>();
  const [problem, setProblem] = useState<string>();
  const search = (find: string): void => {
    api.rooms(find).then(
      (found) => {
        setPage(found);
        setProblem(undefined);
      },
      (error: Error) => setProblem(error.message),
    );
  };
  useEffect(() => search(""), []);
  const submit = (event: Event): void => {
    event.preventDefault();
    search(text.trim());
  };
  const tools = (
    <form class="operator-search" role="search" aria-label={TEXT.sections.rooms} onSubmit={submit}>
      <label for="find-room">{TEXT.findRoom}</label>
      <input
        id="find-room"
        type="text"
        maxLength={64}
        autocomplete="off"
        spellcheck={false}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <button type="submit" class="secondary">
        {TEXT.search}
      </button>
    </form>
  );
  const more = page?.more ?? 0;
  const note = problem ?? (more > 0 ? TEXT.more(more) : undefined);
  return (
    <Table
      id="rooms"
      title={TEXT.sections.rooms}
      columns={COLUMNS}
      tools={tools}
      note={<p class="operator-note">{note ?? (page?.rooms.length === 0 && TEXT.none)}</p>}
    >
      {page?.rooms.map(({ room, sessions, head }) => (
        <tr key={room} data-room={room}>
          <th scope="row">{room}</th>
          <td class="operator-number">{count(sessions)}</td>
          <td class="operator-number">{count(head)}</td>
        </tr>
      ))}
    </Table>
  );
}
