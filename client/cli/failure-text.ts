// FailureText: the line that the command prints when it fails: what is wrong, and which flag,
// variable or file to change.
//
//   failure-text.1. Every text of an expected failure names the flag, the variable or the file from
//        which the wrong value came.
//   failure-text.2. No text holds a stack or the password of a URL.

import { NatsUnreachable } from "#shared/adapters/nats-unreachable.ts";
import { DevTokenError } from "../sdk/dev-token.ts";
import { CliError } from "./cli-error.ts";
import type { Target } from "./target.ts";

/** Codes of PostgreSQL for a refused user, a wrong password and an unknown database. */
const POSTGRES_REFUSALS: ReadonlySet<unknown> = new Set(["28000", "28P01", "3D000"]);
/** Codes of Node for a server that cannot be reached. */
const UNREACHABLE: ReadonlySet<unknown> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ETIMEDOUT",
]);

/** One line for the terminal. Never throws. */
export function failureText(error: unknown, target: Target): string {
  if (error instanceof CliError) return error.message;
  if (error instanceof Error && isSeedFailure(error)) return seedFailure(error, target);
  if (error instanceof NatsUnreachable) return natsFailure(error, target);
  if (error instanceof DevTokenError) return gatewayFailure(error, target);
  if (isPostgresFailure(error)) return postgresFailure(error, target);
  return error instanceof Error ? error.message : String(error);
}

/** NATS knows no such user, or the user may not do this, or the seed is broken. */
function isSeedFailure({ message }: Error): boolean {
  return /authorization violation|authentication|permissions violation|nkeys:/i.test(message);
}

function seedFailure({ message }: Error, { origins }: Target): string {
  return (
    `${message}. The seed file of the NATS user comes from ${origins.natsNkey}: name the ` +
    "administrator's with --nats-nkey <file> or NATS_NKEY_FILE"
  );
}

function natsFailure({ message }: NatsUnreachable, { origins, clusterFile }: Target): string {
  return `${message}. ${remedy(origins.nats, clusterFile, "--nats <url> or NATS_URL")}`;
}

function gatewayFailure(
  { code, message }: DevTokenError,
  { origins, clusterFile }: Target,
): string {
  if (code === "no-dev-auth") return `${message}, and this command needs a dev token`;
  if (code === "bad-user") return `${message}: change --user`;
  if (code === "refused") return message;
  return `${message}. ${remedy(origins.url, clusterFile, "--url <url>")}`;
}

/** Also used by `parley doctor`. */
export function postgresFailure(error: unknown, { origins, clusterFile }: Target): string {
  const { code, message } = error as { readonly code?: string; readonly message?: string };
  // For a host name with several addresses Node reports an AggregateError without a text.
  const reason = message === undefined || message === "" ? (code ?? "no reason given") : message;
  const named = "--database <url> or DATABASE_URL";
  return `PostgreSQL cannot be used: ${reason}. ${remedy(origins.database, clusterFile, named)}`;
}

function isPostgresFailure(error: unknown): boolean {
  if (!(error instanceof Error) || !("code" in error)) return false;
  return POSTGRES_REFUSALS.has(error.code) || UNREACHABLE.has(error.code);
}

/** failure-text.1. */
function remedy(origin: string, clusterFile: string, named: string): string {
  if (origin === clusterFile) {
    return `The address comes from ${origin}: start that cluster (make start), or use ${named}`;
  }
  if (origin === "the default") {
    return `The address is the default: start a cluster here (make start), or use ${named}`;
  }
  return `The address comes from ${origin}`;
}
