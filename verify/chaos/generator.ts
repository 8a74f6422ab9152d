// Generator: the load of a chaos run in a process of its own, so that no other work delays it.
//
// It is a child of the chaos run, takes commands over its IPC channel, and reports its state
// several times a second. It exits when its parent exits.

import { devToken } from "../wire-client/dev-token.ts";
import { Load } from "./load.ts";
import type { LoadOptions, LoadState } from "./load.ts";

export type GeneratorCommand =
  | { readonly kind: "open"; readonly options: LoadOptions; readonly http: string }
  | { readonly kind: "start" }
  | { readonly kind: "pause-readers"; readonly count: number }
  | { readonly kind: "resume-readers" }
  | { readonly kind: "add-guests"; readonly count: number }
  | { readonly kind: "remove-guests" }
  | { readonly kind: "finish" }
  | { readonly kind: "list-last" }
  | { readonly kind: "end" };

export type GeneratorReport =
  | { readonly kind: "state"; readonly state: LoadState }
  | { readonly kind: "ended" };

const STATE_EVERY_MS = 100;

/** Set by the command `open`; the later commands need both. */
let load: Load | undefined;
let http = "";
const tokenOf = (user: string): Promise<string> => devToken(http, user);

function report(what: GeneratorReport): void {
  process.send?.(what);
}

async function execute(command: GeneratorCommand): Promise<void> {
  switch (command.kind) {
    case "open":
      ({ http } = command);
      load = new Load(command.options);
      setInterval(() => {
        if (load !== undefined) report({ kind: "state", state: load.state() });
      }, STATE_EVERY_MS).unref();
      return load.open(tokenOf);
    case "start":
      return load?.start();
    case "pause-readers":
      return load?.pauseReaders(command.count, tokenOf);
    case "resume-readers":
      return load?.resumeReaders();
    case "add-guests":
      return load?.addGuests(command.count, tokenOf);
    case "remove-guests":
      return load?.removeGuests();
    case "finish":
      return load?.finish();
    case "list-last":
      return load?.listLast();
    case "end":
      load?.close();
      load?.end();
      report({ kind: "ended" });
      process.disconnect();
      // Sockets that still close would delay the end.
      process.exit(0);
  }
}

process.on("message", (command: GeneratorCommand) => {
  execute(command).catch((error: unknown) => {
    console.error("the generator failed", error);
    // The parent sees the exit, and the run fails instead of waiting for an answer.
    process.exit(1);
  });
});
// A process without its parent has no task, and its sockets would keep it running.
process.on("disconnect", () => process.exit(0));
