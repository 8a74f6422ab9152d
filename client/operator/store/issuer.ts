// Issuer: how the page gets a token when an OpenID Connect issuer signs administrators in.
//
// Does not own: the flow (client/web/store/oidc.ts), what the token is good for (operator-api.ts).

import type { SignInSettings } from "../../web/store/sign-in-settings.ts";

export interface Issuer {
  readonly host: string;
  /** A token that the page arrived with; undefined: no flow ended here. */
  readonly token: string | undefined;
  /** Why a flow failed, for the form. */
  readonly problem: string | undefined;
  /** Leaves the page for the issuer's. */
  readonly begin: () => Promise<never>;
}

/** Undefined: an administrator pastes a token. */
export async function openIssuer(settings: SignInSettings): Promise<Issuer | undefined> {
  if (settings.kind !== "oidc") return undefined;
  const { Oidc } = await import("../../web/store/oidc.ts");
  const oidc = new Oidc(settings, {
    storage: sessionStorage,
    url: () => new URL(location.href),
    go: (url) => location.assign(url),
    replace: (url) => history.replaceState(null, "", url),
    now: () => Date.now(),
  });
  const arrived = await oidc.arrive().then(
    async (arrival) => ({
      token: arrival === undefined ? undefined : await oidc.token(""),
      problem: undefined,
    }),
    (error: unknown) => ({
      token: undefined,
      problem: error instanceof Error ? error.message : String(error),
    }),
  );
  return { host: new URL(settings.issuer).host, ...arrived, begin: () => oidc.signIn("") };
}
