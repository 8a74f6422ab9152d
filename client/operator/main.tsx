// Main: connects the admin page to its service and renders it. Everything else is in store/ and
// ui/.

import { render } from "preact";
import { readSignIn } from "../web/store/sign-in-settings.ts";
import { OperatorApi } from "./store/operator-api.ts";
import { openIssuer } from "./store/issuer.ts";
import { App } from "./ui/app.tsx";

async function openPage(): Promise<void> {
  const meta = document.querySelector<HTMLMetaElement>('meta[name="parley-sign-in"]');
  const issuer = await openIssuer(readSignIn(meta?.content));
  const api = new OperatorApi((path, init) => fetch(path, init));
  const root = document.getElementById("app");
  if (root !== null) render(<App api={api} issuer={issuer} />, root);
}

void openPage();
