// SignIn: the form for a name and a room.

import type { InputHTMLAttributes, JSX } from "preact";
import { useState } from "preact/hooks";
import { isRoomId } from "#shared/protocol/ids.ts";
import type { Gate } from "../store/gate.ts";
import { readName, readRoom } from "../store/identity.ts";
import { Icon, Mark } from "./icons.tsx";
import { ThemeToggle } from "./theme.tsx";
import { LanguagePicker } from "./language-picker.tsx";
import { t } from "../texts/texts.ts";

interface Props {
  readonly kind: Gate["kind"];
  /** Who asks for the name, when this page does not. */
  readonly host: string | undefined;
  readonly user: string;
  readonly room: string;
  readonly isBusy: boolean;
  /** Why the last attempt failed. */
  readonly problem: string | undefined;
  readonly onEnter: (user: string, room: string) => void;
}

export function SignIn(props: Props): JSX.Element {
  const [user, setUser] = useState(props.user);
  const [room, setRoom] = useState(props.room);
  const [complaint, setComplaint] = useState<string>();
  const asksName = props.kind === "dev";
  const isNone = props.kind === "none";
  const problem = complaint ?? props.problem ?? (isNone ? t("signIn.notHere") : undefined);

  const submit = (event: Event): void => {
    event.preventDefault();
    const name = asksName ? readName(user) : ({ ok: true, name: "" } as const);
    const roomId = readRoom(room);
    if (!name.ok) setComplaint(t("signIn.badName"));
    else if (!isRoomId(roomId)) {
      setComplaint(t("signIn.badRoom"));
    } else {
      setComplaint(undefined);
      props.onEnter(name.name, roomId);
    }
  };
  return (
    <main class="sign-in">
      <div class="sign-in-theme">
        <LanguagePicker />
        <ThemeToggle />
      </div>
      <form class="sign-in-card" onSubmit={submit}>
        <Mark />
        <h1>Parley</h1>
        <p class="lead">{t("app.lead")}</p>
        {asksName && <NameField user={user} onInput={setUser} />}
        {!isNone && <RoomField room={room} onInput={setRoom} />}
        <p class="problem" id="sign-in-problem" role="alert">
          {problem}
        </p>
        {!isNone && (
          <button
            type="submit"
            class="primary"
            disabled={props.isBusy || (asksName && user.trim() === "")}
          >
            {props.isBusy
              ? t("signIn.busy")
              : props.host === undefined
                ? t("signIn.enter")
                : t("signIn.with", { host: props.host })}
          </button>
        )}
        <Promises />
      </form>
    </main>
  );
}

interface FieldProps {
  readonly onInput: (text: string) => void;
}

function NameField({ user, onInput }: FieldProps & { readonly user: string }): JSX.Element {
  return (
    <>
      <label for="name">{t("signIn.name")}</label>
      <Field
        id="name"
        value={user}
        maxLength={128}
        autocomplete="nickname"
        autofocus
        aria-describedby="sign-in-problem"
        onInput={(event) => onInput(event.currentTarget.value)}
      />
    </>
  );
}

function RoomField({ room, onInput }: FieldProps & { readonly room: string }): JSX.Element {
  return (
    <>
      <label for="room">{t("signIn.room")}</label>
      <div class="prefixed">
        <span class="hash" aria-hidden="true">
          #
        </span>
        <Field
          id="room"
          value={room}
          maxLength={80}
          autocomplete="off"
          autocapitalize="off"
          aria-describedby="sign-in-problem"
          onInput={(event) => onInput(event.currentTarget.value)}
        />
      </div>
    </>
  );
}

function Field(props: InputHTMLAttributes): JSX.Element {
  return <input type="text" required spellcheck={false} {...props} />;
}

const PROMISES = ["signIn.promise1", "signIn.promise2", "signIn.promise3"] as const;

function Promises(): JSX.Element {
  return (
    <ul class="promises">
      {PROMISES.map((promise) => (
        <li key={promise}>
          <Icon name="check" />
          {t(promise)}
        </li>
      ))}
    </ul>
  );
}
