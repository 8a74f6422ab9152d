// CreateRoom: the dialog for a new room: open or closed, with a title, a name and a topic.

import type { JSX } from "preact";
import { useId, useState } from "preact/hooks";
import { isRoomId } from "#shared/protocol/ids.ts";
import { TITLE_LENGTH_MAX, TOPIC_LENGTH_MAX } from "#shared/protocol/limits.ts";
import type { ChatStore } from "../../store/chat-store.ts";
import { roomNameOf } from "../../store/room-name.ts";
import { t } from "../../texts/texts.ts";
import { FormDialog, TextField } from "./form-dialog.tsx";

interface Props {
  readonly store: ChatStore;
  readonly onClose: () => void;
}

export function CreateRoom({ store, onClose }: Props): JSX.Element {
  const [title, setTitle] = useState("");
  const [typedName, setName] = useState<string>();
  const [topic, setTopic] = useState("");
  const [kind, setKind] = useState<"open" | "closed">("open");
  const name = typedName ?? roomNameOf(title);
  const isValid = isRoomId(name);
  return (
    <FormDialog
      title={t("create.title")}
      submit={t("create.submit")}
      canSubmit={isValid}
      onSubmit={() => {
        const texts = { title: title.trim(), topic: topic.trim() };
        return store.create(name, {
          kind,
          ...(texts.title !== "" && { title: texts.title }),
          ...(texts.topic !== "" && { topic: texts.topic }),
        });
      }}
      onClose={onClose}
    >
      <TextField
        label={t("create.roomTitle")}
        value={title}
        maxLength={TITLE_LENGTH_MAX}
        autofocus
        onText={setTitle}
      />
      <TextField
        label={t("create.name")}
        note={name !== "" && !isValid ? t("signIn.badRoom") : t("create.nameNote")}
        value={name}
        maxLength={64}
        aria-invalid={name !== "" && !isValid}
        autocapitalize="off"
        spellcheck={false}
        onText={setName}
      />
      <TextField
        label={t("create.topic")}
        value={topic}
        maxLength={TOPIC_LENGTH_MAX}
        onText={setTopic}
      />
      <fieldset class="field">
        <legend>{t("create.who")}</legend>
        {(["open", "closed"] as const).map((one) => (
          <Kind key={one} kind={one} isChosen={kind === one} onChoose={() => setKind(one)} />
        ))}
      </fieldset>
    </FormDialog>
  );
}

function Kind(props: {
  readonly kind: "open" | "closed";
  readonly isChosen: boolean;
  readonly onChoose: () => void;
}): JSX.Element {
  const { kind, isChosen, onChoose } = props;
  const id = useId();
  return (
    <div class="radio">
      <input type="radio" name="kind" id={id} checked={isChosen} onChange={onChoose} />
      <label for={id}>
        <strong>{t(`create.${kind}`)}</strong> {t(`create.${kind}Note`)}
      </label>
    </div>
  );
}
