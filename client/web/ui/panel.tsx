// Panel: what the column beside the conversation shows: the users in the room, or the details of
// one message. (The replies in a thread: thread-panel.tsx.)

import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import type { RoomStore } from "../store/room-store.ts";
import type { Message } from "../store/timeline-rows.ts";
import { completenessWords, instantWords } from "../store/words.ts";
import { Avatar, Name } from "./avatar.tsx";
import { Icon } from "./icons.tsx";
import { PanelFrame } from "./panel-frame.tsx";
import { groupDigits, locale, t } from "../texts/texts.ts";
import type { TextKey } from "../texts/texts.ts";

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
    <PanelFrame title={t("panel.here")} count={room.here} onClose={onClose} {...focus}>
      <div class="panel-content">
        <ul class="users">
          {names.map((name) => (
            <li key={name}>
              <Avatar name={name} />
              <Name name={name} />
              {name === room.me && <span class="tag">{t("message.you")}</span>}
            </li>
          ))}
        </ul>
        {others > 0 && (
          <p class="users-more">
            {t(names.length > 0 ? "panel.andMore" : "panel.tooMany", { count: others })}
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
  return a.localeCompare(b, locale(), { numeric: true, sensitivity: "base" });
}

const STATES = {
  sent: "details.sent",
  notice: "details.stored",
  acked: "details.sent",
  pending: "details.pending",
  refused: "details.refused",
} as const satisfies Record<Message["kind"], TextKey>;

export function Details(props: {
  readonly room: RoomStore;
  readonly message: Message | undefined;
  readonly onClose: () => void;
}): JSX.Element {
  const { room, message, onClose } = props;
  const number = message?.seq === undefined ? undefined : `#${groupDigits(message.seq)}`;
  const title = number === undefined ? t("details.title") : t("details.titleNumber", { number });
  return (
    <PanelFrame title={title} onClose={onClose} focusFor={message?.id ?? ""}>
      <div class="panel-content">
        {message === undefined ? (
          <p class="panel-note">{t("details.notLoaded")}</p>
        ) : (
          <dl class="facts">
            <Fact name={t("details.from")}>
              <Name name={message.from} />
            </Fact>
            <Fact name={t("details.state")}>{t(STATES[message.kind])}</Fact>
            {message.kind === "refused" && <Fact name={t("details.why")}>{message.reason}</Fact>}
            <Fact name={t("details.number")}>
              {number === undefined
                ? t("details.numberNone")
                : t("details.numberIn", { number, room: room.name })}
            </Fact>
            <Fact name={t("details.time")}>{instantWords(message.at)}</Fact>
            {message.kind === "sent" && message.editedAt !== undefined && (
              <Fact name={t("details.edited")}>{instantWords(message.editedAt)}</Fact>
            )}
            <Fact name={t("details.id")}>
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
    <section class="proof" aria-label={t("proof.label")}>
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
        <Fact name={t("proof.newest")}>
          {room.head === 0 ? t("proof.none") : `#${groupDigits(room.head)}`}
        </Fact>
        <Fact name={t("proof.loaded")}>
          {first === 0
            ? t("proof.nothing")
            : t("proof.range", { first: `#${groupDigits(first)}`, last: `#${groupDigits(last)}` })}
        </Fact>
      </dl>
      <p class="panel-note">{t("proof.text")}</p>
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
    <button
      type="button"
      class="quiet square"
      onClick={copy}
      aria-label={t("details.copyId")}
      title={t("details.copy")}
    >
      <Icon name={isDone ? "check" : "copy"} />
    </button>
  );
}
