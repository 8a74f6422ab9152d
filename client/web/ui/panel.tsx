// Panel: the details of one message, and how complete the room is in this window.

import type { ComponentChildren, JSX } from "preact";
import type { RoomStore } from "../store/room-store.ts";
import type { Message } from "../store/timeline-rows.ts";
import { completenessWords, instantWords } from "../store/words.ts";
import { messageLink } from "../store/page-links.ts";
import { Name } from "./avatar.tsx";
import { CopyButton } from "./copy-button.tsx";
import { PanelFrame } from "./panel-frame.tsx";
import { englishDetails } from "../texts/english-details.ts";
import { addTexts, groupDigits, t } from "../texts/texts.ts";
import type { TextKey } from "../texts/texts.ts";
import "./on-demand.css";

addTexts(englishDetails);

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
              <CopyButton text={message.id} label={t("details.copyId")} />
            </Fact>
            {message.seq !== undefined && <LinkFact room={room.name} seq={message.seq} />}
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

function LinkFact({ room, seq }: { readonly room: string; readonly seq: number }): JSX.Element {
  const link = messageLink(location.origin, room, seq);
  return (
    <Fact name={t("details.link")}>
      <a href={link}>#{groupDigits(seq)}</a>
      <CopyButton text={link} label={t("details.copyLink")} />
    </Fact>
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
