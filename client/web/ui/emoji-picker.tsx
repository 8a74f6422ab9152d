// EmojiPicker: the emoji for a reaction. Few, so that it needs no search and no data file; a
// reaction with any other emoji, from another client, is shown and can be joined.

import type { JSX } from "preact";
import { closeDialog, Dialog } from "./dialog.tsx";

const EMOJI: readonly (readonly [emoji: string, name: string])[] = [
  ["👍", "thumbs up"],
  ["👎", "thumbs down"],
  ["❤️", "heart"],
  ["😂", "laughing"],
  ["🎉", "party"],
  ["👀", "eyes"],
  ["✅", "done"],
  ["❌", "cross"],
  ["🙏", "thanks"],
  ["👏", "applause"],
  ["🙌", "hands up"],
  ["💯", "hundred"],
  ["🔥", "fire"],
  ["🚀", "rocket"],
  ["⭐", "star"],
  ["💡", "idea"],
  ["😀", "smile"],
  ["😊", "happy"],
  ["😅", "relief"],
  ["🤔", "thinking"],
  ["😮", "surprised"],
  ["😢", "sad"],
  ["😡", "angry"],
  ["👋", "hello"],
];
/** As in styles/reactions.css. */
const COLUMNS = 6;

interface Props {
  readonly anchor: DOMRect;
  readonly onPick: (emoji: string) => void;
  readonly onClose: () => void;
}

export function EmojiPicker({ anchor, onPick, onClose }: Props): JSX.Element {
  return (
    <Dialog class="picker" label="React" anchor={anchor} onClose={onClose} onKeyDown={move}>
      <div class="picker-grid">
        {EMOJI.map(([emoji, name]) => (
          <button
            key={emoji}
            type="button"
            class="picker-emoji"
            aria-label={name}
            title={name}
            onClick={(event) => {
              onPick(emoji);
              closeDialog(event);
            }}
          >
            {emoji}
          </button>
        ))}
      </div>
    </Dialog>
  );
}

const STEPS: Readonly<Record<string, number>> = {
  ArrowRight: 1,
  ArrowLeft: -1,
  ArrowDown: COLUMNS,
  ArrowUp: -COLUMNS,
};

function move(event: KeyboardEvent): void {
  const step = STEPS[event.key];
  if (step === undefined || !(event.currentTarget instanceof HTMLElement)) return;
  const buttons = [...event.currentTarget.querySelectorAll<HTMLElement>(".picker-emoji")];
  const at = buttons.findIndex((button) => button === document.activeElement);
  buttons[Math.max(0, Math.min(buttons.length - 1, at + step))]?.focus();
  event.preventDefault();
}
