// ConfirmDelete: asks before the text of an own message is erased for everyone.

import type { JSX } from "preact";
import { plainText } from "../store/plain-text.ts";
import type { SentMessage } from "../store/timeline-rows.ts";
import { englishDialogs } from "../texts/english-dialogs.ts";
import { addTexts, t } from "../texts/texts.ts";
import { closeDialog, Dialog } from "./dialog.tsx";

addTexts(englishDialogs);

/** Enough to recognise the message. */
const SHOWN_CHARACTERS = 200;

interface Props {
  readonly message: SentMessage;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}

export function ConfirmDelete({ message, onConfirm, onClose }: Props): JSX.Element {
  const { attachments = [] } = message;
  const text =
    message.text === "" ? attachments.map(({ name }) => name).join("\n") : plainText(message.text);
  const isLong = text.length > SHOWN_CHARACTERS;
  return (
    <Dialog class="confirm" label={t("delete.title")} onClose={onClose}>
      <h2>{t("delete.title")}</h2>
      <p class="confirm-text" dir="auto">
        {isLong ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text}
      </p>
      <p class="confirm-note">{t("delete.text")}</p>
      <div class="confirm-buttons">
        <button type="button" class="secondary" autofocus onClick={closeDialog}>
          {t("delete.cancel")}
        </button>
        <button
          type="button"
          class="danger"
          onClick={(event) => {
            onConfirm();
            closeDialog(event);
          }}
        >
          {t("delete.confirm")}
        </button>
      </div>
    </Dialog>
  );
}
