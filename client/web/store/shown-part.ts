// ShownPart: the part of the loaded messages that the list renders now. A page of history is fifty
// messages, and to lay out all of them in one frame would stop a scroll.
//
// Owns: which messages are in the part. Does not own: which are loaded (SDK), when the next frame
// is (ui/message-list.tsx).
//
//   shown-part.1. The part is contiguous. Each step adds at most STEP_MESSAGES at each end, until
//        all loaded messages are in it. A step for new messages adds none at the start.
//   shown-part.2. When no message of the part is loaded any more (another room, a jump), the part
//        begins again with START_MESSAGES: around the message that was jumped to, else at the end.
//        The first messages are enough for a screen.

/** More than a high screen shows. */
export const START_MESSAGES = 30;
/** As many as fit into a frame, with a reserve for slow machines. */
export const STEP_MESSAGES = 8;

interface Numbered {
  readonly seq: number;
}

export interface Part<M> {
  readonly messages: readonly M[];
  /** The part has the first loaded message. */
  readonly hasFirst: boolean;
  readonly hasLast: boolean;
}

interface StepOptions {
  /** The number of the message that was jumped to. */
  readonly target?: number | undefined;
  /** The step has a frame of its own: it adds messages at the start, too. */
  readonly hasTime: boolean;
}

export class ShownPart {
  /** The numbers of the part; undefined before the first step. */
  #span: { readonly first: number; readonly last: number } | undefined;

  /** The next part of `loaded`, which is in order. */
  step<M extends Numbered>(loaded: readonly M[], { target, hasTime }: StepOptions): Part<M> {
    const [from, to] = this.#known(loaded, hasTime) ?? start(loaded, target);
    const messages = loaded.slice(from, to);
    const [first, last] = [messages[0], messages.at(-1)];
    this.#span = first && last && { first: first.seq, last: last.seq };
    return { messages, hasFirst: from === 0, hasLast: to === loaded.length };
  }

  /** The part that was shown, extended by a step; undefined when nothing of it is loaded. */
  #known(loaded: readonly Numbered[], hasTime: boolean): readonly [number, number] | undefined {
    const span = this.#span;
    if (span === undefined) return undefined;
    const from = loaded.findIndex(({ seq }) => seq >= span.first);
    const to = loaded.findLastIndex(({ seq }) => seq <= span.last) + 1;
    if (from < 0 || from >= to) return undefined;
    const earlier = hasTime ? STEP_MESSAGES : 0;
    return [Math.max(0, from - earlier), Math.min(loaded.length, to + STEP_MESSAGES)];
  }
}

/** shown-part.2. */
function start(loaded: readonly Numbered[], target: number | undefined): readonly [number, number] {
  const at = target === undefined ? -1 : loaded.findIndex(({ seq }) => seq === target);
  const end = at < 0 ? loaded.length : Math.min(loaded.length, at + START_MESSAGES / 2);
  const from = Math.max(0, end - START_MESSAGES);
  return [from, Math.min(loaded.length, from + START_MESSAGES)];
}
