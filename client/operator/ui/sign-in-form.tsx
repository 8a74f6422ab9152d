// SignInForm: asks for a token of an administrator, or leads to the issuer.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Mark } from "../../web/ui/icons.tsx";
import { ThemeToggle } from "../../web/ui/theme.tsx";
import type { Issuer } from "../store/issuer.ts";
import { TEXT } from "../texts.ts";

interface Props {
  readonly issuer: Issuer | undefined;
  readonly isBusy: boolean;
  /** Why the last attempt failed. */
  readonly problem: string | undefined;
  readonly onToken: (token: string) => void;
}

export function SignInForm({ issuer, isBusy, problem, onToken }: Props): JSX.Element {
  const [token, setToken] = useState("");
  const submit = (event: Event): void => {
    event.preventDefault();
    if (issuer !== undefined) void issuer.begin();
    else onToken(token.trim());
  };
  const label = issuer === undefined ? TEXT.enter : TEXT.enterWith(issuer.host);
  return (
    <main class="sign-in">
      <div class="sign-in-theme">
        <ThemeToggle />
      </div>
      <form class="sign-in-card" onSubmit={submit}>
        <Mark />
        <h1>{TEXT.title}</h1>
        <p class="lead">{TEXT.lead}</p>
        {issuer === undefined && (
          <>
            <label for="token">{TEXT.token}</label>
            <input
              id="token"
              type="password"
              autocomplete="off"
              spellcheck={false}
              required
              maxLength={8_192}
              value={token}
              aria-describedby="sign-in-note sign-in-problem"
              onInput={(event) => setToken(event.currentTarget.value)}
            />
            <p class="sign-in-note" id="sign-in-note">
              {TEXT.tokenNote}
            </p>
          </>
        )}
        <p class="problem" id="sign-in-problem" role="alert">
          {problem}
        </p>
        <button type="submit" class="primary" disabled={isBusy}>
          {isBusy ? TEXT.entering : label}
        </button>
      </form>
    </main>
  );
}
