// CopyButton: copies a text, and shows that it did.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { t } from "../texts/texts.ts";
import { Icon } from "./icons.tsx";

interface Props {
  readonly text: string;
  readonly label: string;
}

export function CopyButton({ text, label }: Props): JSX.Element {
  const [isDone, setDone] = useState(false);
  const copy = (): void => {
    navigator.clipboard.writeText(text).then(
      () => setDone(true),
      () => setDone(false), // The browser refuses. The user can still select the text.
    );
  };
  return (
    <>
      <button type="button" class="quiet square" onClick={copy} aria-label={label} title={label}>
        <Icon name={isDone ? "check" : "copy"} />
      </button>
      <span class="hidden" role="status">
        {isDone ? t("copy.done") : ""}
      </span>
    </>
  );
}
