// Relay process: the relay in a process of its own, so that no other work delays a packet.
//
//   node verify/regions/relay-process.ts <host> <port> <cables as JSON>

import { Relay } from "./relay.ts";
import type { Cable } from "./relay.ts";

/** Every command is answered with its number when it has taken effect. */
export interface RelayCommand {
  readonly n: number;
  /** The cables and directions to cut; all others are open. */
  readonly cuts: readonly { readonly id: number; readonly from: string }[];
}

export interface RelayAnswer {
  readonly n: number;
}

const [host = "", port = "", cablesText = "[]"] = process.argv.slice(2);
const cables = JSON.parse(cablesText) as readonly Cable[];
const relay = new Relay(cables, Number(port));
await relay.listen(host);
process.on("message", ({ n, cuts }: RelayCommand) => {
  for (const { id, ends } of cables) {
    for (const from of ends) {
      const isCut = cuts.some((cut) => cut.id === id && cut.from === from);
      relay.cut(id, from, isCut);
    }
  }
  answer({ n });
});
process.on("disconnect", () => relay.close()); // The drill exited: nothing else keeps this process.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => undefined);
answer({ n: 0 });

function answer(message: RelayAnswer): void {
  process.send?.(message);
}
