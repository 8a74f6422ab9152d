// Docs: the descriptions of the API as pages, rendered by Redoc from what the gateway serves.
//
// Owns: which description the page shows, and the Trusted Types policy. Does not own: the
// descriptions and the headers (services/gateway).
//
//   docs/main.1. Nothing leaves the gateway: Redoc's telemetry is off, and the content security
//        policy permits no other server.
//   docs/main.2. The policy removes scripts and refuses other markup that could run.
//   docs/main.3. The search runs in the page: a worker would be made from text, which the policy
//        refuses. Without `Worker` the renderer does not try.

import { init } from "redoc/bundles/redoc.standalone.js";

interface TrustedTypes {
  createPolicy(name: string, rules: { createHTML(text: string): string }): unknown;
}

/** The renderer adds one to its samples. A script that is made from text never runs. */
const SCRIPT = /<script>[^]*?<\/script>/gu;
/** React makes a script element from this text. */
const EMPTY_SCRIPT = "<script></script>";
/** Elements and attributes that can run code or load it. */
const ACTIVE =
  /<\s*(?:script|iframe|object|embed|link|meta|base|form)\b|[\s"'/]on[a-z]+\s*=\s*["'a-z]/iu;

const { trustedTypes } = globalThis as { readonly trustedTypes?: TrustedTypes };
trustedTypes?.createPolicy("default", {
  createHTML(text) {
    if (text === EMPTY_SCRIPT) return text;
    const rest = text.replaceAll(SCRIPT, "");
    if (ACTIVE.test(rest)) {
      throw new TypeError(`markup that could run: ${rest.slice(0, 80)}`); // docs/main.2
    }
    return rest;
  },
});

const isSocket = location.pathname.startsWith("/docs/websocket");
const [address, title] = isSocket
  ? ["/asyncapi.json", "Parley WebSocket"]
  : ["/openapi.json", "Parley HTTP API"];
document.title = title;
document
  .querySelector(isSocket ? 'nav a[href="/docs/websocket"]' : 'nav a[href="/docs"]')
  ?.setAttribute("aria-current", "page");
Reflect.deleteProperty(globalThis, "Worker"); // docs/main.3
init(address, { disableTelemetry: true }, document.querySelector("#docs"));
