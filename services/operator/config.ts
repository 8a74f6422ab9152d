// Config: the environment of an operator process, read once.

import { z } from "zod";
import type { WebSignIn } from "#shared/adapters/http-page.ts";
import { authComplaints, authVariables, list } from "#shared/process/auth-config.ts";
import { serviceConfig } from "#shared/process/config.ts";

export const configSchema = z
  .object({
    ...serviceConfig,
    ...authVariables,
    HOST: z.string().default("127.0.0.1"),
    /** 0: any free port. Browsers then need ORIGINS. */
    PORT: z.coerce.number().int().min(0).max(65_535).default(8_090),
    /** The origins at which browsers see the page. */
    ORIGINS: list.optional(),
    OIDC_CLIENT_ID: z.string().optional(),
    OIDC_SCOPE: z.string().default("openid profile offline_access"),
    OIDC_ORIGINS: list.prefault(""),
    WEB_DIR: z.string().default("client/operator/dist"),
  })
  .superRefine((env, context) => {
    const complain = (message: string): void => context.addIssue({ code: "custom", message });
    for (const text of authComplaints(env)) complain(text);
    if (env.ORIGINS?.every(isOrigin) === false)
      complain(
        "ORIGINS: expected origins as browsers send them (https://admin.example), with commas",
      );
    if (env.OIDC_CLIENT_ID !== undefined && !URL.canParse(env.JWT_ISSUER ?? ""))
      complain("OIDC_CLIENT_ID needs AUTH=jwks and a JWT_ISSUER that is a URL");
  });

export type Config = z.output<typeof configSchema>;

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}

export function originsOf({ ORIGINS, PORT }: Config): readonly string[] {
  return ORIGINS ?? [`http://localhost:${PORT}`, `http://127.0.0.1:${PORT}`];
}

/** How the page gets a token: with AUTH=dev the administrator pastes one. */
export function pageSignIn(config: Config): WebSignIn {
  if (config.AUTH === "dev") return { kind: "dev" };
  const { OIDC_CLIENT_ID: clientId, OIDC_SCOPE: scope } = config;
  if (clientId === undefined) return { kind: "none" };
  const { JWT_ISSUER: issuer = "", JWT_AUDIENCE: audience = "" } = config;
  return { kind: "oidc", issuer, clientId, scope, audience };
}
