// Cookie: the one that carries a sign-in.
//
//   cookie.1. No script can read it (HttpOnly), and no other site sends it (SameSite=Strict). It is
//        sent to the paths of this service only: cookies do not distinguish ports, and the gateway
//        of a cluster may have the same host.
//   cookie.2. With a page on https it is sent over https only (Secure).

import { OPERATOR_PATH } from "#shared/protocol/operator-page.ts";

const NAME = "parley-operator";
const VALUE = new RegExp(`(?:^|;\\s*)${NAME}=([A-Za-z0-9_-]{43})(?:;|$)`, "u");

export function cookieOf(header: string | undefined): string | undefined {
  return VALUE.exec(header ?? "")?.[1];
}

/** `maxAgeSeconds` 0 removes it. */
export function setCookie(id: string, maxAgeSeconds: number, isSecure: boolean): string {
  const parts = [
    `${NAME}=${id}`,
    `Path=${OPERATOR_PATH}`,
    `Max-Age=${maxAgeSeconds}`,
    "HttpOnly",
    "SameSite=Strict",
    ...(isSecure ? ["Secure"] : []),
  ];
  return parts.join("; ");
}
