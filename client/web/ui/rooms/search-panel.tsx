// SearchPanel: finds messages by their words, in this room or in all rooms of the user.

import type { JSX } from "preact";
import { useLayoutEffect, useReducer, useRef, useState } from "preact/hooks";
import type { ChatStore } from "../../store/chat-store.ts";
import { MessageSearch, partsOf } from "../../store/message-search.ts";
import type { RoomStore } from "../../store/room-store.ts";
import { t } from "../../texts/texts.ts";
import { Icon } from "../icons.tsx";
import { PanelFrame } from "../panel-frame.tsx";
import { Excerpt } from "./excerpt.tsx";

const TEXT_MAX = 200;

interface Props {
  readonly store: ChatStore;
  readonly room: RoomStore;
  readonly onJump: (seq: number, room: string) => void;
  readonly onClose: () => void;
}

export function SearchPanel({ store, room, onJump, onClose }: Props): JSX.Element {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const [search] = useState(() => new MessageSearch(store.api, () => redraw(undefined)));
  const [typed, setTyped] = useState("");
  const [isEverywhere, setEverywhere] = useState(false);
  const begin = (text: string, everywhere: boolean): void => {
    const where = everywhere ? undefined : room.name;
    void search.begin({ text, room: where });
  };
  return (
    <PanelFrame title={t("search.title")} onClose={onClose}>
      <div class="panel-content">
        <form
          class="search-form"
          role="search"
          aria-label={t("search.title")}
          onSubmit={(event) => {
            event.preventDefault();
            begin(typed, isEverywhere);
          }}
        >
          <Words typed={typed} onType={setTyped} />
          <div class="radio">
            <input
              type="checkbox"
              id="search-everywhere"
              checked={isEverywhere}
              onChange={(event) => {
                setEverywhere(event.currentTarget.checked);
                if (search.state !== "none") begin(typed, event.currentTarget.checked);
              }}
            />
            <label for="search-everywhere">{t("search.everywhere")}</label>
          </div>
          <button type="submit" class="primary" disabled={typed.trim() === ""}>
            {t("search.submit")}
          </button>
        </form>
        <Summary search={search} />
        <ul class="excerpts" aria-busy={search.state === "loading"}>
          {search.found.map((message) => (
            <Excerpt
              key={`${message.room} ${message.seq}`}
              from={message.from}
              at={message.at}
              seq={message.seq}
              {...(message.room !== room.name && {
                room: store.entry(message.room)?.title ?? message.room,
              })}
              parts={partsOf(message)}
              onJump={(seq) => onJump(seq, message.room)}
            />
          ))}
        </ul>
        {search.hasMore && (
          <button type="button" class="link" onClick={() => void search.more()}>
            {t("people.more")}
          </button>
        )}
      </div>
    </PanelFrame>
  );
}

function Words(props: {
  readonly typed: string;
  readonly onType: (text: string) => void;
}): JSX.Element {
  const field = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => field.current?.focus(), []);
  return (
    <div class="finder">
      <Icon name="search" />
      <input
        ref={field}
        type="text"
        value={props.typed}
        placeholder={t("search.words")}
        aria-label={t("search.words")}
        autocomplete="off"
        maxLength={TEXT_MAX}
        onInput={(event) => props.onType(event.currentTarget.value)}
      />
    </div>
  );
}

function Summary({ search }: { readonly search: MessageSearch }): JSX.Element {
  const { state, found, problem } = search;
  return (
    <p class={problem === undefined ? "panel-note" : "problem"} role="status">
      {problem ??
        (state === "loading" && found.length === 0
          ? t("search.loading")
          : state === "found"
            ? t("search.count", { count: found.length })
            : t("search.how"))}
    </p>
  );
}
