// Change: requests over HTTP as the chosen user, for the commands that read and change rooms and
// messages.

import { readFileSync } from "node:fs";
import { parseObject } from "#shared/kit/json.ts";
import type { JsonObject } from "#shared/kit/json.ts";
import type { UserId } from "#shared/protocol/ids.ts";
import { devToken } from "../sdk/dev-token.ts";
import { CliError } from "./cli-error.ts";
import type { Output } from "./output.ts";
import type { Target } from "./target.ts";

export interface Caller {
  readonly target: () => Target;
  /** With a dev token: its user. A token that was passed names its own. */
  readonly user: () => UserId;
  /**
   * The token of a request: --token, PARLEY_TOKEN or --token-file, else a dev token of `user`. A
   * file is read each time, so that a long command takes a renewed token.
   */
  readonly token: (claims?: DevClaims) => Promise<string>;
  readonly out: Output;
}

/** Of a dev token; by default it names the user of the command. */
export interface DevClaims {
  readonly user?: string;
  readonly admin?: boolean;
}

export interface TokenFlags {
  readonly token?: string;
  readonly tokenFile?: string;
  readonly user: UserId;
}

export async function tokenOf(
  { token, tokenFile, user }: TokenFlags,
  target: Target,
  { user: as = user, admin }: DevClaims = {},
): Promise<string> {
  const given = token ?? (tokenFile === undefined ? process.env["PARLEY_TOKEN"] : undefined);
  if (given !== undefined && given !== "") return given;
  if (tokenFile !== undefined) return readToken(tokenFile);
  return devToken(target.url, as, admin === true ? { admin } : {});
}

function readToken(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error: unknown) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new CliError(`cannot read ${path} (--token-file): ${reason}`, { cause: error });
  }
}

/** Resolves with the answer. Rejects with CliError, whose code is the name of the problem. */
export async function request(
  { target, token }: Caller,
  method: string,
  path: string,
  body?: object,
): Promise<JsonObject> {
  const { url } = target();
  const authorization = `Bearer ${await token()}`;
  const content = body !== undefined && { "content-type": "application/json" };
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { authorization, ...content },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  }).catch((error: unknown) => {
    const text = `no gateway answers at ${url}: use --url <url>`;
    throw new CliError(text, { code: "gateway_unreachable", cause: error });
  });
  const answer = parseObject(await response.text()) ?? {};
  if (response.ok) return answer;
  const { name, detail, title } = answer;
  const code = typeof name === "string" ? name : "failed";
  const why = [detail, title].find((text) => typeof text === "string");
  throw new CliError(`${code}: ${why ?? response.status}`, { code });
}

/** A write: prints the place of the event, and returns the answer. */
export async function change(
  caller: Caller,
  method: string,
  path: string,
  body?: object,
): Promise<JsonObject> {
  const answer = await request(caller, method, path, body);
  caller.out.print(answer, `${String(answer["room"])}#${String(answer["seq"])}`);
  return answer;
}
