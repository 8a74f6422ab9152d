// Issuer: how the page gets a token when an OpenID Connect issuer signs administrators in.
//
//   issuer.1. A sign-in ends with its token, and tokens of issuers are short. So the page signs in
//       again with a new token after RENEW_SHARE of the time, while it has the issuer's tokens.
//
// Does not own: the flow (client/web/store/oidc.ts), what the token is good for (operator-api.ts).

import type { SignInSettings } from "../../web/store/sign-in-settings.ts";

const RENEW_SHARE = 0.6;
const RENEW_MS_MIN = 5_000;

/** issuer.1. The time until the next sign-in. */
export function renewInMs(endsAt: number, now: number): number {
  return Math.max(RENEW_MS_MIN, (endsAt - now) * RENEW_SHARE);
}

export interface Issuer {
  readonly host: string;
  /** A token that the page arrived with; undefined: no flow ended here. */
  readonly token: string | undefined;
  /** A later token, for a further sign-in. Leaves the page when only the issuer can give one. */
  readonly renew: () => Promise<string>;
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
  return {
    host: new URL(settings.issuer).host,
    ...arrived,
    renew: () => oidc.token(""),
    begin: () => oidc.signIn(""),
  };
}
