// Gate: how a user enters this page, with the sign-in that its gateway names.
//
// Owns: which token a client of the SDK gets. Does not own: the form (ui/sign-in.tsx), the protocol
// of an issuer (oidc.ts).
//
//   gate.1. A client exists before its first token, so the page of a known user is shown without a
//        wait for the network. The form waits for the admission.

import { indexedDbOutbox } from "#client/sdk/outbox/indexed-db.ts";
import { Parley } from "#client/sdk/parley.ts";
import { HttpChatApi } from "./chat-api.ts";
import type { ChatApi } from "./chat-api.ts";
import type { ChatClient } from "./client-port.ts";
import { deviceName } from "./device-name.ts";
import { arrive, fetchDevToken, rememberUser } from "./identity.ts";
import type { Arrival } from "./identity.ts";
import type { Oidc } from "./oidc.ts";
import { readFileBytesMax } from "./sign-in-settings.ts";
import type { SignInSettings } from "./sign-in-settings.ts";

/** What the page needs of a cluster. */
export interface Entered {
  readonly client: ChatClient;
  readonly api: ChatApi;
  /** Rejects with a sentence for the form when the server refuses the user (gate.1). */
  readonly admission: Promise<unknown>;
}

export interface Gate {
  readonly kind: SignInSettings["kind"];
  readonly arrival: Arrival;
  /** The issuer that asks for the name, for the button. */
  readonly host?: string;
  /** Creates a client for this user at once. */
  readonly enter: (user: string) => Entered;
  /** Leaves the page for the issuer's. */
  readonly begin?: (room: string) => Promise<never>;
  readonly signOut?: () => Promise<void>;
}

export async function openGate(settings: SignInSettings): Promise<Gate> {
  if (settings.kind === "oidc") {
    const { Oidc } = await import("./oidc.ts");
    const page = {
      storage: sessionStorage,
      url: () => new URL(location.href),
      go: (url: URL) => location.assign(url),
      replace: (url: URL) => history.replaceState(null, "", url),
      now: () => Date.now(),
    };
    return oidcGate(new Oidc(settings, page), new URL(settings.issuer).host);
  }
  const arrival = arrive(location.search, sessionStorage);
  return { kind: settings.kind, arrival, enter: enterDev };
}

async function oidcGate(oidc: Oidc, host: string): Promise<Gate> {
  const { room } = arrive(location.search, sessionStorage);
  const arrival = await oidc.arrive().catch((error: Error) => {
    rememberUser(sessionStorage, undefined); // oidc.4
    return { problem: error.message };
  });
  // After a reload: the client asks for a token, and with it for the issuer's session (oidc.1).
  const known = arrive("", sessionStorage).user;
  return {
    kind: "oidc",
    host,
    arrival: { user: known, room, ...arrival },
    enter: (user) => enterAs(user, () => oidc.token(currentRoom())),
    begin: (wanted) => oidc.signIn(wanted),
    signOut: () => oidc.signOut(),
  };
}

/** The address names the shown room. */
function currentRoom(): string {
  return new URLSearchParams(location.search).get("room") ?? "general";
}

function enterAs(
  user: string,
  token: () => Promise<string>,
  admission: Entered["admission"] = Promise.resolve(),
): Entered {
  const url = `${location.origin.replace(/^http/u, "ws")}/v1/ws`;
  const outbox = indexedDbOutbox(user);
  const device = deviceName(navigator.userAgent);
  const names = { client: "web/1", ...(device !== undefined && { device }) };
  const meta = document.querySelector<HTMLMetaElement>('meta[name="parley-attachments"]');
  const fileBytesMax = readFileBytesMax(meta?.content);
  return {
    client: new Parley({ url, token, ...names, outbox }),
    api: new HttpChatApi({ fetcher: fetch, token, fileBytesMax }),
    admission,
  };
}

/** The answer to the first token is the admission. Requests until then share the token. */
function enterDev(user: string): Entered {
  let first: Promise<string | undefined> | undefined = firstToken(user);
  const token = async (): Promise<string> => {
    const kept = await first;
    first = undefined;
    return kept ?? fetchDevToken(fetch, user);
  };
  return enterAs(user, token, first);
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
