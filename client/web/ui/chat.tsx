// Chat: the window of a signed-in user: sidebar, conversation and panel. It owns the keyboard
// shortcuts:
//
//   Ctrl/Cmd+K   finds or opens a room        Alt+Up/Down   previous room, next room
//   Escape       closes the open menu or panel and focuses the composer

import type { JSX, RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { ChatStore } from "../store/chat-store.ts";
import type { RoomEntry } from "../store/room-entry.ts";
import type { RoomStore } from "../store/room-store.ts";
import { bindActions } from "./bind-actions.ts";
import { Conversation } from "./conversation.tsx";
import { isDialogOpen } from "./dialog.tsx";
import { useChanges, useWindowEvent } from "./hooks.ts";
import { Icon } from "./icons.tsx";
import { useLayout } from "./layout.ts";
import { lazyView } from "./lazy.tsx";
import { useJump } from "./jump.ts";
import type { Layout, Panel } from "./layout.ts";
import { messageElement } from "./message-actions.ts";
import { MessageDialogs } from "./message-dialogs.tsx";
import { Sidebar } from "./sidebar.tsx";
import { Switcher } from "./switcher.tsx";
import { ThreadPanel } from "./thread-panel.tsx";
import { t } from "../texts/texts.ts";
import type { RoomChoice } from "../store/match-rooms.ts";

const Details = lazyView(async () => (await import("./panel.tsx")).Details);
const People = lazyView(async () => (await import("./people.tsx")).People);
const RoomDialogs = lazyView(async () => (await import("./rooms/room-dialogs.tsx")).RoomDialogs);
const RoomPanels = lazyView(async () => (await import("./rooms/room-panels.tsx")).RoomPanels);

interface Props {
  readonly store: ChatStore;
  readonly onSignOut: () => void;
}

export function Chat({ store, onSignOut }: Props): JSX.Element {
  useChanges(store);
  const { active: room, activeEntry: entry } = store;
  const layout = useLayout(room?.name);
  const field = useRef<HTMLTextAreaElement>(null);
  const { panel, isMenuOver, isPanelOver } = layout;

  useFocus(store);
  useTitle(store);
  useAddress(room?.name);
  useKeyboard(store, layout, field);
  const jump = useJump(store, layout);
  useFieldFocus(room?.name, field);

  const pick = (name: string): void => {
    store.open(name);
    layout.settle();
  };
  const pickChoice = ({ kind, room }: RoomChoice): void => {
    if (kind === "user") void store.openDirect(room);
    else store.open(room);
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
          onCreate={() => layout.setRoomDialog({ kind: "create" })}
          onDirect={() => layout.setRoomDialog({ kind: "direct" })}
          onDevices={() => layout.setRoomDialog({ kind: "devices" })}
          onClose={() => layout.setMenuOpen(false)}
          onSignOut={onSignOut}
        />
      </div>
      <main class="chat-main" inert={isMenuOver || isPanelOver}>
        {room === undefined || entry === undefined ? (
          <NoRoom layout={layout} />
        ) : (
          <Conversation
            {...{ store, room, entry, layout, field, actions, onSignOut }}
            selected={messageOf(panel)}
          />
        )}
      </main>
      <Aside
        {...{ store, room, entry, layout }}
        onJump={(seq, name = room?.name ?? "") => void jump(name, seq)}
      />
      {(isMenuOver || isPanelOver) && <div class="scrim" onClick={layout.settle} />}
      <MessageDialogs room={room} layout={layout} />
      {layout.isSwitching && (
        <Switcher store={store} onPick={pickChoice} onClose={() => layout.setSwitching(false)} />
      )}
      {layout.roomDialog !== undefined && (
        <RoomDialogs
          store={store}
          dialog={layout.roomDialog}
          onDialog={layout.setRoomDialog}
          onClose={() => layout.setRoomDialog(undefined)}
        />
      )}
    </div>
  );
}

/** The composer of a room that is opened gets the focus. */
function useFieldFocus(
  room: string | undefined,
  field: RefObject<HTMLTextAreaElement | null>,
): void {
  useEffect(() => {
    // A jump can show a message with the room, which then has the focus.
    const isOnTarget = document.activeElement?.matches("[data-target]");
    // On a touch screen the focus would open the keyboard.
    if (isOnTarget !== true && matchMedia("(hover: hover)").matches) field.current?.focus();
  }, [room]);
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

/** The message that the panel shows. */
function messageOf(panel: Panel | undefined): string | undefined {
  return panel !== undefined && "id" in panel ? panel.id : undefined;
}

function Aside(props: {
  readonly store: ChatStore;
  readonly room: RoomStore | undefined;
  readonly entry: RoomEntry | undefined;
  readonly layout: Layout;
  readonly onJump: (seq: number, room?: string) => void;
}): JSX.Element {
  const { store, room, entry, layout, onJump } = props;
  const { panel, closePanel, setRoomDialog } = layout;
  const thread = room?.thread;
  useEffect(() => {
    if (panel?.kind !== "thread") room?.closeThread();
  }, [room, panel?.kind]);
  /** The focus returns to the message of the panel. */
  const close = (): void => {
    closePanel();
    const id = messageOf(panel);
    if (id !== undefined) messageElement(id)?.focus();
  };
  return (
    <aside class="chat-panel" aria-label={t("panel.label")} inert={panel === undefined}>
      {room !== undefined && panel?.kind === "users" && (
        <People
          room={room}
          isOpened={panel.isOpened}
          onDialog={setRoomDialog}
          onClose={closePanel}
        />
      )}
      {room !== undefined && entry !== undefined && isRoomPanel(panel) && (
        <RoomPanels
          {...{ kind: panel.kind, store, room, entry, layout, onJump }}
          onClose={closePanel}
        />
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

function isRoomPanel(
  panel: Panel | undefined,
): panel is Panel & { readonly kind: "about" | "pins" | "search" } {
  return panel?.kind === "about" || panel?.kind === "pins" || panel?.kind === "search";
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

function useTitle({ activeEntry, unread }: ChatStore): void {
  const count = unread > 0 ? `(${unread}) ` : "";
  const sign = activeEntry?.kind === "open" ? "#" : "";
  const room = activeEntry === undefined ? "" : `${sign}${activeEntry.title} · `;
  const title = `${count}${room}Parley`;
  useEffect(() => {
    document.title = title;
  }, [title]);
}

/**
 * The address contains the room, so that users can bookmark and share it; never the user's name. It
 * changes with the page and not after the next paint: a reload in between showed another room.
 */
function useAddress(room: string | undefined): void {
  useLayoutEffect(() => {
    if (room === undefined) return;
    const url = new URL(location.href);
    url.searchParams.set("room", room);
    url.searchParams.delete("user");
    history.replaceState(null, "", url);
  }, [room]);
}
