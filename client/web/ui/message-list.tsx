// MessageList: the loaded messages of a room or a thread, and the scroll position.
//
// CSS turns the browser's scroll anchoring off, because not every browser has it. Three rules
// replace it:
//   message-list.1. At the end, the list stays at the end when content is added or grows.
//   message-list.2. Elsewhere, the topmost visible message keeps its position to the pixel.
//   message-list.3. Only the user's scrolling up leaves the end; the list's own corrections never
//       do.
//   message-list.4. Loaded messages are added over several frames (store/shown-part.ts). The next
//       page is requested when all of them are shown.

import { Component, createRef } from "preact";
import type { ComponentChildren, JSX } from "preact";
import { groupByDay } from "../store/days.ts";
import type { Day } from "../store/days.ts";
import type { JumpTarget, MessageSource } from "../store/message-source.ts";
import { ShownPart } from "../store/shown-part.ts";
import type { SentMessage } from "../store/timeline-rows.ts";
import { badge, dayWords } from "../store/words.ts";
import { Icon } from "./icons.tsx";
import { Joining, OlderNote } from "./list-notes.tsx";
import { actionOfKey } from "./message-actions.ts";
import type { MessageActions } from "./message-actions.ts";
import { MessageRow } from "./message-row.tsx";
import { t } from "../texts/texts.ts";

/** A position this close to the end counts as the end. */
const END_PX = 40;
/** The list loads the next page this far before its edge. */
const AHEAD_PX = 800;
/** The label of the day stays visible for this long after the last scroll. */
const LABEL_MS = 1_200;

/** The message that was jumped to stands out for this long. */
const TARGET_MS = 2_500;

interface Props {
  readonly source: MessageSource;
  readonly label: string;
  /** Stands before the first message. */
  readonly beginning: ComponentChildren;
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
  /** The message that was jumped to last. */
  #target: JumpTarget | undefined;
  #labelTimer: ReturnType<typeof setTimeout> | undefined;
  /** When the user scrolled last, as `performance.now`. */
  #scrolledAt = 0;
  readonly #part = new ShownPart();
  /** Whether all loaded messages are shown (message-list.4). */
  #isWhole = true;
  #step: number | undefined;
  #hasTime = false;

