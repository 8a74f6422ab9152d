// PinsPanel: the pinned messages of a room. It is loaded when it opens first.

import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { ShownMessage } from "#client/sdk/timeline/shown-message.ts";
import { PinList } from "../../store/pin-list.ts";
import { plainText } from "../../store/plain-text.ts";
import { messageRights } from "../../store/room-rights.ts";
import type { RoomStore } from "../../store/room-store.ts";
import { textOf } from "../../store/timeline-rows.ts";
import { t } from "../../texts/texts.ts";
import { PanelFrame } from "../panel-frame.tsx";
import { Excerpt } from "./excerpt.tsx";

interface Props {
  readonly room: RoomStore;
  readonly onJump: (seq: number) => void;
  readonly onClose: () => void;
}

export function PinsPanel({ room, onJump, onClose }: Props): JSX.Element {
  const pins = room.openPins((options) => new PinList(options));
  useEffect(() => {
    if (pins.state === "none") void pins.load();
  }, [room]);
  const canUnpin = messageRights(room.info, room.bar).pin;
  const all = pins.all;
  return (
    <PanelFrame title={t("pins.title")} focusFor={room.name} onClose={onClose}>
      <div class="panel-content" aria-live="polite" aria-busy={pins.state === "loading"}>
        {all.length === 0 && pins.state === "loaded" && (
          <p class="panel-note">{t(canUnpin ? "pins.noneHow" : "pins.none")}</p>
        )}
        {pins.state === "failed" && (
          <p class="panel-note">
            {t("pins.failed")}{" "}
            <button type="button" class="link" onClick={() => void pins.load()}>
              {t("list.tryAgain")}
            </button>
          </p>
        )}
        <ul class="excerpts">
          {all.map((message) => (
            <Pin key={message.seq} {...{ room, message, onJump, canUnpin }} />
          ))}
        </ul>
        {pins.hasMore && (
          <button type="button" class="link" onClick={() => void pins.load()}>
            {t("people.more")}
          </button>
        )}
      </div>
    </PanelFrame>
  );
}

function Pin(props: {
  readonly room: RoomStore;
  readonly message: ShownMessage;
  readonly onJump: (seq: number) => void;
  readonly canUnpin: boolean;
}): JSX.Element {
  const { room, message, onJump, canUnpin } = props;
  const { seq, from, at } = message;
  const problem = room.changes.problemOf(seq);
  return (
    <Excerpt {...{ from, at, seq, onJump }} parts={[{ text: shownText(message) }]}>
      {canUnpin && (
        <button type="button" class="link" onClick={() => room.changes.pin(seq, false)}>
          {t("tools.unpin")}
        </button>
      )}
      {problem !== undefined && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
    </Excerpt>
  );
}

/** The names of files have no markers. */
function shownText(message: ShownMessage): string {
  const text = textOf(message);
  return text === message.body["text"] ? plainText(text) : text;
}
