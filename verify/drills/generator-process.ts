// GeneratorProcess: the process of the load generator, as its parent sees it.
//
// Owns: the process, one command at a time. Does not own: the load (offered-load.ts).

import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Offer, Offered } from "./offered-load.ts";
import type { OverloadAnswer, OverloadCommand } from "./overload-generator.ts";

const GENERATOR = fileURLToPath(new URL("overload-generator.ts", import.meta.url));

export class GeneratorProcess {
  readonly #child = fork(GENERATOR, [], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    serialization: "advanced", // JSON has no Infinity.
  });

  async command(command: OverloadCommand): Promise<OverloadAnswer> {
    this.#child.send(command);
    const [answer] = (await once(this.#child, "message")) as [OverloadAnswer];
    if (answer.kind === "failed") throw new Error(`the generator failed: ${answer.reason}`);
    return answer;
  }

  async offer(offer: Offer): Promise<Offered> {
    const answer = await this.command({ kind: "offer", offer });
    if (answer.kind !== "figures")
      throw new Error(`expected figures as the answer to an offer, got ${answer.kind}`);
    return answer.figures;
  }

  async done(command: OverloadCommand): Promise<readonly string[]> {
    const answer = await this.command(command);
    return answer.kind === "done" ? answer.surprises : [];
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  stop(): void {
    if (this.#child.connected) this.#child.disconnect(); // Then it exits.
  }
}
