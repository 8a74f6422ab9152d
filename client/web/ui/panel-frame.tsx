// PanelFrame: the column beside the conversation: its title, its close button and its content.

import type { ComponentChildren, JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { Icon } from "./icons.tsx";
import { groupDigits, t } from "../texts/texts.ts";

interface Props {
  readonly title: string;
  readonly count?: number;
  /** Moves the focus to the title when it appears, or when another message is shown. */
  readonly focusFor?: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

export function PanelFrame(props: Props): JSX.Element {
  const { title, count, focusFor, onClose, children } = props;
  const heading = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => {
    if (focusFor !== undefined) heading.current?.focus();
  }, [focusFor]);
  return (
    <div class="panel-frame">
      <header class="panel-top">
        <h2 ref={heading} tabIndex={-1}>
          {title}
          {count !== undefined && <span class="count">{groupDigits(count)}</span>}
        </h2>
        <button
          type="button"
          class="quiet square"
          onClick={onClose}
          aria-label={t("panel.close")}
          title={t("panel.closeTitle")}
        >
          <Icon name="close" />
        </button>
      </header>
      {children}
    </div>
  );
}
