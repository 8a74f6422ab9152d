// Reactions: the emoji under a message with their counts. A click adds or takes back the own one.

import type { JSX } from "preact";
import type { Reaction } from "../store/timeline-rows.ts";
import { reactionWords } from "../store/words.ts";
import { Spoken } from "./spoken.tsx";
import { groupDigits, t } from "../texts/texts.ts";

interface Props {
  readonly reactions: readonly Reaction[];
  /** The tab key reaches them only at the message with the focus. */
  readonly isReachable: boolean;
  /** Undefined: the room takes no reaction from the user. */
  readonly toggle: ((emoji: string, on: boolean) => void) | undefined;
}

export function Reactions({ reactions, isReachable, toggle }: Props): JSX.Element {
  return (
    <ul class="reactions" aria-label={t("message.reactions")}>
      {reactions.map(({ emoji, count, users, isMine }) => (
        <li key={emoji}>
          <button
            type="button"
            class={isMine ? "reaction reaction-mine" : "reaction"}
            aria-pressed={isMine}
            aria-disabled={toggle === undefined}
            tabIndex={isReachable ? 0 : -1}
            title={reactionWords(users, count)}
            onClick={() => toggle?.(emoji, !isMine)}
          >
            <bdi class="reaction-emoji">{emoji}</bdi>
            <Spoken
              text={t("message.reactedBy", { count, names: reactionWords(users, count) })}
              shown={groupDigits(count)}
              class="reaction-count"
            />
          </button>
        </li>
      ))}
    </ul>
  );
}
