// MessageTools: the toolbar of the message under the pointer or with the focus. Only that message
// has one, so a long list stays cheap.

import type { JSX, TargetedMouseEvent } from "preact";
import type { SentMessage } from "../store/timeline-rows.ts";
import { Icon } from "./icons.tsx";
import type { IconName } from "./icons.tsx";
import type { MessageActions } from "./message-actions.ts";
import { t } from "../texts/texts.ts";

interface Props {
  readonly message: SentMessage;
  readonly isMine: boolean;
  readonly actions: MessageActions;
}

export function MessageTools({ message, isMine, actions }: Props): JSX.Element {
  const { reply, rights } = actions;
  const isPinned = message.isPinned === true;
  return (
    <div class="tools" role="toolbar" aria-label={t("tools.label")} aria-live="off">
      {rights.react && (
        <Tool
          icon="smile"
          label={t("tools.react")}
          keys="R"
          act={(event) => actions.pick(message, event.currentTarget.getBoundingClientRect())}
        />
      )}
      {reply !== undefined && (
        <Tool icon="thread" label={t("tools.reply")} keys="T" act={() => reply(message)} />
      )}
      {isMine && (
        <Tool icon="pen" label={t("tools.edit")} keys="E" act={() => actions.edit(message)} />
      )}
      {rights.pin && (
        <Tool
          icon="pin"
          label={t(isPinned ? "tools.unpin" : "tools.pin")}
          keys="P"
          act={() => actions.pin(message, !isPinned)}
        />
      )}
      {(isMine || rights.delete) && (
        <Tool
          icon="bin"
          label={t("tools.delete")}
          keys={t("key.delete")}
          act={() => actions.remove(message)}
        />
      )}
    </div>
  );
}

function Tool(props: {
  readonly icon: IconName;
  readonly label: string;
  readonly keys: string;
  readonly act: (event: TargetedMouseEvent<HTMLButtonElement>) => void;
}): JSX.Element {
  const { icon, label, keys, act } = props;
  return (
    <button
      type="button"
      class="tool"
      aria-label={label}
      title={t("tools.title", { label, key: keys })}
      onClick={act}
    >
      <Icon name={icon} />
    </button>
  );
}
