// Chat: the window of a signed-in user: sidebar, conversation and panel. It owns the keyboard
// shortcuts:
//
//   Ctrl/Cmd+K   finds or opens a room        Alt+Up/Down   previous room, next room
//   Escape       closes the open menu or panel and focuses the composer

import type { JSX, RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { ChatStore } from "../store/chat-store.ts";
import type { RoomStore } from "../store/room-store.ts";
import { bindActions } from "./bind-actions.ts";
import { Conversation } from "./conversation.tsx";
import { isDialogOpen } from "./dialog.tsx";
import { useChanges, useWindowEvent } from "./hooks.ts";
import { Icon } from "./icons.tsx";
import { useLayout } from "./layout.ts";
import type { Layout } from "./layout.ts";
import { messageElement } from "./message-actions.ts";
import { MessageDialogs } from "./message-dialogs.tsx";
import { Details, Users } from "./panel.tsx";
import { Sidebar } from "./sidebar.tsx";
import { Switcher } from "./switcher.tsx";
import { ThreadPanel } from "./thread-panel.tsx";
import { t } from "../texts/texts.ts";

interface Props {
  readonly store: ChatStore;
  readonly onSignOut: () => void;
}

export function Chat({ store, onSignOut }: Props): JSX.Element {
  useChanges(store);
  const { active: room } = store;
  const layout = useLayout(room?.name);
  const field = useRef<HTMLTextAreaElement>(null);
  const { panel, isMenuOver, isPanelOver } = layout;

  useFocus(store);
  useTitle(store);
  useAddress(room?.name);
  useKeyboard(store, layout, field);
  useEffect(() => {
    // On a touch screen the focus would open the keyboard.
    if (matchMedia("(hover: hover)").matches) field.current?.focus();
  }, [room?.name]);

  const pick = (name: string): void => {
    store.open(name);
    layout.settle();
  };
  const actions = bindActions(room, layout, false);
  const classes = ["chat", isMenuOver && "menu-open", panel !== undefined && "panel-open"];
  return (
    <div class={classes.filter(Boolean).join(" ")}>
      <div class="chat-side" inert={layout.isPhone && !isMenuOver}>
        <Sidebar
          store={store}
          isOverlay={layout.isPhone}
          onPick={pick}
          onSwitch={() => layout.setSwitching(true)}
          onClose={() => layout.setMenuOpen(false)}
          onSignOut={onSignOut}
        />
      </div>
      <main class="chat-main" inert={isMenuOver || isPanelOver}>
        {room === undefined ? (
          <NoRoom layout={layout} />
        ) : (
          <Conversation
            store={store}
            room={room}
            field={field}
            selected={panel !== undefined && panel.kind !== "users" ? panel.id : undefined}
            actions={actions}
            isPanelOpen={panel?.kind === "users"}
            onMenu={() => layout.setMenuOpen(true)}
            onUsers={layout.toggleUsers}
            onSignOut={onSignOut}
          />
        )}
      </main>
      <Aside room={room} layout={layout} />
      {(isMenuOver || isPanelOver) && <div class="scrim" onClick={layout.settle} />}
      <MessageDialogs room={room} layout={layout} />
      {layout.isSwitching && (
        <Switcher store={store} onPick={pick} onClose={() => layout.setSwitching(false)} />
      )}
    </div>
  );
}

function useKeyboard(
  store: ChatStore,
  layout: Layout,
  field: RefObject<HTMLTextAreaElement | null>,
): void {
  useWindowEvent("keydown", (event) => {
    const isCommand = (event.ctrlKey || event.metaKey) && !event.altKey;
    if (isCommand && event.key.toLowerCase() === "k") layout.setSwitching(!layout.isSwitching);
    else if (event.altKey && event.key === "ArrowDown") store.step(1);
    else if (event.altKey && event.key === "ArrowUp") store.step(-1);
    else if (event.key === "Escape" && !isDialogOpen()) {
      if (layout.isMenuOver) layout.settle();
      else if (layout.isPanelOver || layout.panel?.kind !== "users") layout.closePanel();
      field.current?.focus();
    } else return;
    event.preventDefault();
  });
}

function Aside({ room, layout }: { room: RoomStore | undefined; layout: Layout }): JSX.Element {
  const { panel, closePanel } = layout;
  const thread = room?.thread;
  useEffect(() => {
    if (panel?.kind !== "thread") room?.closeThread();
  }, [room, panel?.kind]);
  /** The focus returns to the message of the panel. */
  const close = (): void => {
    closePanel();
    if (panel !== undefined && panel.kind !== "users") messageElement(panel.id)?.focus();
  };
  return (
    <aside class="chat-panel" aria-label={t("panel.label")} inert={panel === undefined}>
      {room !== undefined && panel?.kind === "users" && (
        <Users room={room} isOpened={panel.isOpened} onClose={closePanel} />
      )}
      {room !== undefined && panel?.kind === "details" && (
        <Details
          room={room}
          message={room.timeline.find(panel.id) ?? thread?.timeline.find(panel.id)}
          onClose={close}
        />
      )}
      {room !== undefined && panel?.kind === "thread" && thread !== undefined && (
        <ThreadPanel
          key={thread.root}
          room={room}
          thread={thread}
          actions={bindActions(room, layout, true)}
          onClose={close}
        />
      )}
    </aside>
  );
}

function NoRoom({ layout }: { readonly layout: Layout }): JSX.Element {
  return (
    <div class="no-room">
      <button
        type="button"
        class="quiet square menu"
        onClick={() => layout.setMenuOpen(true)}
        aria-label={t("rooms.title")}
      >
        <Icon name="menu" />
      </button>
      <h1>{t("rooms.none")}</h1>
      <p>{t("rooms.noneText")}</p>
      <button type="button" class="primary" onClick={() => layout.setSwitching(true)}>
        {t("rooms.findOrOpen")}
      </button>
    </div>
  );
}
/** Messages count as read only while the window has the focus. */
function useFocus(store: ChatStore): void {
  const follow = (): void =>
    store.setFocus(document.hasFocus() && document.visibilityState === "visible");
  useWindowEvent("focus", follow);
  useWindowEvent("blur", follow);
  useWindowEvent("pagehide", () => store.flush());
  useEffect(follow, [store]);
}

function useTitle({ active, unread }: ChatStore): void {
  const count = unread > 0 ? `(${unread}) ` : "";
  const room = active === undefined ? "" : `#${active.name} · `;
  const title = `${count}${room}Parley`;
  useEffect(() => {
    document.title = title;
  }, [title]);
}

/**
 * The address contains the room, so that users can bookmark and share it; never the user's name.
 */
function useAddress(room: string | undefined): void {
  useEffect(() => {
    if (room === undefined) return;
    const url = new URL(location.href);
    url.searchParams.set("room", room);
    url.searchParams.delete("user");
    history.replaceState(null, "", url);
  }, [room]);
}
