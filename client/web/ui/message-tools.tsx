// MessageTools: the toolbar of the message under the pointer or with the focus. Only that message
// has one, so a long list stays cheap. Without a tool there is no toolbar.
//
//   message-tools.1. It offers exactly the actions that the keys have on the message.
//   message-tools.2. An edit is offered until the room takes none. A focus on it then goes to the
//        message.

import type { JSX } from "preact";
import { useEffect, useReducer, useRef } from "preact/hooks";
import type { SentMessage } from "../store/timeline-rows.ts";
import { Icon } from "./icons.tsx";
import type { IconName } from "./icons.tsx";
import { ACTION_KEYS, actionOfKey } from "./message-actions.ts";
import type { MessageActions } from "./message-actions.ts";
import { t } from "../texts/texts.ts";

interface Props {
  readonly message: SentMessage;
  readonly isMine: boolean;
  readonly actions: MessageActions;
}

/** A longer timer ends at once; the message has no toolbar for so long. */
const TIMER_MS_MAX = 2 ** 31 - 1;

const TOOLS = {
  r: ["smile", "tools.react"],
  t: ["thread", "tools.reply"],
  e: ["pen", "tools.edit"],
  p: ["pin", "tools.pin"],
  Delete: ["bin", "tools.delete"],
} as const satisfies Record<(typeof ACTION_KEYS)[number], readonly [IconName, string]>;

export function MessageTools({ message, isMine, actions }: Props): JSX.Element | null {
  const bar = useRef<HTMLDivElement>(null);
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const leftMs = actions.room?.changes.editMs(message) ?? -1;
  useEffect(() => {
    if (leftMs < 0 || leftMs >= TIMER_MS_MAX) return undefined;
    const end = setTimeout(() => {
      if (document.activeElement?.ariaLabel === t("tools.edit")) {
        bar.current?.closest<HTMLElement>(".message")?.focus();
      }
      redraw(undefined);
    }, leftMs + 1);
    return () => clearTimeout(end);
  });
  const tools = ACTION_KEYS.flatMap((name) => {
    const act = actionOfKey(name, message, isMine, actions); // message-tools.1
    if (act === undefined) return [];
    const [icon, text] = TOOLS[name];
    const label = t(name === "p" && message.isPinned === true ? "tools.unpin" : text);
    const key = name === "Delete" ? t("key.delete") : name.toUpperCase();
    return (
      <button
        key={name}
        type="button"
        class="tool"
        aria-label={label}
        title={t("tools.title", { label, key })}
        onClick={(event) => act(event.currentTarget.getBoundingClientRect())}
      >
        <Icon name={icon} />
      </button>
    );
  });
  if (tools.length === 0) return null;
  return (
    <div ref={bar} class="tools" role="toolbar" aria-label={t("tools.label")} aria-live="off">
      {tools}
    </div>
  );
}
