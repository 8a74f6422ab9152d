// Change: a write over HTTP as the chosen user, for the commands that change rooms and messages.

import { parseObject } from "#shared/kit/json.ts";
import type { JsonObject } from "#shared/kit/json.ts";
import type { UserId } from "#shared/protocol/ids.ts";
import { devToken } from "../sdk/dev-token.ts";
import { CliError } from "./cli-error.ts";
import type { Target } from "./target.ts";

export interface Caller {
  readonly target: () => Target;
  readonly user: () => UserId;
}

/** Prints the place of the event, and returns the answer. */
export async function change(
  { target, user }: Caller,
  method: string,
  path: string,
  body?: object,
): Promise<JsonObject> {
  const { url } = target();
  const authorization = `Bearer ${await devToken(url, user())}`;
  const content = body !== undefined && { "content-type": "application/json" };
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { authorization, ...content },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const answer = parseObject(await response.text()) ?? {};
  const { name, detail, title } = answer;
  if (!response.ok) throw new CliError(`${String(name)}: ${String(detail ?? title)}`);
  console.log(`${String(answer["room"])}#${String(answer["seq"])}`);
  return answer;
}
