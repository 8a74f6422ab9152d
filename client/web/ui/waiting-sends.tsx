// WaitingSends: how many messages wait for the connection, and which. They are stored on this
// device, so the page can be reloaded or closed.

import type { JSX } from "preact";
import { useId, useState } from "preact/hooks";
import type { WaitingSend } from "../store/chat-store.ts";
import { clockWords } from "../store/words.ts";
import { t } from "../texts/texts.ts";

/** As many as fit above a conversation; the list scrolls in itself. */
const SHOWN_MAX = 100;

export function WaitingSends({ sends }: { sends: readonly WaitingSend[] }): JSX.Element | null {
  const [isOpen, setOpen] = useState(false);
  const list = useId();
  if (sends.length === 0) return null;
  return (
    <div class="waiting">
      <button
        type="button"
        class="link"
        aria-expanded={isOpen}
        aria-controls={list}
        onClick={() => setOpen(!isOpen)}
      >
        {t("waiting.count", { count: sends.length })}
      </button>
      <span class="waiting-note">{t("waiting.note")}</span>
      <ol
        id={list}
        class="waiting-list"
        hidden={!isOpen}
        tabIndex={0}
        aria-label={t("waiting.label")}
      >
        {sends.slice(0, SHOWN_MAX).map(({ id, room, at, text }) => (
          <li key={id}>
            <bdi class="waiting-room">#{room}</bdi>
            <span class="waiting-text">
              <bdi>{text}</bdi>
            </span>
            <time class="time">{clockWords(at)}</time>
          </li>
        ))}
      </ol>
    </div>
  );
}
