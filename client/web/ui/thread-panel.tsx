// ThreadPanel: the replies to one message, with a composer of its own.

import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { RoomStore } from "../store/room-store.ts";
import type { ThreadStore } from "../store/thread-store.ts";
import type { SentMessage } from "../store/timeline-rows.ts";
import { Composer } from "./composer.tsx";
import { barWords } from "./conversation.tsx";
import { MessageList } from "./message-list.tsx";
import type { MessageActions } from "./message-actions.ts";
import { MessageRow } from "./message-row.tsx";
import { PanelFrame } from "./panel-frame.tsx";
import { t } from "../texts/texts.ts";

interface Props {
  readonly room: RoomStore;
  readonly thread: ThreadStore;
  readonly actions: MessageActions;
  readonly onClose: () => void;
}

export function ThreadPanel({ room, thread, actions, onClose }: Props): JSX.Element {
  const field = useRef<HTMLTextAreaElement>(null);
  const panel = useRef<HTMLDivElement>(null);
  // On a touch screen the focus would open the keyboard; there the title gets it.
  const canType = matchMedia("(hover: hover)").matches;
  useLayoutEffect(() => {
    if (canType) field.current?.focus();
  }, [thread]);
  const focusMessages = (): void => {
    const messages = panel.current?.querySelectorAll<HTMLElement>(".message");
    messages?.[messages.length - 1]?.focus();
  };
  return (
    <PanelFrame
      title={t("thread.title")}
      onClose={onClose}
      {...(!canType && { focusFor: `${thread.root}` })}
    >
      <div class="thread" ref={panel}>
        <MessageList
          key={thread.root}
          source={thread}
          label={t("thread.replies")}
          selected={undefined}
          actions={actions}
          beginning={<Root room={room} thread={thread} actions={actions} />}
          onEscape={() => field.current?.focus()}
        />
        <Composer
          source={thread}
          label={t("thread.write")}
          bar={barWords(room)}
          field={field}
          onUp={focusMessages}
        />
      </div>
    </PanelFrame>
  );
}

/** The message that the replies answer, as it was loaded last. */
function Root(props: Omit<Props, "onClose">): JSX.Element {
  const { room, thread, actions } = props;
  const known = useRef<SentMessage | undefined>(undefined);
  const message = room.timeline.at(thread.root) ?? known.current;
  known.current = message;
  if (message === undefined) {
    return <p class="panel-note">{t("thread.notLoaded")}</p>;
  }
  const replies = thread.timeline.sent.filter(({ isDeleted }) => isDeleted !== true).length;
  return (
    <div class="thread-root">
      <MessageRow
        row={{ message, isHead: true, isFirstUnread: false }}
        isMine={message.from === room.me}
        isSelected={false}
        isWaiting={room.changes.isWaiting(message.seq)}
        problem={room.changes.problemOf(message.seq)}
        actions={actions}
      />
      <p class="thread-count">
        {replies === 0 ? t("thread.none") : t("message.replies", { count: replies })}
      </p>
    </div>
  );
}
