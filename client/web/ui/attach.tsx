// Attach: how files come into a composer: the button beside the field, a drop, a paste.
//
//   attach.1. A drop where no message takes files does nothing, wherever it is on the page: the
//        browser would leave the page for the file.
//   attach.2. A paste that has a text is a text, also when the program that copied it added a
//        picture of it.

import type { JSX, RefObject } from "preact";
import { useRef } from "preact/hooks";
import type { Draft } from "../store/draft.ts";
import { useWindowEvent } from "./hooks.ts";
import { Icon } from "./icons.tsx";
import { t } from "../texts/texts.ts";

interface Props {
  readonly draft: Draft;
  readonly field: RefObject<HTMLTextAreaElement | null>;
}

export function AttachButton({ draft, field }: Props): JSX.Element {
  const input = useRef<HTMLInputElement>(null);
  const label = t("composer.attach");
  return (
    <>
      <button
        type="button"
        class="quiet square attach"
        aria-label={label}
        title={label}
        onClick={() => input.current?.click()}
      >
        <Icon name="clip" />
      </button>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        onChange={({ currentTarget }) => {
          void draft.attach([...(currentTarget.files ?? [])]);
          currentTarget.value = ""; // The same file can be chosen again.
          field.current?.focus();
        }}
      />
    </>
  );
}

type FileDrag = DragEvent & { readonly dataTransfer: DataTransfer };

function hasFiles(event: DragEvent): event is FileDrag {
  return event.dataTransfer?.types.includes("Files") === true;
}

/** attach.1. For the page, whatever it shows; `useDrop` comes later and accepts some. */
export function useNoDrop(): void {
  const refuse = (event: DragEvent): void => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "none";
  };
  useWindowEvent("dragover", refuse);
  useWindowEvent("drop", refuse);
}

/** Files that are dropped on the conversation of the field, or on its thread. */
export function useDrop({ draft, field }: Props): void {
  const zone = (): HTMLElement | null | undefined =>
    field.current?.closest<HTMLElement>(".thread, .chat-main");
  const accepts = (event: DragEvent): event is FileDrag =>
    draft.canAttach &&
    hasFiles(event) &&
    event.target instanceof Node &&
    zone()?.contains(event.target) === true;
  const mark = (isOver: boolean): void => {
    const element = zone();
    if (isOver) element?.setAttribute("data-drop", t("composer.drop"));
    else element?.removeAttribute("data-drop");
  };
  useWindowEvent("dragover", (event) => {
    const isAccepted = accepts(event);
    mark(isAccepted);
    if (isAccepted) event.dataTransfer.dropEffect = "copy";
  });
  useWindowEvent("dragleave", ({ relatedTarget }) => relatedTarget === null && mark(false));
  useWindowEvent("drop", (event) => {
    mark(false);
    if (accepts(event)) void draft.attach(filesIn(event.dataTransfer));
  });
}

/** True when the paste was of files. */
export function pasteFiles(draft: Draft, { clipboardData }: ClipboardEvent): boolean {
  if (!draft.canAttach || clipboardData === null) return false;
  if (clipboardData.files.length === 0 || clipboardData.types.includes("text/plain")) return false;
  void draft.attach(filesIn(clipboardData)); // attach.2
  return true;
}

/** Without folders, which no upload can read. */
function filesIn(data: DataTransfer): File[] {
  return [...data.items].flatMap((item) => {
    const isFolder = item.webkitGetAsEntry()?.isDirectory === true;
    return isFolder ? [] : (item.getAsFile() ?? []);
  });
}
