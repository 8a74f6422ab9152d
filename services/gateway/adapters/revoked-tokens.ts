// Revoked tokens: an Authenticator that refuses what was revoked, in front of one that judges tokens.
//
// A refusal is `unauthorized`, as for any other token that is not good (auth.4). The check stands behind
// the judgement: what is revoked is looked up for users whose token was found right.

import type { Revocations } from "../core/revocations.ts";
import type { Verification } from "../core/identity.ts";
import type { OpenedAuthenticator } from "./auth.ts";

export function refuseRevoked(
  auth: OpenedAuthenticator,
  revocations: Pick<Revocations, "covers">,
): OpenedAuthenticator {
  return {
    async verify(token, now): Promise<Verification> {
      const verification = await auth.verify(token, now);
      const isRevoked =
        verification.kind === "ok" && revocations.covers(verification.identity, now);
      return isRevoked ? { kind: "refused", error: "unauthorized" } : verification;
    },
    get keysLoaded() {
      return auth.keysLoaded;
    },
    close: () => auth.close(),
  };
}
