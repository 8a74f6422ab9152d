// MentionList: the users to choose from while "@…" is typed in a composer. Arrow keys choose, Enter
// or Tab completes, Escape closes the list.
//
//   mention-list.1. The list follows the caret: it closes when the caret leaves the mention.

import type { AriaAttributes, JSX, RefObject } from "preact";
import { useId, useState } from "preact/hooks";
import { complete, completionAt, namesFor, ROOM_MENTION } from "../store/mention-text.ts";
import type { Completion } from "../store/mention-text.ts";
import type { MessageSource } from "../store/message-source.ts";
import { t } from "../texts/texts.ts";
import { Avatar, Name } from "./avatar.tsx";

export interface MentionMenu {
  readonly list: JSX.Element | null;
  /** For the field. */
  readonly attributes: AriaAttributes;
  /** Call it after each change of the text or the caret. */
  readonly follow: () => void;
  /** True when the key was for the list. */
  readonly onKey: (event: KeyboardEvent) => boolean;
}

/** `write` puts a text into the draft and the field. */
export function useMentions(
  source: MessageSource,
  field: RefObject<HTMLTextAreaElement | null>,
  write: (text: string) => void,
): MentionMenu {
  const id = useId();
  const [completion, setCompletion] = useState<Completion>();
  const [index, setIndex] = useState(0);
  const names = completion === undefined ? [] : namesFor(completion.query, source.mentionable);
  const current = Math.min(index, names.length - 1);
  const close = (): void => setCompletion(undefined);
  const pick = (name: string): void => {
    const { current: element } = field;
    if (completion === undefined || element === null) return;
    const { text, caret } = complete(element.value, completion, name);
    write(text);
    element.focus();
    element.setSelectionRange(caret, caret);
    close();
  };
  const follow = (): void => {
    const { current: element } = field;
    const isCaret = element !== null && element.selectionStart === element.selectionEnd;
    const next = isCaret ? completionAt(element.value, element.selectionStart) : undefined;
    if (next?.from === completion?.from && next?.query === completion?.query) return;
    setCompletion(next);
    setIndex(0);
    if (next !== undefined) source.loadMembers();
  };
  const onKey = (event: KeyboardEvent): boolean => {
    const chosen = names[current];
    if (chosen === undefined) return false;
    const by = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (by !== 0) setIndex((current + by + names.length) % names.length);
    else if (event.key === "Escape") close();
    else if ((event.key === "Enter" || event.key === "Tab") && !event.shiftKey) pick(chosen);
    else return false;
    return true;
  };
  const isOpen = names.length > 0;
  return {
    list: isOpen ? <List {...{ id, names, current, pick }} /> : null,
    attributes: {
      "aria-autocomplete": "list",
      ...(isOpen && {
        "aria-controls": id,
        "aria-activedescendant": `${id}-${current}`,
      }),
    },
    follow,
    onKey,
  };
}

function List(props: {
  readonly id: string;
  readonly names: readonly string[];
  readonly current: number;
  readonly pick: (name: string) => void;
}): JSX.Element {
  const { id, names, current, pick } = props;
  return (
    <ul id={id} class="mentions" role="listbox" aria-label={t("mention.list")}>
      {names.map((name, at) => (
        <li
          key={name}
          id={`${id}-${at}`}
          role="option"
          aria-selected={at === current}
          class={at === current ? "choice choice-current" : "choice"}
          // The field keeps the focus.
          onPointerDown={(event) => event.preventDefault()}
          onClick={() => pick(name)}
        >
          <Avatar name={name} />
          <Name name={name} />
          {name === ROOM_MENTION && <span class="choice-kind">{t("mention.room")}</span>}
        </li>
      ))}
    </ul>
  );
}
