// UserSessions: the sessions of one user, page by page, and what can be done to them.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { isUserId } from "#shared/protocol/ids.ts";
import type { UserId } from "#shared/protocol/ids.ts";
import { SESSIONS_PAGE } from "#shared/protocol/operator-page.ts";
import type { SessionsPage } from "#shared/protocol/operator-page.ts";
import type { OperatorApi } from "../store/operator-api.ts";
import { CONFIRM, TEXT } from "../texts.ts";
import type { Act } from "./act.ts";
import { Table } from "./table.tsx";

interface Props {
  readonly api: OperatorApi;
  readonly act: Act;
  /** The list is read again when it changes. */
  readonly acts: number;
}

const { columns } = TEXT;
const COLUMNS = [
  columns.session,
  columns.since,
  columns.device,
  columns.address,
  columns.gateway,
  columns.action,
];

export function UserSessions({ api, act, acts }: Props): JSX.Element {
  const [text, setText] = useState("");
  const [user, setUser] = useState<UserId>();
  const [page, setPage] = useState<SessionsPage>();
  const [problem, setProblem] = useState<string>();
  const show = (of: UserId, from: number): void => {
    api.sessions(of, from).then(
      (found) => {
        setUser(of);
        setPage(found);
        setProblem(undefined);
      },
      (error: Error) => setProblem(error.message),
    );
  };
  useEffect(() => {
    if (user !== undefined) show(user, page?.from ?? 0);
  }, [acts]);
  const submit = (event: Event): void => {
    event.preventDefault();
    if (isUserId(text)) show(text, 0);
  };
  const tools = (
    <form
      class="operator-search"
      role="search"
      aria-label={TEXT.sections.sessions}
      onSubmit={submit}
    >
      <label for="find-user">{TEXT.findUser}</label>
      <input
        id="find-user"
        type="text"
        required
        maxLength={128}
        autocomplete="off"
        spellcheck={false}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <button type="submit" class="secondary">
        {TEXT.findSessions}
      </button>
    </form>
  );
  const isShown = user !== undefined && page !== undefined;
  return (
    <Table
      id="sessions"
      title={TEXT.sections.sessions}
      columns={COLUMNS}
      tools={tools}
      note={
        <>
          <p class="operator-note" role="status">
            {problem ?? (isShown && TEXT.sessionsOf(user, page.total))}
          </p>
          {isShown && <Pages page={page} onPage={(from) => show(user, from)} />}
          {isShown && <UserActions user={user} act={act} />}
        </>
      }
    >
      {isShown && <Rows user={user} page={page} act={act} />}
    </Table>
  );
}

interface RowsProps {
  readonly user: UserId;
  readonly page: SessionsPage;
  readonly act: Act;
}

function Rows({ user, page, act }: RowsProps): JSX.Element {
  return (
    <>
      {page.sessions.map(({ session, since, client, device, address, gateway }) => (
        <tr key={session} data-session={session}>
          <th scope="row">{session}</th>
          <td>{new Date(since).toISOString()}</td>
          <td>{[device, client].filter((one) => one !== undefined).join(", ")}</td>
          <td>{address}</td>
          <td>{gateway}</td>
          <td>
            <button
              type="button"
              class="secondary"
              aria-label={`${TEXT.actions.end} ${session}`}
              onClick={() => act({ action: "end", user, session }, CONFIRM.end(user, session))}
            >
              {TEXT.actions.end}
            </button>
          </td>
        </tr>
      ))}
    </>
  );
}

interface PagesProps {
  readonly page: SessionsPage;
  readonly onPage: (from: number) => void;
}

function Pages({ page: { from, sessions, total }, onPage }: PagesProps): JSX.Element | null {
  if (total <= SESSIONS_PAGE && from === 0) return null;
  return (
    <div class="operator-pages">
      <button
        type="button"
        class="secondary"
        disabled={from === 0}
        onClick={() => onPage(Math.max(0, from - SESSIONS_PAGE))}
      >
        {TEXT.previous}
      </button>
      <button
        type="button"
        class="secondary"
        disabled={sessions.length < SESSIONS_PAGE || from + sessions.length >= total}
        onClick={() => onPage(from + SESSIONS_PAGE)}
      >
        {TEXT.next}
      </button>
    </div>
  );
}

interface UserActionsProps {
  readonly user: UserId;
  readonly act: Act;
}

function UserActions({ user, act }: UserActionsProps): JSX.Element {
  return (
    <div class="operator-pages">
      <button
        type="button"
        class="danger"
        onClick={() => act({ action: "kick", user }, CONFIRM.kick(user))}
      >
        {TEXT.actions.kick}
      </button>
      <button
        type="button"
        class="danger"
        onClick={() => act({ action: "revoke", user }, CONFIRM.revoke(user))}
      >
        {TEXT.actions.revoke}
      </button>
    </div>
  );
}
