// App: shows the sign-in form, or the chat of the signed-in user.
//
//   web/app.1. A user whom the page knows when it opens sees the room in the first frame, before
//        any answer of the server, and no form. A refusal leads to the form.

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
  | { readonly kind: "in"; readonly store: ChatStore; readonly admission: Entered["admission"] };

export function App({ gate }: Props): JSX.Element {
  const { arrival, enter } = gate;
  const room = arrival.room ?? "general";
  useState(() => keepInvite(location, sessionStorage));
  const [user, setUser] = useState(arrival.user ?? "");
  const [stage, setStage] = useState<Stage>(() =>
    arrival.user === undefined
      ? { kind: "out", problem: arrival.problem }
      : open(enter(arrival.user), arrival.user, room),
  );
  useNoDrop();

  const refuse = (error: unknown): void => {
    const problem = error instanceof Error ? error.message : t("app.signInFailed");
    setStage({ kind: "out", problem });
  };
  const signIn = (name: string, roomId: string): void => {
    setUser(name);
    setStage({ kind: "entering" });
    if (gate.begin !== undefined && name === "") {
      gate.begin(roomId).catch(refuse);
      return;
    }
    const entered = enter(name);
    entered.admission.then(() => setStage(open(entered, name, roomId)), refuse);
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
    const { store, admission } = stage;
    let isShown = true;
    admission.catch((error: unknown) => {
      if (!isShown) return;
      store.close();
      refuse(error);
    });
    const unsubscribe = store.subscribe(() => store.isSignedOut && leave(t("app.signedOut")));
    return () => {
      isShown = false;
      unsubscribe();
    };
  }, [stage]);

  if (stage.kind === "in") {
    return (
      <Names.Provider value={stage.store.names}>
        <Chat store={stage.store} onSignOut={signOut} />
      </Names.Provider>
    );
  }
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

function open(entered: Entered, name: string, roomId: string): Stage {
  rememberUser(sessionStorage, name);
  const { admission } = entered;
  return { kind: "in", store: createStore(entered, name, roomId), admission };
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
