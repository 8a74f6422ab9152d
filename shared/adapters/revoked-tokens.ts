// Revoked tokens: wraps an Authenticator and refuses revoked tokens.
//
// A revoked token gets `unauthorized` like any other invalid token (auth.4). The check follows the
// verification, so it runs only for tokens with a valid signature.

import type { Revocations } from "../kit/revocations.ts";
import type { Verification } from "../ports/identity.ts";
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
