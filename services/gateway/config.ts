// Config: the environment of a gateway, read once, and the parts of it for each adapter.

import { z } from "zod";
import { attachmentConfig } from "#shared/process/attachment-config.ts";
import { authComplaints, authVariables, list } from "#shared/process/auth-config.ts";
import { serviceConfig } from "#shared/process/config.ts";
import { wrongProxy } from "./adapters/client-address.ts";
import type { HttpConfig } from "./adapters/http.ts";
import type { WebSignIn } from "#shared/adapters/http-page.ts";
import { INVITE_KEY_MIN } from "./adapters/invite-key.ts";

/** No programs and no unknown bytes. Office files are `application/vnd.*` or a zip. */
const DEFAULT_TYPES =
  "image/*,audio/*,video/*,text/*,application/pdf,application/zip,application/gzip," +
  "application/x-7z-compressed,application/x-tar,application/rtf,application/x-cfb," +
  "application/vnd.openxmlformats-officedocument.wordprocessingml.document," +
  "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet," +
  "application/vnd.openxmlformats-officedocument.presentationml.presentation," +
  "application/vnd.oasis.opendocument.text,application/vnd.oasis.opendocument.spreadsheet," +
  "application/vnd.oasis.opendocument.presentation";

export const configSchema = z
  .object({
    HOST: z.string().default("127.0.0.1"),
    /** 0: any free port. Browsers then need ORIGINS. */
    PORT: z.coerce.number().int().min(0).max(65_535).default(8_080),
    ...serviceConfig,
    ...attachmentConfig,
    /** The largest attachment. */
    ATTACHMENTS_FILE_MIB: z.coerce.number().min(0.01).max(1_024).default(25),
    /** All attachments of one user. */
    ATTACHMENTS_USER_MIB: z.coerce.number().min(0.01).max(1_048_576).default(1_024),
    /** The accepted types, by their content. */
    ATTACHMENTS_TYPES: list.prefault(DEFAULT_TYPES),
    /** For how long a link to an attachment is valid. */
    ATTACHMENTS_LINK_S: z.coerce.number().int().min(1).max(86_400).default(900),
    /** on: users may switch link previews on. The webhooks processes need the same (LP1). */
    LINK_PREVIEWS: z.enum(["on", "off"]).default("off"),
    ...authVariables,
    /** The public client of the web client at the issuer. Without it the page offers no sign-in. */
    OIDC_CLIENT_ID: z.string().optional(),
    OIDC_SCOPE: z.string().default("openid profile offline_access"),
    /** Origins of the issuer's endpoints, when they differ from the one of JWT_ISSUER. */
    OIDC_ORIGINS: list.prefault(""),
    ORIGINS: list.optional(),
    /** All gateways have the same one. It repeats the token of a repeated `POST …/invites`. */
    INVITE_KEY: z.string().min(INVITE_KEY_MIN).optional(),
    /** A file with it. */
    INVITE_KEY_FILE: z.string().optional(),
    /** The share of traced sends, 0 to 1. Needs OTEL_EXPORTER_OTLP_ENDPOINT. */
    TRACE_RATIO: z.coerce.number().min(0).max(1).default(0),
    GATEWAY_MEMORY_MIB: z.coerce.number().int().min(16).max(16_384).default(256),
    /** How long a start waits for the revocations, which persistence serves. */
    REVOCATIONS_WAIT_S: z.coerce.number().min(0).max(3_600).default(10),
    LIMITS: z.enum(["on", "off"]).default("on"),
    /** Addresses and CIDR ranges of the proxies that name their clients. */
    TRUSTED_PROXIES: list.prefault(""),
    /** `on`: each connection begins with a PROXY header. `off`: proxies write X-Forwarded-For. */
    PROXY_PROTOCOL: z.enum(["on", "off"]).default("off"),
    WEB_DIR: z.string().default("client/web/dist"),
  })
  .superRefine((env, context) => {
    const complain = (message: string): void => context.addIssue({ code: "custom", message });
    const wrong = wrongProxy(env.TRUSTED_PROXIES);
    if (wrong !== undefined)
      complain("TRUSTED_PROXIES: expected IP addresses and CIDR ranges, separated by commas");
    if (env.PROXY_PROTOCOL === "on" && env.TRUSTED_PROXIES.length === 0) {
      complain("PROXY_PROTOCOL=on needs TRUSTED_PROXIES: list the addresses of the proxies");
    }
    if (env.ORIGINS?.every(isBrowserOrigin) === false) {
      // CO5
      complain(
        "ORIGINS: expected origins as browsers send them (https://chat.example), with commas",
      );
    }
    if (env.INVITE_KEY !== undefined && env.INVITE_KEY_FILE !== undefined)
      complain("INVITE_KEY and INVITE_KEY_FILE exclude each other: set one of them");
    const hasKey = (env.INVITE_KEY ?? env.INVITE_KEY_FILE) !== undefined || env.AUTH === "dev";
    if (env.ATTACHMENTS_STORE !== "off" && !hasKey)
      complain("ATTACHMENTS_STORE needs INVITE_KEY or INVITE_KEY_FILE: all gateways sign with it");
    for (const text of authComplaints(env)) complain(text);
    if (env.NODE_ENV === "production" && env.LIMITS === "off")
      complain("LIMITS=off is refused with NODE_ENV=production: set LIMITS=on"); // S9
    if (env.OIDC_CLIENT_ID !== undefined) {
      if (env.AUTH !== "jwks") complain("OIDC_CLIENT_ID needs AUTH=jwks");
      else if (!URL.canParse(env.JWT_ISSUER ?? ""))
        complain("OIDC_CLIENT_ID needs a JWT_ISSUER that is a URL");
      if (!env.OIDC_ORIGINS.every(isOrigin))
        complain("OIDC_ORIGINS: expected origins such as https://login.example, with commas");
    }
  });