  override componentDidMount(): void {
    this.#jumps = this.props.source.jumps;
    this.#observer = new ResizeObserver(() => this.#isAtEnd && this.#toEnd());
    if (this.#scroller.current !== null) this.#observer.observe(this.#scroller.current);
    if (this.#content.current !== null) this.#observer.observe(this.#content.current);
    this.#toEnd();
    this.#onScroll();
    this.#toTarget();
    this.#continue();
  }

  override componentWillUnmount(): void {
    this.#observer?.disconnect();
    if (this.#step !== undefined) cancelAnimationFrame(this.#step);
    clearTimeout(this.#labelTimer);
  }

  override getSnapshotBeforeUpdate(): Anchor | undefined {
    return this.#isAtEnd ? undefined : this.#anchor();
  }

  override componentDidUpdate(_props: Props, _state: unknown, anchor: Anchor | undefined): void {
    const { source } = this.props;
    if (source.jumps !== this.#jumps) {
      this.#jumps = source.jumps;
      this.#isAtEnd = true;
    }
    if (this.#toTarget()) this.#isAtEnd = false;
    else if (this.#isAtEnd) this.#toEnd();
    else if (anchor !== undefined) this.#restore(anchor);
    this.#readAhead();
    this.#continue();
  }

  override render({ source, label, beginning }: Props): JSX.Element {
    const { timeline, target } = source;
    const isNewTarget = target !== undefined && target !== this.#target;
    const part = this.#part.step(timeline.sent, {
      target: isNewTarget ? target.seq : undefined,
      hasTime: this.#hasTime,
    });
    this.#hasTime = false;
    this.#isWhole = part.hasFirst && part.hasLast;
    const days = groupByDay(part.messages, part.hasLast ? timeline.unsent : [], source.readMark);
    return (
      <div class="list">
        <div
          ref={this.#scroller}
          class="list-scroller"
          role="log"
          aria-label={label}
          aria-live="polite"
          aria-busy={source.status !== "live" || source.older === "loading" || !this.#isWhole}
          tabIndex={0}
          onScroll={() => this.#onScroll()}
          onKeyDown={(event) => this.#onKey(event)}
        >
          <div ref={this.#content} class="list-content column">
            {part.hasFirst && (source.isFromBeginning ? beginning : <OlderNote source={source} />)}
            {days.length === 0 && source.status !== "live" && <Joining />}
            {days.map((day) => this.#day(day))}
          </div>
        </div>
        <Jump source={source} isAtEnd={this.#isAtEnd} />
      </div>
    );
  }

  #day(day: Day): JSX.Element {
    const { source, selected, actions } = this.props;
    return (
      <section key={day.key} class="day">
        <h2 class="day-label">
          <span>{dayWords(day.at, Date.now())}</span>
        </h2>
        {day.rows.flatMap((row) => {
          const { id, from, seq } = row.message;
          const message = (
            <MessageRow
              key={id}
              row={row}
              isMine={from === source.me}
              isSelected={id === selected}
              isWaiting={source.changes.isWaiting(seq)}
              problem={source.changes.problemOf(seq)}
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
    if (isNearEnd) this.#isAtEnd = this.props.source.timeline.isAttached;
    else if (wasUp) this.#isAtEnd = false; // message-list.3
    this.props.source.setAtEnd(this.#isAtEnd);
    this.#showLabel(scroller);
    this.#readAhead();
  }

  /**
   * Sets an attribute on the element: a render for each scroll event would be too slow, and so
   * would be a new timer for each.
   */
  #showLabel(scroller: HTMLElement): void {
    this.#scrolledAt = performance.now();
    if (this.#labelTimer !== undefined) return;
    scroller.dataset["scrolling"] = "";
    const end = (): void => {
      const left = this.#scrolledAt + LABEL_MS - performance.now();
      this.#labelTimer = left > 0 ? setTimeout(end, left) : undefined;
      if (left <= 0) delete scroller.dataset["scrolling"];
    };
    this.#labelTimer = setTimeout(end, LABEL_MS);
  }

  /** message-list.4. */
  #continue(): void {
    if (this.#isWhole || this.#step !== undefined) return;
    this.#step = requestAnimationFrame(() => {
      this.#step = undefined;
      this.#hasTime = true;
      this.forceUpdate();
    });
  }

  #readAhead(): void {
    const scroller = this.#scroller.current;
    const { source } = this.props;
    if (scroller === null || source.status !== "live" || !this.#isWhole) return;
    const below = scroller.scrollHeight - scroller.clientHeight - scroller.scrollTop;
    if (scroller.scrollTop < AHEAD_PX && source.older === "idle") void source.loadOlder();
    if (below < AHEAD_PX && source.newer === "idle") void source.loadNewer();
  }

  #toEnd(): void {
    const scroller = this.#scroller.current;
    if (scroller === null) return;
    scroller.scrollTop = scroller.scrollHeight;
    this.#lastTop = scroller.scrollTop;
  }

  /** Shows the message that was jumped to; true when it did now. */
  #toTarget(): boolean {
    const { target } = this.props.source;
    if (target === undefined || target === this.#target) return false;
    const element = this.#messages().find((item) => item.dataset["seq"] === String(target.seq));
    if (element === undefined) return false;
    this.#target = target;
    element.scrollIntoView({ block: "center" });
    element.dataset["target"] = "";
    element.focus({ preventScroll: true });
    this.#lastTop = this.#scroller.current?.scrollTop ?? 0;
    setTimeout(() => delete element.dataset["target"], TARGET_MS);
    return true;
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
    const element = document.activeElement?.closest<HTMLElement>(".message");
    const current = messages.findIndex((item) => item === element);
    const isOnMessage = event.target === element;
    if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      const next = event.key === "ArrowDown" ? current + 1 : current < 0 ? -1 : current - 1;
      messages.at(current < 0 ? -1 : Math.max(0, Math.min(next, messages.length - 1)))?.focus();
    } else if (event.key === "Enter" && isOnMessage) {
      const id = element?.dataset["id"];
      if (id !== undefined) this.props.actions.inspect(id);
    } else if (element instanceof HTMLElement && isOnMessage && this.#act(event.key, element)) {
      // Done.
    } else if (event.key === "Escape") {
      this.props.onEscape();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** False when the key has no action for this message. */
  #act(key: string, element: HTMLElement): boolean {
    const { source, actions } = this.props;
    const message = this.#messageOf(element);
    if (message === undefined || message.isDeleted === true) return false;
    const act = actionOfKey(key, message, message.from === source.me, actions);
    act?.(element.getBoundingClientRect());
    return act !== undefined;
  }

  #messageOf(element: HTMLElement): SentMessage | undefined {
    return this.props.source.timeline.at(Number(element.dataset["seq"] ?? 0));
  }
}

function NewLine(): JSX.Element {
  return (
    <p class="new-line">
      <span>{t("list.new")}</span>
    </p>
  );
}

function Jump(props: { source: MessageSource; isAtEnd: boolean }): JSX.Element | null {
  const { source, isAtEnd } = props;
  if (isAtEnd && source.timeline.isAttached) return null;
  return (
    <button type="button" class="jump" onClick={() => source.jumpToEnd()}>
      <Icon name="down" />
      {t("list.jump")}
      {source.unread > 0 && (
        <span class="badge">{t("list.newCount", { count: badge(source.unread) })}</span>
      )}
    </button>
  );
}
