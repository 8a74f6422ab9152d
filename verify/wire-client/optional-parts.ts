// Optional parts: asks the admin page and the store of files of an installed cluster, as a browser
// and a user do.
//
// Owns: what each part must answer. Does not own: the cluster, and how its addresses are reached.
//
//   optional-parts.1. A check rejects with what was wrong. It adds no event to a room, so the
//        checker may judge the cluster afterwards.

import { randomBytes } from "node:crypto";
import { Files } from "#client/sdk/files.ts";
import { OPERATOR_PATH } from "#shared/protocol/operator-page.ts";
import type { ClusterSnapshot } from "#shared/protocol/operator-page.ts";
import { until } from "#shared/testing/wait.ts";
import { devToken } from "./dev-token.ts";

const REQUEST_TIMEOUT_MS = 30_000;
const SHOWN_WITHIN_MS = 60_000;
/** As an open page asks. */
const ASK_EVERY_MS = 1_000;
const ROOM = "files";
/** More than one part of an upload. */
const FILE_BYTES = 300_000;

interface Addresses {
  /** The `http://…` URL of the admin page. */
  readonly page: string;
  /** That of a gateway, which signs the token of the administrator. */
  readonly gateway: string;
}

/**
 * Loads the page, signs an administrator in, and resolves when the state has a process of each of
 * these kinds. A process that has no processor for a while misses in one answer.
 */
export async function readAdminPage(
  { page, gateway }: Addresses,
  kinds: readonly string[],
): Promise<void> {
  const shown = await ask(page, "/");
  if (!shown.text.includes('id="app"')) throw new Error(`not the admin page: ${shown.text}`);
  const token = await devToken(gateway, "ada", { admin: true });
  const { headers } = await ask(page, `${OPERATOR_PATH}/sign-in`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ token }),
  });
  const [cookie = ""] = (headers.get("set-cookie") ?? "").split(";");
  const isShown = async (): Promise<boolean> => {
    const { text } = await ask(page, `${OPERATOR_PATH}/state`, { headers: { cookie } });
    const { isConnected, processes } = JSON.parse(text) as ClusterSnapshot;
    return isConnected && kinds.every((kind) => processes.some((one) => one.kind === kind));
  };
  await until(isShown, {
    withinMs: SHOWN_WITHIN_MS,
    everyMs: ASK_EVERY_MS,
    what: `the admin page to show ${kinds.join(", ")}`,
  });
}

/** Uploads a file through the first gateway, and reads it through the last one. */
export async function passFile(gateways: readonly string[]): Promise<void> {
  const [first = "", last = ""] = [gateways[0], gateways.at(-1)];
  const token = await devToken(first, "ada");
  const content = Buffer.from(randomBytes(FILE_BYTES / 2).toString("hex")); // Plain text.
  const file = await new Files({ url: first, token }).upload(ROOM, new Blob([content]));
  const { url } = await new Files({ url: last, token }).link(ROOM, file.id);
  const { pathname } = new URL(url);
  const response = await fetch(new URL(pathname, last), {
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  });
  const read = Buffer.from(await response.arrayBuffer());
  if (response.ok && read.equals(content)) return;
  throw new Error(`${pathname} has other bytes: ${response.status}, ${read.length} bytes`);
}

interface Answer {
  readonly headers: Headers;
  readonly text: string;
}

async function ask(url: string, path: string, init: RequestInit = {}): Promise<Answer> {
  const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
  const response = await fetch(new URL(path, url), { ...init, signal });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
  return { headers: response.headers, text };
}
