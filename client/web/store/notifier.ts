// Notifier: which notes become notifications of the desktop.
//
// Owns: the choice and the words. Does not own: the permission and the notification itself
// (ui/notifications.ts, ui/desktop-notes.ts).
//
//   notifier.1. Only while the page is hidden, and only for mentions, answers and direct messages.
//   notifier.2. The text is read from the server when the note arrives: a note has none. At most
//        PENDING_MAX are read at a time; beyond it a note is only counted in the list of rooms.
//   notifier.3. A notification has the room and the number as its tag, so several windows show one.
//   notifier.4. It has the begin of the text, without the markers of Markdown, or the names of the
//        files of a message without one.
//   notifier.5. The note of an edit names the edit. The notification shows the edited message, and
//        leads to it.

import type { ShownMessage } from "#client/sdk/timeline/shown-message.ts";
import type { RoomEvent } from "#shared/protocol/events.ts";
import type { Note, NoteReason } from "#shared/protocol/note.ts";
import { previewOf } from "#shared/protocol/room-list.ts";
import { t } from "../texts/texts.ts";
import type { ChatApi } from "./chat-api.ts";
import { plainText } from "./plain-text.ts";
import { lineWords } from "./words.ts";

const PENDING_MAX = 4;

export interface Notice {
  readonly title: string;
  readonly body: string;
  readonly tag: string;
  readonly room: string;
  readonly seq: number;
}

export interface NotifierOptions {
  readonly api: Pick<ChatApi, "get" | "message">;
  readonly isHidden: () => boolean;
  readonly titleOf: (room: string) => string;
  readonly show: (notice: Notice) => void;
}

export class Notifier {
  readonly #options: NotifierOptions;
  #pending = 0;

  constructor(options: NotifierOptions) {
    this.#options = options;
  }

  async receive({ room, seq, why }: Note): Promise<void> {
    if (why === "added" || why === "removed" || this.#pending >= PENDING_MAX) return;
    const { isHidden, titleOf, show } = this.#options;
    if (!isHidden()) return; // notifier.1
    this.#pending += 1;
    const message = await this.#read(room, seq, why).catch(() => undefined);
    this.#pending -= 1;
    if (message === undefined || message.deleted !== undefined) return;
    const values = { name: message.from, room: titleOf(room) };
    const title = why === "direct" ? message.from : t(`notify.${why}`, values);
    const body = bodyOf(message);
    show({ title, body, tag: `${room}/${message.seq}`, room, seq: message.seq });
  }

  async #read(room: string, seq: number, why: NoteReason): Promise<ShownMessage> {
    const { api } = this.#options;
    if (why !== "mention") return api.message(room, seq);
    const range = { after: String(seq - 1), limit: "1" };
    const path = `/v1/rooms/${room}/messages`;
    const { events } = await api.get<{ events: readonly RoomEvent[] }>(path, range);
    const [event] = events;
    return api.message(room, event?.t === "edited" ? event.target : seq); // notifier.5
  }
}

/** notifier.4. */
function bodyOf({ body, attachments }: ShownMessage): string {
  const { text } = body;
  const plain = previewOf({ text: typeof text === "string" ? plainText(text) : "" });
  return lineWords({ text: plain, files: attachments?.map(({ name }) => name) });
}
