// LinkPreview: the card below a message that shows what the page behind its first link says of
// itself. It is loaded with the first message that has a link.
//
//   link-preview.1. Nothing is asked unless the user wants previews (LP1), the message is stored,
//        the user is in the room, and the message has come near the visible part.
//   link-preview.2. The texts are those of a stranger: text nodes, each with its own direction. The
//        card begins with the host of the link, which the page cannot choose.
//   link-preview.3. A card that appears above the visible part moves nothing in it.

import "./previews.css";
import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { LinkPreview as Preview, PreviewAnswer } from "#shared/protocol/link-previews.ts";
import { firstLink } from "../../store/previews/first-link.ts";
import type { RoomStore } from "../../store/room-store.ts";
import type { Message } from "../../store/timeline-rows.ts";
import { t } from "../../texts/texts.ts";
import type { MessageActions } from "../message-actions.ts";
import { useIsNear } from "../near.ts";
import { book, useChoice } from "./page-previews.ts";

interface Props {
  readonly message: Message;
  readonly actions: MessageActions;
}

export function LinkPreview({ message, actions: { room } }: Props): JSX.Element | null {
  const isWanted = useChoice(room?.me);
  if (!isWanted || room === undefined || message.kind !== "sent") return null; // link-preview.1
  const url = firstLink(message.text);
  return url === undefined ? null : <Near key={url.href} url={url} room={room} />;
}

interface NearProps {
  readonly url: URL;
  readonly room: RoomStore;
}

function Near({ url, room }: NearProps): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const isNear = useIsNear(place);
  const [preview, setPreview] = useState<Preview>();
  useEffect(() => {
    if (!isNear || room.status === "left") return undefined; // link-preview.1
    const gone = new AbortController();
    const ask = (href: string): Promise<PreviewAnswer> =>
      room.api.get("/v1/link-preview", { url: href });
    void book.preview(url.href, ask, gone.signal).then((found) => {
      if (!gone.signal.aborted) setPreview(found);
    });
    return () => gone.abort();
  }, [isNear]);
  return <div ref={place}>{preview !== undefined && <Card url={url} preview={preview} />}</div>;
}

function Card({ url, preview }: { readonly url: URL; readonly preview: Preview }): JSX.Element {
  const { title, description, site } = preview;
  const card = useRef<HTMLAnchorElement>(null);
  useLayoutEffect(() => keepPlace(card.current), []);
  return (
    <a
      ref={card}
      class="link-preview"
      href={url.href}
      target="_blank"
      rel="noopener noreferrer nofollow"
    >
      <span class="preview-site">
        <span class="hidden">{t("previews.of", { host: url.host })}</span>
        <bdi aria-hidden="true">{url.host}</bdi>
        {site !== undefined && <bdi class="preview-name">{site}</bdi>}
      </span>
      <span class="preview-title" dir="auto">
        {title}
      </span>
      {description !== undefined && (
        <span class="preview-text" dir="auto">
          {description}
        </span>
      )}
    </a>
  );
}

/** link-preview.3. */
function keepPlace(card: HTMLElement | null): void {
  const list = card?.closest(".list-scroller");
  if (card === null || list === null || list === undefined) return;
  const { top, height } = card.getBoundingClientRect();
  if (top < list.getBoundingClientRect().top) list.scrollTop += height;
}
