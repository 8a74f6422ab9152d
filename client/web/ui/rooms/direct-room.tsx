// DirectRoom: the dialog that opens the room of the user and one other user.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { ChatStore } from "../../store/chat-store.ts";
import { readName } from "../../store/identity.ts";
import { t } from "../../texts/texts.ts";
import { FormDialog, TextField } from "./form-dialog.tsx";

interface Props {
  readonly store: ChatStore;
  readonly onClose: () => void;
}

export function DirectRoom({ store, onClose }: Props): JSX.Element {
  const [typed, setTyped] = useState("");
  const name = readName(typed.replace(/^@/u, ""));
  const isOther = name.ok && name.name !== store.me;
  return (
    <FormDialog
      title={t("direct.title")}
      submit={t("direct.submit")}
      canSubmit={isOther}
      onSubmit={() => store.openDirect(name.ok ? name.name : "")}
      onClose={onClose}
    >
      <TextField
        label={t("direct.user")}
        note={t("direct.note")}
        value={typed}
        maxLength={129}
        autofocus
        autocapitalize="off"
        spellcheck={false}
        onText={setTyped}
      />
    </FormDialog>
  );
}
