// App: shows the sign-in form, or the chat of the signed-in user.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ChatStore } from "../store/chat-store.ts";
import type { ChatClient } from "../store/client-port.ts";
import { rememberUser } from "../store/identity.ts";
import type { Gate } from "../store/gate.ts";
import { afterFrame, browserClock } from "./browser-clock.ts";
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

  const signIn = (name: string, roomId: string): void => {
    setUser(name);
    setStage({ kind: "entering" });
    const entering: Promise<ChatClient> =
      gate.begin !== undefined && name === "" ? gate.begin(roomId) : enter(name);
    entering.then(
      (client) => {
        rememberUser(sessionStorage, name);
        setStage({ kind: "in", store: createStore(client, name, roomId) });
      },
      (error: unknown) => {
        const problem = error instanceof Error ? error.message : t("app.signInFailed");
        setStage({ kind: "out", problem });
      },
    );
  };
  const signOut = (): void => {
    const isClosed = stage.kind === "in" && stage.store.connection.state === "closed";
    if (stage.kind === "in") stage.store.close();
    rememberUser(sessionStorage, undefined);
    if (!isClosed) void gate.signOut?.().catch(() => undefined); // Without a network: here only.
    setStage({ kind: "out", problem: undefined });
  };
  useEffect(() => {
    if (arrival.user !== undefined) signIn(arrival.user, room);
  }, []);

  if (stage.kind === "in") return <Chat store={stage.store} onSignOut={signOut} />;
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

function createStore(client: ChatClient, me: string, room: string): ChatStore {
  const store = new ChatStore({
    client,
    me,
    clock: browserClock,
    storage: localStorage,
    schedule: afterFrame,
  });
  store.open(room);
  client.connect();
  return store;
}
