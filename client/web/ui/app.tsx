// App: shows the sign-in form, or the chat of the signed-in user.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ChatStore } from "../store/chat-store.ts";
import { keepInvite } from "../store/page-links.ts";
import { rememberUser } from "../store/identity.ts";
import type { Entered, Gate } from "../store/gate.ts";
import { useNoDrop } from "./attach.tsx";
import { afterFrame, browserClock } from "./browser-clock.ts";
import { Names } from "./avatar.tsx";
import { Chat } from "./chat.tsx";
import { SignIn } from "./sign-in.tsx";
import { t } from "../texts/texts.ts";

interface Props {
  readonly gate: Gate;
}

type Stage =
  | { readonly kind: "out"; readonly problem: string | undefined }
  | { readonly kind: "entering" }
  | { readonly kind: "in"; readonly store: ChatStore };

export function App({ gate }: Props): JSX.Element {
  const { arrival, enter } = gate;
  const [stage, setStage] = useState<Stage>({ kind: "out", problem: arrival.problem });
  const [user, setUser] = useState(arrival.user ?? "");
  const room = arrival.room ?? "general";
  useState(() => keepInvite(location, sessionStorage));
  useNoDrop();

  const signIn = (name: string, roomId: string): void => {
    setUser(name);
    setStage({ kind: "entering" });
    const entering: Promise<Entered> =
      gate.begin !== undefined && name === "" ? gate.begin(roomId) : enter(name);
    entering.then(
      (entered) => {
        rememberUser(sessionStorage, name);
        setStage({ kind: "in", store: createStore(entered, name, roomId) });
      },
      (error: unknown) => {
        const problem = error instanceof Error ? error.message : t("app.signInFailed");
        setStage({ kind: "out", problem });
      },
    );
  };
  /** Shows the form, also after a reload. What the user wrote stays stored. */
  const leave = (problem?: string): void => {
    if (stage.kind === "in") stage.store.close();
    rememberUser(sessionStorage, undefined);
    setStage({ kind: "out", problem });
  };
  const signOut = (): void => {
    const isClosed = stage.kind === "in" && stage.store.connection.state === "closed";
    leave();
    if (!isClosed) void gate.signOut?.().catch(() => undefined); // Without a network: here only.
  };
  useEffect(() => {
    if (stage.kind !== "in") return undefined;
    const { store } = stage;
    return store.subscribe(() => store.isSignedOut && leave(t("app.signedOut")));
  }, [stage]);
  useEffect(() => {
    if (arrival.user !== undefined) signIn(arrival.user, room);
  }, []);

  if (stage.kind === "in") {
    return (
      <Names.Provider value={stage.store.names}>
        <Chat store={stage.store} onSignOut={signOut} />
      </Names.Provider>
    );
  }
  if (stage.kind === "entering" && arrival.user === user) return <div class="entering" />;
  return (
    <SignIn
      kind={gate.kind}
      host={gate.host}
      user={user}
      room={room}
      isBusy={stage.kind === "entering"}
      problem={stage.kind === "out" ? stage.problem : undefined}
      onEnter={signIn}
    />
  );
}

function createStore({ client, api }: Entered, me: string, room: string): ChatStore {
  const store = new ChatStore({
    client,
    api,
    me,
    clock: browserClock,
    storage: localStorage,
    schedule: afterFrame,
  });
  // An invite opens its own room.
  if (keepInvite(location, sessionStorage) === undefined) store.open(room);
  client.connect();
  return store;
}
