// AuthConfig: the variables that name whose tokens a process accepts, for services that verify
// tokens.
//
// Does not own: the verification (shared/adapters/auth.ts).

import { z } from "zod";
import type { AuthConfig } from "../adapters/auth.ts";

/** Items between commas, without the spaces around them. */
export const list = z.string().transform((text) =>
  text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== ""),
);

export const authVariables = {
  NODE_ENV: z.string().default("development"),
  /** No default: the operator decides which tokens are accepted. */
  AUTH: z.enum(["dev", "jwks"], { error: "expected jwks, or dev to try it on this machine" }),
  DEV_SECRET_FILE: z.string().default(".parley/dev-secret"),
  JWKS_URL: z.url().optional(),
  JWT_ISSUER: z.string().optional(),
  JWT_AUDIENCE: z.string().optional(),
  JWT_ALGORITHMS: list.prefault("RS256,ES256,EdDSA"),
};

export type AuthVariables = z.output<z.ZodObject<typeof authVariables>>;

/** What these variables lack or forbid, one sentence each. */
export function authComplaints(env: AuthVariables): readonly string[] {
  if (env.AUTH === "dev") {
    return env.NODE_ENV === "production"
      ? ["AUTH=dev is refused with NODE_ENV=production: set AUTH=jwks"] // S9
      : [];
  }
  return (["JWKS_URL", "JWT_ISSUER", "JWT_AUDIENCE"] as const)
    .filter((name) => env[name] === undefined)
    .map((name) => `${name} is needed with AUTH=jwks`);
}

export function authConfig(env: AuthVariables): AuthConfig {
  if (env.AUTH === "dev") return { auth: "dev", devSecretFile: env.DEV_SECRET_FILE };
  return {
    auth: "jwks",
    jwksUrl: env.JWKS_URL ?? "",
    issuer: env.JWT_ISSUER ?? "",
    audience: env.JWT_AUDIENCE ?? "",
    algorithms: env.JWT_ALGORITHMS,
  };
}
