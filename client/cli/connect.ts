// Connect: the SDK's client of a command.

import { Parley } from "../sdk/parley.ts";
import type { ParleyOptions } from "../sdk/parley-options.ts";
import type { Caller } from "./change.ts";
import { neutral } from "./print.ts";

/** Rejects at once without a token or without a gateway; the SDK would try again. */
export async function newClient(
  { target, token }: Caller,
  options: Partial<ParleyOptions> = {},
): Promise<Parley> {
  await token();
  const url = `${target().url.replace(/^http/, "ws")}/v1/ws`;
  return new Parley({ url, token: () => token(), client: "cli/1", ...options });
}

/** A client that connects, and prints its errors on standard error. */
export async function connect(caller: Caller): Promise<Parley> {
  const parley = await newClient(caller);
  let last = "";
  parley.on("error", ({ message }) => {
    // Repeated attempts fail with the same text.
    if (message !== last) console.error(`parley: ${neutral(message)}`);
    last = message;
  });
  parley.connect();
  return parley;
}
