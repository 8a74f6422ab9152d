// ConfirmAction: names the object and the effect of an action before it happens.

import type { JSX } from "preact";
import { closeDialog, Dialog } from "../../web/ui/dialog.tsx";
import { TEXT } from "../texts.ts";
import type { Confirmation } from "../texts.ts";

interface Props extends Confirmation {
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}

export function ConfirmAction({ title, effect, confirm, onConfirm, onClose }: Props): JSX.Element {
  return (
    <Dialog class="confirm" label={title} onClose={onClose}>
      <h2>{title}</h2>
      <p class="confirm-note">{effect}</p>
      <div class="confirm-buttons">
        <button type="button" class="secondary" autofocus onClick={closeDialog}>
          {TEXT.actions.cancel}
        </button>
        <button
          type="button"
          class="danger"
          onClick={(event) => {
            onConfirm();
            closeDialog(event);
          }}
        >
          {confirm}
        </button>
      </div>
    </Dialog>
  );
}
