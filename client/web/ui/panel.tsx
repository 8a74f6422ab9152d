// Panel: what the column beside the conversation shows: the users in the room, or the details of
// one message. (The replies in a thread: thread-panel.tsx.)

import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import type { RoomStore } from "../store/room-store.ts";
import type { Message } from "../store/timeline-rows.ts";
import { completenessWords, groupDigits, instantWords, plural } from "../store/words.ts";
import { Avatar, Name } from "./avatar.tsx";
import { Icon } from "./icons.tsx";
import { PanelFrame } from "./panel-frame.tsx";

export function Users(props: {
  readonly room: RoomStore;
  /** The user opened it, so it gets the focus. */
  readonly isOpened: boolean;
  readonly onClose: () => void;
}): JSX.Element {
  const { room, isOpened, onClose } = props;
  const focus = isOpened && { focusFor: room.name };
  const names = [...room.users].sort(
    (a, b) => rankOf(a, room.me) - rankOf(b, room.me) || order(a, b),
  );
  const others = room.here - names.length;
  return (
    <PanelFrame title="Here now" count={room.here} onClose={onClose} {...focus}>
      <div class="panel-content">
        <ul class="users">
          {names.map((name) => (
            <li key={name}>
              <Avatar name={name} />
              <Name name={name} />
              {name === room.me && <span class="tag">you</span>}
            </li>
          ))}
        </ul>
        {others > 0 && (
          <p class="users-more">
            {names.length > 0 ? "and " : ""}
            {plural(others, "person", "people")}
            {names.length > 0 ? " more" : ". The room is too large to list the names."}
          </p>
        )}
      </div>
    </PanelFrame>
  );
}

function rankOf(name: string, me: string): number {
  return name === me ? 0 : 1;
}

function order(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true, sensitivity: "base" });
}

const STATES: Record<Message["kind"], string> = {
  sent: "Sent and stored safely",
  notice: "Stored safely",
  acked: "Sent and stored safely",
  pending: "Sending, not confirmed yet",
  refused: "Not sent",
};

export function Details(props: {
  readonly room: RoomStore;
  readonly message: Message | undefined;
  readonly onClose: () => void;
}): JSX.Element {
  const { room, message, onClose } = props;
  const title = message?.seq === undefined ? "Message" : `Message #${groupDigits(message.seq)}`;
  return (
    <PanelFrame title={title} onClose={onClose} focusFor={message?.id ?? ""}>
      <div class="panel-content">
        {message === undefined ? (
          <p class="panel-note">This message is no longer loaded.</p>
        ) : (
          <dl class="facts">
            <Fact name="From">
              <Name name={message.from} />
            </Fact>
            <Fact name="State">{STATES[message.kind]}</Fact>
            {message.kind === "refused" && <Fact name="Why">{message.reason}</Fact>}
            <Fact name="Number">
              {message.seq === undefined
                ? "None yet"
                : `#${groupDigits(message.seq)} in #${room.name}`}
            </Fact>
            <Fact name="Time">{instantWords(message.at)}</Fact>
            {message.kind === "sent" && message.editedAt !== undefined && (
              <Fact name="Edited">{instantWords(message.editedAt)}</Fact>
            )}
            <Fact name="Id">
              <code>{message.id}</code>
              <Copy text={message.id} />
            </Fact>
          </dl>
        )}
        <Proof room={room} />
      </div>
    </PanelFrame>
  );
}

/** Which messages of the room this window has, by their numbers. */
function Proof({ room }: { readonly room: RoomStore }): JSX.Element {
  const { first, last } = room.timeline;
  const head = Math.max(room.head, 1);
  const width = (seq: number): number => (100 * seq) / head;
  return (
    <section class="proof" aria-label="Completeness">
      <h3>{completenessWords(room)}</h3>
      <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
        <rect class="proof-all" width="100" height="4" />
        {first > 0 && (
          <rect
            class="proof-held"
            x={width(first - 1)}
            width={Math.max(1, width(last) - width(first - 1))}
            height="4"
          />
        )}
      </svg>
      <dl class="facts">
        <Fact name="Newest number">{room.head === 0 ? "none" : `#${groupDigits(room.head)}`}</Fact>
        <Fact name="Loaded here">
          {first === 0 ? "nothing" : `#${groupDigits(first)} to #${groupDigits(last)}`}
        </Fact>
      </dl>
      <p class="panel-note">
        Messages and their changes are numbered 1, 2, 3 … in each room. If one were missing, its
        number would be, too. “All messages up to” names the number up to which this window received
        everything.
      </p>
    </section>
  );
}

function Fact(props: { readonly name: string; readonly children: ComponentChildren }): JSX.Element {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd>{props.children}</dd>
    </div>
  );
}

function Copy({ text }: { readonly text: string }): JSX.Element {
  const [isDone, setDone] = useState(false);
  const copy = (): void => {
    navigator.clipboard.writeText(text).then(
      () => setDone(true),
      () => setDone(false), // The browser refuses. The user can still select the text.
    );
  };
  return (
    <button type="button" class="quiet square" onClick={copy} aria-label="Copy the id" title="Copy">
      <Icon name={isDone ? "check" : "copy"} />
    </button>
  );
}
