// DatabaseConfig: the variables that name PostgreSQL, for services that use it.

import { readFileSync } from "node:fs";
import { z } from "zod";

const URL_PARTS = /^(postgres(?:ql)?:\/\/)((?:[^@/?#]*@)?)([^@/?#]+)(.*)$/;
/** The servers of one URL: a primary and its standbys. */
const SERVERS_MAX = 8;

export const databaseConfig = {
  /** With several servers, host:port,host:port stands in the place of the host, as in libpq. */
  DATABASE_URL: z
    .string({ error: "the PostgreSQL of the archive, as postgres://…" })
    .refine((url) => serversOf(url) !== undefined, {
      error: "the PostgreSQL of the archive, as postgres://…",
    }),
  /**
   * A file with the database password, which keeps it out of the environment. The value here is the
   * content of the file.
   */
  DATABASE_PASSWORD_FILE: z.string().transform(readSecret).optional(),
};

type DatabaseConfig = z.output<z.ZodObject<typeof databaseConfig>>;

/**
 * One URL for each server of DATABASE_URL, with the password, from the URL or from the password
 * file.
 */
export function databaseUrls({
  DATABASE_URL: url,
  DATABASE_PASSWORD_FILE: password,
}: DatabaseConfig): readonly string[] {
  return (serversOf(url) ?? []).map((server) => withPassword(server, password));
}

/** The URL with the password of a password file, if there is one. */
export function withPassword(url: string, password: string | undefined): string {
  if (password === undefined) return url;
  const whole = new URL(url);
  whole.password = password;
  return whole.href;
}

/** The content of a file. An unreadable one is a complaint without a stack (process/config.1). */
export function readSecret(file: string, context: z.RefinementCtx): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    context.addIssue("a file that can be read");
    return z.NEVER;
  }
}

/**
 * One URL for each server. Undefined when the URL is not valid. The class URL knows one host only.
 */
export function serversOf(url: string): readonly string[] | undefined {
  const [, scheme = "", user = "", hosts = "", rest = ""] = URL_PARTS.exec(url) ?? [];
  const names = hosts.split(",");
  const servers = names.map((host) => `${scheme}${user}${host}${rest}`);
  const isValid = !names.includes("") && servers.every((server) => URL.canParse(server));
  return isValid && servers.length <= SERVERS_MAX ? servers : undefined;
}
