// MessageList: the loaded messages of a room and the scroll position.
//
// CSS turns the browser's scroll anchoring off, because not every browser has it. Three rules
// replace it:
//   message-list.1. At the end, the list stays at the end when content is added or grows.
//   message-list.2. Elsewhere, the topmost visible message keeps its position to the pixel.
//   message-list.3. Only the user's scrolling up leaves the end; the list's own corrections never
//       do.

import { Component, createRef } from "preact";
import type { JSX } from "preact";
import { groupByDay } from "../store/days.ts";
import type { Day } from "../store/days.ts";
import type { RoomStore } from "../store/room-store.ts";
import { badge, dayWords } from "../store/words.ts";
import { Icon } from "./icons.tsx";
import { Beginning, Joining, OlderNote } from "./list-notes.tsx";
import { MessageRow } from "./message-row.tsx";
import type { MessageActions } from "./message-row.tsx";

/** A position this close to the end counts as the end. */
const END_PX = 40;
/** The list loads the next page this far before its edge. */
const AHEAD_PX = 800;
/** The label of the day stays visible for this long after the last scroll. */
const LABEL_MS = 1_200;

interface Props {
  readonly room: RoomStore;
  readonly selected: string | undefined;
  readonly actions: MessageActions;
  readonly onEscape: () => void;
}

interface Anchor {
  readonly id: string;
  readonly top: number;
}

export class MessageList extends Component<Props> {
  readonly #scroller = createRef<HTMLDivElement>();
  readonly #content = createRef<HTMLDivElement>();
  #observer: ResizeObserver | undefined;
  #isAtEnd = true;
  #lastTop = 0;
  #jumps = 0;
  #labelTimer: ReturnType<typeof setTimeout> | undefined;

