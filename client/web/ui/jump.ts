// Jump: shows a message by its number, from a link, a pin or a notification, and follows the links
// in the address of the page.
//
//   jump.1. What is behind "#" in the address leaves it at once: an invite is a secret.

import { useEffect, useRef } from "preact/hooks";
import type { ChatStore } from "../store/chat-store.ts";
import { forgetInvite, keepInvite, readLink } from "../store/page-links.ts";
import type { Target } from "../store/page-links.ts";
import { t } from "../texts/texts.ts";
import { useWindowEvent } from "./hooks.ts";
import type { Layout } from "./layout.ts";
import { notifyOf } from "./notifications.ts";

export type Jump = (room: string, seq: number) => Promise<void>;

export function useJump(store: ChatStore, layout: Layout): Jump {
  const newest = useRef(layout);
  newest.current = layout;
  const jump: Jump = async (name, seq) => {
    if (!store.open(name)) return;
    const room = store.active;
    await room?.live();
    const found = room?.status === "left" ? undefined : await room?.jumpTo(seq);
    if (found === false) store.setNotice(t("jump.failed"));
    if (!found || room === undefined) return;
    const { settle, show } = newest.current;
    settle();
    const root = found.thread === undefined ? undefined : room.timeline.at(found.thread);
    if (root === undefined) return;
    room.openThread(root.seq);
    show({ kind: "thread", id: root.id, root: root.seq });
  };
  const follow = async ({ room, message }: Target): Promise<void> => {
    const invite = keepInvite(location, sessionStorage);
    forgetInvite(sessionStorage);
    clearHash(); // jump.1
    if (invite !== undefined) store.setNotice(await store.enterInvite(invite));
    else if (room !== undefined && message !== undefined) await jump(room, message);
  };
  useEffect(() => void follow(readLink(location)), [store]);
  useWindowEvent("hashchange", () => void follow(readLink(location)));
  useEffect(() => notifyOf(store, (room, seq) => void jump(room, seq)), [store]);
  return jump;
}

function clearHash(): void {
  if (location.hash === "") return;
  history.replaceState(null, "", location.pathname + location.search);
}
