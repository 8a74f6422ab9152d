// EmojiPicker: the emoji for a reaction. Few, so that it needs no search and no data file; a
// reaction with any other emoji, from another client, is shown and can be joined.

import type { JSX } from "preact";
import { closeDialog, Dialog } from "./dialog.tsx";
import { t } from "../texts/texts.ts";
import type { TextKey } from "../texts/texts.ts";

type EmojiKey = Extract<TextKey, `emoji.${string}`>;

const EMOJI: readonly (readonly [emoji: string, name: EmojiKey])[] = [
  ["👍", "emoji.thumbsUp"],
  ["👎", "emoji.thumbsDown"],
  ["❤️", "emoji.heart"],
  ["😂", "emoji.laughing"],
  ["🎉", "emoji.party"],
  ["👀", "emoji.eyes"],
  ["✅", "emoji.done"],
  ["❌", "emoji.cross"],
  ["🙏", "emoji.thanks"],
  ["👏", "emoji.applause"],
  ["🙌", "emoji.handsUp"],
  ["💯", "emoji.hundred"],
  ["🔥", "emoji.fire"],
  ["🚀", "emoji.rocket"],
  ["⭐", "emoji.star"],
  ["💡", "emoji.idea"],
  ["😀", "emoji.smile"],
  ["😊", "emoji.happy"],
  ["😅", "emoji.relief"],
  ["🤔", "emoji.thinking"],
  ["😮", "emoji.surprised"],
  ["😢", "emoji.sad"],
  ["😡", "emoji.angry"],
  ["👋", "emoji.hello"],
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
    <Dialog
      class="picker"
      label={t("tools.react")}
      anchor={anchor}
      onClose={onClose}
      onKeyDown={move}
    >
      <div class="picker-grid">
        {EMOJI.map(([emoji, name]) => (
          <button
            key={emoji}
            type="button"
            class="picker-emoji"
            aria-label={t(name)}
            title={t(name)}
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
  let step = STEPS[event.key];
  if (step === undefined || !(event.currentTarget instanceof HTMLElement)) return;
  const isRightToLeft = getComputedStyle(event.currentTarget).direction === "rtl";
  if (isRightToLeft && Math.abs(step) === 1) step = -step;
  const buttons = [...event.currentTarget.querySelectorAll<HTMLElement>(".picker-emoji")];
  const at = buttons.findIndex((button) => button === document.activeElement);
  buttons[Math.max(0, Math.min(buttons.length - 1, at + step))]?.focus();
  event.preventDefault();
}
