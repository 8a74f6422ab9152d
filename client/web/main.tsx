// Main: connects the page to the SDK and renders it. Everything else is in store/ and ui/.

import { render } from "preact";
import { indexedDbOutbox } from "#client/sdk/outbox/indexed-db.ts";
import { Parley } from "#client/sdk/parley.ts";
import { arrive, fetchDevToken } from "./store/identity.ts";
import { App } from "./ui/app.tsx";
import { speak } from "./ui/speak.ts";

const url = `${location.origin.replace(/^http/u, "ws")}/v1/ws`;

/** Fetches the first token before the page opens, so that the form can show a refusal. */
async function enter(user: string): Promise<Parley> {
  let first = await firstToken(user);
  const token = async (): Promise<string> => {
    const kept = first;
    first = undefined;
    return kept ?? fetchDevToken(fetch, user);
  };
  return new Parley({ url, token, client: "web/1", outbox: indexedDbOutbox(user) });
}

/** Undefined without a network: the page opens with what it kept, and the SDK asks again. */
async function firstToken(user: string): Promise<string | undefined> {
  try {
    return await fetchDevToken(fetch, user);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

await speak();

const root = document.getElementById("app");
if (root !== null) {
  render(<App arrival={arrive(location.search, sessionStorage)} enter={enter} />, root);
}
