// SignIn: the form for a name and a room.

import type { InputHTMLAttributes, JSX } from "preact";
import { useState } from "preact/hooks";
import { isRoomId } from "#shared/protocol/ids.ts";
import { readName, readRoom } from "../store/identity.ts";
import { Icon, Mark } from "./icons.tsx";
import { ThemeToggle } from "./theme.tsx";

interface Props {
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
  const problem = complaint ?? props.problem;

  const submit = (event: Event): void => {
    event.preventDefault();
    const name = readName(user);
    const roomId = readRoom(room);
    if (!name.ok)
      setComplaint("Choose a shorter name: at most 128 letters, fewer with accents or symbols.");
    else if (!isRoomId(roomId)) {
      setComplaint("A room name has 1 to 64 characters: letters without accents, digits, - and _.");
    } else {
      setComplaint(undefined);
      props.onEnter(name.name, roomId);
    }
  };
  return (
    <main class="sign-in">
      <div class="sign-in-theme">
        <ThemeToggle />
      </div>
      <form class="sign-in-card" onSubmit={submit}>
        <Mark />
        <h1>Parley</h1>
        <p class="lead">Chat in which every message you see is already stored safely.</p>
        <label for="name">Your name</label>
        <Field
          id="name"
          value={user}
          maxLength={128}
          autocomplete="nickname"
          autofocus
          aria-describedby="sign-in-problem"
          onInput={(event) => setUser(event.currentTarget.value)}
        />
        <label for="room">Room</label>
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
            onInput={(event) => setRoom(event.currentTarget.value)}
          />
        </div>
        <p class="problem" id="sign-in-problem" role="alert">
          {problem}
        </p>
        <button type="submit" class="primary" disabled={props.isBusy || user.trim() === ""}>
          {props.isBusy ? "Signing in…" : "Enter"}
        </button>
        <Promises />
      </form>
    </main>
  );
}

function Field(props: InputHTMLAttributes): JSX.Element {
  return <input type="text" required spellcheck={false} {...props} />;
}

const PROMISES = [
  "Every message is stored before it appears",
  "The same order for everyone, nothing missing",
  "Reconnects by itself and misses nothing",
];

function Promises(): JSX.Element {
  return (
    <ul class="promises">
      {PROMISES.map((promise) => (
        <li key={promise}>
          <Icon name="check" />
          {promise}
        </li>
      ))}
    </ul>
  );
}