export type Config = z.output<typeof configSchema>;

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}

/** Applications in a web view have schemes of their own, such as `capacitor://localhost`. */
const OTHER_ORIGIN = /^(?!https?:)[a-z][a-z0-9+.-]*:\/\/[a-z0-9.-]+(?::\d{1,5})?$/u;

function isBrowserOrigin(text: string): boolean {
  return (isOrigin(text) && !text.includes("*")) || OTHER_ORIGIN.test(text);
}

function webSignIn(config: Config): WebSignIn {
  if (config.AUTH === "dev") return { kind: "dev" };
  const { OIDC_CLIENT_ID: clientId, OIDC_SCOPE: scope } = config;
  if (clientId === undefined) return { kind: "none" };
  const { JWT_ISSUER: issuer = "", JWT_AUDIENCE: audience = "" } = config;
  return { kind: "oidc", issuer, clientId, scope, audience };
}

const MIB = 1024 * 1024;

/** `inviteKey`: of `openInviteKey`. */
export function httpConfig(config: Config, inviteKey?: string): HttpConfig {
  const { PORT, ORIGINS, LIMITS, WEB_DIR, TRUSTED_PROXIES, PROXY_PROTOCOL } = config;
  const origins = ORIGINS ?? [`http://localhost:${PORT}`, `http://127.0.0.1:${PORT}`];
  const proxies = { trusted: TRUSTED_PROXIES, proxyProtocol: PROXY_PROTOCOL === "on" };
  return {
    origins,
    limits: LIMITS === "on",
    webDir: WEB_DIR,
    inviteKey,
    proxies,
    signIn: webSignIn(config),
    attachments: {
      bytesMax: config.ATTACHMENTS_STORE === "off" ? undefined : config.ATTACHMENTS_FILE_MIB * MIB,
    },
    linkPreviews: config.LINK_PREVIEWS === "on" ? { on: true } : {},
    signInOrigins: config.OIDC_ORIGINS,
  };
}

/** The port of /metrics when it differs from the API's; otherwise undefined. */
export function metricsPort(config: Config): number | undefined {
  return config.METRICS_PORT ?? (config.NODE_ENV === "production" ? 0 : undefined);
}
