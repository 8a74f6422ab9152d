// FormDialog: a modal dialog with fields, a button that submits and the sentence of a refusal. It
// closes when the request is done.

import type { ComponentChildren, InputHTMLAttributes, JSX } from "preact";
import { useId, useState } from "preact/hooks";
import type { Problem } from "../../store/room-admin.ts";
import { t } from "../../texts/texts.ts";
import { closeDialog, Dialog } from "../dialog.tsx";

interface Props {
  readonly title: string;
  readonly submit: string;
  readonly isDangerous?: boolean;
  readonly canSubmit?: boolean;
  /** Resolves with a sentence when it was refused. */
  readonly onSubmit: () => Promise<Problem>;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

export function FormDialog(props: Props): JSX.Element {
  const { title, submit, isDangerous = false, canSubmit = true, children } = props;
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const onSubmit = (event: Event): void => {
    event.preventDefault();
    if (isBusy || !canSubmit) return;
    const form = event.currentTarget as HTMLElement;
    setBusy(true);
    void props.onSubmit().then((refusal) => {
      setBusy(false);
      setProblem(refusal);
      if (refusal === undefined) form.closest("dialog")?.close();
    });
  };
  return (
    <Dialog class="confirm form-dialog" label={title} onClose={props.onClose}>
      <form onSubmit={onSubmit}>
        <h2>{title}</h2>
        {children}
        <p class="problem" role="alert">
          {problem}
        </p>
        <div class="confirm-buttons">
          <button type="button" class="secondary" onClick={closeDialog}>
            {t("composer.cancel")}
          </button>
          <button
            type="submit"
            class={isDangerous ? "danger" : "primary"}
            disabled={isBusy || !canSubmit}
          >
            {submit}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

export function TextField(
  props: InputHTMLAttributes & {
    readonly label: string;
    readonly note?: string;
    readonly onText: (text: string) => void;
  },
): JSX.Element {
  const { label, note, onText, ...rest } = props;
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="text"
        autocomplete="off"
        dir="auto"
        aria-describedby={note === undefined ? undefined : `${id}-note`}
        onInput={(event) => onText(event.currentTarget.value)}
        {...rest}
      />
      {note !== undefined && (
        <p class="field-note" id={`${id}-note`}>
          {note}
        </p>
      )}
    </div>
  );
}

export interface Option<Value> {
  readonly value: Value;
  readonly label: string;
}

export function SelectField<Value extends string | number>(props: {
  readonly label: string;
  readonly value: Value;
  readonly options: readonly Option<Value>[];
  readonly onSelect: (value: Value) => void;
}): JSX.Element {
  const { label, value, options, onSelect } = props;
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        value={value}
        onChange={(event) => {
          const option = options[event.currentTarget.selectedIndex];
          if (option !== undefined) onSelect(option.value);
        }}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </div>
  );
}
