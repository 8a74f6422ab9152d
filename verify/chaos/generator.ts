// Generator: the load of a chaos run as a process of its own, so that nothing else delays it.
//
// A child of chaos: takes orders over its IPC channel and says how it is, several times a second.
// It ends when its parent does.

import { devToken } from "../dumps/dump.ts";
import { Load } from "./load.ts";
import type { LoadOptions, LoadState } from "./load.ts";

export type Order =
  | { readonly kind: "open"; readonly options: LoadOptions; readonly http: string }
  | { readonly kind: "start" }
  | { readonly kind: "sleep"; readonly count: number }
  | { readonly kind: "wake" }
  | { readonly kind: "finish" }
  | { readonly kind: "end" };

export type Word =
  | { readonly kind: "state"; readonly state: LoadState }
  | { readonly kind: "ended" };

const STATE_EVERY_MS = 100;

/** What an order needs of the former ones. */
let load: Load | undefined;
let http = "";
const tokenOf = (user: string): Promise<string> => devToken(http, user);

function say(word: Word): void {
  process.send?.(word);
}

async function obey(order: Order): Promise<void> {
  switch (order.kind) {
    case "open":
      ({ http } = order);
      load = new Load(order.options);
      setInterval(() => {
        if (load !== undefined) say({ kind: "state", state: load.state() });
      }, STATE_EVERY_MS).unref();
      return load.open(tokenOf);
    case "start":
      return load?.start();
    case "sleep":
      return load?.sleep(order.count, tokenOf);
    case "wake":
      return load?.wake();
    case "finish":
      return load?.finish();
    case "end":
      load?.close();
      load?.end();
      say({ kind: "ended" });
      process.disconnect();
      process.exit(0);
  }
}

process.on("message", (order: Order) => {
  obey(order).catch((error: unknown) => {
    console.error("the generator failed", error);
    process.exit(1);
  });
});
process.on("disconnect", () => process.exit(0));
