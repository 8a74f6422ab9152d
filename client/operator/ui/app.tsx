// App: shows the sign-in form, or the cluster to the signed-in administrator.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { SignedIn } from "#shared/protocol/operator-page.ts";
import { renewInMs } from "../store/issuer.ts";
import type { Issuer } from "../store/issuer.ts";
import type { OperatorApi } from "../store/operator-api.ts";
import { TEXT } from "../texts.ts";
import { ClusterPage } from "./cluster-page.tsx";
import { SignInForm } from "./sign-in-form.tsx";

interface Props {
  readonly api: OperatorApi;
  readonly issuer: Issuer | undefined;
}

type Stage =
  | { readonly kind: "asking" }
  | { readonly kind: "out"; readonly problem: string | undefined }
  | { readonly kind: "in"; readonly who: SignedIn };

export function App({ api, issuer }: Props): JSX.Element {
  const [stage, setStage] = useState<Stage>({ kind: "asking" });
  const signIn = (token: string): void => {
    setStage({ kind: "asking" });
    api.signIn(token).then(
      (who) => setStage({ kind: "in", who }),
      (error: Error) => setStage({ kind: "out", problem: error.message }),
    );
  };
  useEffect(() => {
    if (issuer?.token !== undefined) return signIn(issuer.token);
    api.whoAmI().then(
      (who) =>
        setStage(
          who === undefined ? { kind: "out", problem: issuer?.problem } : { kind: "in", who },
        ),
      (error: Error) => setStage({ kind: "out", problem: error.message }),
    );
  }, []);

  const who = stage.kind === "in" ? stage.who : undefined;
  useEffect(() => {
    if (who === undefined || issuer?.token === undefined) return undefined;
    const renew = (): void =>
      void issuer
        .renew()
        .then((token) => api.signIn(token))
        .then(
          (next) => setStage({ kind: "in", who: next }),
          () => setStage((now) => (now.kind === "in" ? { ...now } : now)),
        );
    const timer = setTimeout(renew, renewInMs(who.endsAt, Date.now()));
    return () => clearTimeout(timer);
  }, [stage]);

  if (stage.kind === "in") {
    return (
      <ClusterPage
        api={api}
        user={stage.who.user}
        onEnded={() => setStage({ kind: "out", problem: TEXT.ended })}
        onSignedOut={() => setStage({ kind: "out", problem: undefined })}
      />
    );
  }
  return (
    <SignInForm
      issuer={issuer}
      isBusy={stage.kind === "asking"}
      problem={stage.kind === "out" ? stage.problem : undefined}
      onToken={signIn}
    />
  );
}
