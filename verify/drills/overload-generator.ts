// Overload generator: the load of the overload drill in a process of its own, so that the drill's
// own work does not delay it.
//
// It executes one command at a time from its IPC channel and answers each. It exits when its parent
// exits.

import { setPriority } from "node:os";
import { unreachable } from "#shared/kit/assert.ts";
import type { RoomId } from "#shared/protocol/ids.ts";
import { OfferedLoad } from "./offered-load.ts";
import type { Offer, Offered, OfferedLoadOptions } from "./offered-load.ts";

export type OverloadCommand =
  | { readonly kind: "open"; readonly options: OfferedLoadOptions }
  | { readonly kind: "offer"; readonly offer: Offer }
  | { readonly kind: "drain" }
  | { readonly kind: "is-read"; readonly heads: readonly (readonly [RoomId, number])[] }
  | { readonly kind: "end" };

export type OverloadAnswer =
  | { readonly kind: "done"; readonly surprises: readonly string[] }
  | { readonly kind: "figures"; readonly figures: Offered }
  | { readonly kind: "read"; readonly isRead: boolean }
  | { readonly kind: "failed"; readonly reason: string };

/** Real users run on other machines, which the load of the cluster does not slow down. */
const PRIORITY = -15;

let load: OfferedLoad | undefined;

async function execute(command: OverloadCommand): Promise<OverloadAnswer> {
  if (command.kind === "open") {
    load = new OfferedLoad(command.options);
    await load.open();
    return { kind: "done", surprises: load.surprises };
  }
  if (load === undefined) return { kind: "failed", reason: "the command `open` must come first" };
  switch (command.kind) {
    case "offer":
      return { kind: "figures", figures: await load.offer(command.offer) };
    case "drain":
      await load.drain();
      return { kind: "done", surprises: load.surprises };
    case "is-read": {
      const isRead = load.isRead(new Map(command.heads));
      load.flush();
      return { kind: "read", isRead };
    }
    case "end":
      load.end();
      return { kind: "done", surprises: load.surprises };
    default:
      return unreachable(command);
  }
}

try {
  setPriority(process.pid, PRIORITY);
} catch {
  console.error("  the generator has no higher priority than the cluster (root is needed)");
}
process.on("message", (command: OverloadCommand) => {
  execute(command).then(
    (answer) => process.send?.(answer),
    (error: unknown) => process.send?.({ kind: "failed", reason: String(error) }),
  );
});
// A process without its parent has no task, and its sockets would keep it running.
process.on("disconnect", () => process.exit(0));
