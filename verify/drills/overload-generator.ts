// Overload generator: the crowd of the overload drill as a process of its own, so that nothing of the drill
// delays it. Takes one order at a time over its IPC channel and answers each; it ends when its parent does.

import { setPriority } from "node:os";
import { unreachable } from "#shared/kit/assert.ts";
import type { RoomId } from "#shared/protocol/ids.ts";
import { OverloadCrowd } from "./offered-load.ts";
import type { CrowdPlan, Offer } from "./offered-load.ts";
import type { Figures } from "./overload-windows.ts";

export type OverloadOrder =
  | { readonly kind: "open"; readonly plan: CrowdPlan }
  | { readonly kind: "offer"; readonly offer: Offer }
  | { readonly kind: "drain" }
  | { readonly kind: "is-read"; readonly heads: readonly (readonly [RoomId, number])[] }
  | { readonly kind: "end" };

export type OverloadAnswer =
  | { readonly kind: "done"; readonly surprises: readonly string[] }
  | { readonly kind: "figures"; readonly figures: Figures }
  | { readonly kind: "read"; readonly isRead: boolean }
  | { readonly kind: "failed"; readonly reason: string };

/** Its users stand for other machines, which the cluster's load does not slow down. */
const PRIORITY = -15;

let crowd: OverloadCrowd | undefined;

async function obey(order: OverloadOrder): Promise<OverloadAnswer> {
  if (order.kind === "open") {
    crowd = new OverloadCrowd(order.plan);
    await crowd.open();
    return { kind: "done", surprises: crowd.surprises };
  }
  if (crowd === undefined) return { kind: "failed", reason: "nothing is open" };
  switch (order.kind) {
    case "offer":
      return { kind: "figures", figures: await crowd.offer(order.offer) };
    case "drain":
      await crowd.drain();
      return { kind: "done", surprises: crowd.surprises };
    case "is-read": {
      const isRead = crowd.isRead(new Map(order.heads));
      crowd.flush();
      return { kind: "read", isRead };
    }
    case "end":
      crowd.end();
      return { kind: "done", surprises: crowd.surprises };
    default:
      return unreachable(order);
  }
}

try {
  setPriority(process.pid, PRIORITY);
} catch {
  console.error("  the generator has no higher priority than the cluster: that needs root");
}
process.on("message", (order: OverloadOrder) => {
  obey(order).then(
    (answer) => process.send?.(answer),
    (error: unknown) => process.send?.({ kind: "failed", reason: String(error) }),
  );
});
process.on("disconnect", () => process.exit(0));
