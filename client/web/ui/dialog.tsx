// Dialog: the browser's modal dialog. It traps the focus. Escape, or a click beside it, closes it.

import type { ComponentChildren, JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

interface Props {
  readonly class: string;
  readonly label: string;
  readonly onClose: () => void;
  /** Stands beside this place when the screen has room; otherwise CSS places it. */
  readonly anchor?: DOMRect;
  readonly onKeyDown?: (event: KeyboardEvent) => void;
  readonly children: ComponentChildren;
}

const GAP_PX = 8;

export function Dialog(props: Props): JSX.Element {
  const { label, anchor, onClose, onKeyDown, children } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  // In a layout effect: a key that follows at once must not reach the composer.
  useLayoutEffect(() => {
    dialog.current?.showModal();
    if (anchor !== undefined) place(dialog.current, anchor);
  }, []);
  return (
    <dialog
      ref={dialog}
      class={props.class}
      aria-label={label}
      onClose={onClose}
      onClick={(event) => event.target === dialog.current && dialog.current?.close()}
      onKeyDown={onKeyDown}
    >
      {children}
    </dialog>
  );
}

/** Closes the dialog around a button. `onClose` follows when the focus is back in the page. */
export function closeDialog({ currentTarget }: Event): void {
  if (currentTarget instanceof Element) currentTarget.closest("dialog")?.close();
}

/** True while a dialog is open: it handles Escape by itself. */
export function isDialogOpen(): boolean {
  return document.querySelector("dialog[open]") !== null;
}

/** Below the anchor, or above it when there is no room; on a phone, CSS decides. */
function place(dialog: HTMLDialogElement | null, anchor: DOMRect): void {
  if (dialog === null || !matchMedia("(min-width: 760px)").matches) return;
  const { width, height } = dialog.getBoundingClientRect();
  const below = anchor.bottom + GAP_PX;
  const top = below + height > innerHeight - GAP_PX ? anchor.top - GAP_PX - height : below;
  const isRightToLeft = getComputedStyle(dialog).direction === "rtl";
  const wanted = isRightToLeft ? anchor.left : anchor.right - width;
  const left = Math.min(wanted, innerWidth - GAP_PX - width);
  dialog.style.margin = "0";
  dialog.style.top = `${Math.max(GAP_PX, top)}px`;
  dialog.style.right = "auto";
  dialog.style.left = `${Math.max(GAP_PX, left)}px`;
}
