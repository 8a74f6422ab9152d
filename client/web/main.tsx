// Main: connects the page to its gateway and renders it. Everything else is in store/ and ui/.
//
//   main.1. No `await` outside of a function: a chunk that loads on demand imports the page's one
//        file, and would wait for it while that file waits for the chunk.

import { render } from "preact";
import { openGate } from "./store/gate.ts";
import { readSignIn } from "./store/sign-in-settings.ts";
import { App } from "./ui/app.tsx";
import { installShell } from "./ui/install-shell.ts";
import { speak } from "./ui/speak.ts";

async function openPage(): Promise<void> {
  const meta = document.querySelector<HTMLMetaElement>('meta[name="parley-sign-in"]');
  await speak();
  const gate = await openGate(readSignIn(meta?.content));
  const root = document.getElementById("app");
  if (root !== null) render(<App gate={gate} />, root);
  installShell();
}

void openPage();