  override componentDidMount(): void {
    this.#jumps = this.props.room.jumps;
    this.#observer = new ResizeObserver(() => this.#isAtEnd && this.#toEnd());
    if (this.#scroller.current !== null) this.#observer.observe(this.#scroller.current);
    if (this.#content.current !== null) this.#observer.observe(this.#content.current);
    this.#toEnd();
    this.#onScroll();
  }

  override componentWillUnmount(): void {
    this.#observer?.disconnect();
    clearTimeout(this.#labelTimer);
  }

  override getSnapshotBeforeUpdate(): Anchor | undefined {
    return this.#isAtEnd ? undefined : this.#anchor();
  }

  override componentDidUpdate(_props: Props, _state: unknown, anchor: Anchor | undefined): void {
    const { room } = this.props;
    if (room.jumps !== this.#jumps) {
      this.#jumps = room.jumps;
      this.#isAtEnd = true;
    }
    if (this.#isAtEnd) this.#toEnd();
    else if (anchor !== undefined) this.#restore(anchor);
    this.#readAhead();
  }

  override render({ room, selected, actions }: Props): JSX.Element {
    const { timeline } = room;
    const days = groupByDay(timeline.sent, timeline.unsent, room.readMark);
    return (
      <div class="list">
        <div
          ref={this.#scroller}
          class="list-scroller"
          role="log"
          aria-label={`Messages in ${room.name}`}
          aria-live="polite"
          aria-busy={room.status !== "live" || room.older === "loading"}
          tabIndex={0}
          onScroll={() => this.#onScroll()}
          onKeyDown={(event) => this.#onKey(event)}
        >
          <div ref={this.#content} class="list-content column">
            {room.isFromBeginning ? <Beginning room={room} /> : <OlderNote room={room} />}
            {days.length === 0 && room.status !== "live" && <Joining />}
            {days.map((day) => this.#day(day, room.me, selected, actions))}
          </div>
        </div>
        <Jump room={room} isAtEnd={this.#isAtEnd} />
      </div>
    );
  }

  #day(day: Day, me: string, selected: string | undefined, actions: MessageActions): JSX.Element {
    return (
      <section key={day.key} class="day">
        <h3 class="day-label">
          <span>{dayWords(day.at, Date.now())}</span>
        </h3>
        {day.rows.flatMap((row) => {
          const { id, from } = row.message;
          const message = (
            <MessageRow
              key={id}
              row={row}
              isMine={from === me}
              isSelected={id === selected}
              actions={actions}
            />
          );
          return row.isFirstUnread ? [<NewLine key="new" />, message] : [message];
        })}
      </section>
    );
  }

  #onScroll(): void {
    const scroller = this.#scroller.current;
    if (scroller === null) return;
    const { scrollTop, scrollHeight, clientHeight } = scroller;
    const isNearEnd = scrollHeight - clientHeight - scrollTop <= END_PX;
    const wasUp = scrollTop < this.#lastTop - 1;
    this.#lastTop = scrollTop;
    if (isNearEnd) this.#isAtEnd = this.props.room.timeline.isAttached;
    else if (wasUp) this.#isAtEnd = false; // message-list.3
    this.props.room.setAtEnd(this.#isAtEnd);
    this.#showLabel(scroller);
    this.#readAhead();
  }

  /** Sets an attribute on the element: a render for each scroll event would be too slow. */
  #showLabel(scroller: HTMLElement): void {
    scroller.dataset["scrolling"] = "";
    clearTimeout(this.#labelTimer);
    this.#labelTimer = setTimeout(() => delete scroller.dataset["scrolling"], LABEL_MS);
  }

  #readAhead(): void {
    const scroller = this.#scroller.current;
    const { room } = this.props;
    if (scroller === null || room.status !== "live") return;
    const below = scroller.scrollHeight - scroller.clientHeight - scroller.scrollTop;
    if (scroller.scrollTop < AHEAD_PX && room.older === "idle") void room.loadOlder();
    if (below < AHEAD_PX && room.newer === "idle") void room.loadNewer();
  }

  #toEnd(): void {
    const scroller = this.#scroller.current;
    if (scroller === null) return;
    scroller.scrollTop = scroller.scrollHeight;
    this.#lastTop = scroller.scrollTop;
  }

  #anchor(): Anchor | undefined {
    const scroller = this.#scroller.current;
    if (scroller === null) return undefined;
    const edge = scroller.getBoundingClientRect().top;
    for (const element of this.#messages()) {
      const { top, bottom } = element.getBoundingClientRect();
      const id = element.dataset["id"];
      if (bottom > edge && id !== undefined) return { id, top };
    }
    return undefined;
  }

  #restore(anchor: Anchor): void {
    const scroller = this.#scroller.current;
    const element = this.#messages().find((item) => item.dataset["id"] === anchor.id);
    if (scroller === null || element === undefined) return;
    scroller.scrollTop += element.getBoundingClientRect().top - anchor.top; // message-list.2
    this.#lastTop = scroller.scrollTop;
  }

  #messages(): HTMLElement[] {
    return [...(this.#content.current?.querySelectorAll<HTMLElement>(".message") ?? [])];
  }

  #onKey(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const messages = this.#messages();
    const current = messages.findIndex((item) => item === document.activeElement);
    if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      const next = event.key === "ArrowDown" ? current + 1 : current < 0 ? -1 : current - 1;
      messages.at(current < 0 ? -1 : Math.max(0, Math.min(next, messages.length - 1)))?.focus();
    } else if (event.key === "Enter" && event.target === messages[current]) {
      const id = messages[current]?.dataset["id"];
      if (id !== undefined) this.props.actions.inspect(id);
    } else if (event.key === "Escape") {
      this.props.onEscape();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

function NewLine(): JSX.Element {
  return (
    <p class="new-line">
      <span>New</span>
    </p>
  );
}

function Jump({ room, isAtEnd }: { room: RoomStore; isAtEnd: boolean }): JSX.Element | null {
  if (isAtEnd && room.timeline.isAttached) return null;
  return (
    <button type="button" class="jump" onClick={() => room.jumpToEnd()}>
      <Icon name="down" />
      Jump to latest
      {room.unread > 0 && <span class="badge">{badge(room.unread)} new</span>}
    </button>
  );
}
