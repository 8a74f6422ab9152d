// MembersProcess: a process that holds many sinks of one gateway, as its parent sees it. One
// process has too few file descriptors for the row MANY.
//
// Owns: the process, one command at a time. Does not own: the sinks (members-generator.ts).

import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { MembersAnswer, MembersCommand, MembersOptions } from "./members-generator.ts";

const GENERATOR = fileURLToPath(new URL("members-generator.ts", import.meta.url));

export class MembersProcess {
  readonly #child;

  constructor(options: MembersOptions) {
    this.#child = fork(GENERATOR, [JSON.stringify(options)]);
  }

  async command(command: MembersCommand): Promise<MembersAnswer> {
    this.#child.send(command);
    const ended = once(this.#child, "exit").then(() => {
      throw new Error("a process of members ended");
    });
    const [answer] = (await Promise.race([once(this.#child, "message"), ended])) as [MembersAnswer];
    if (answer.failure !== undefined) throw new Error(`members failed: ${answer.failure}`);
    return answer;
  }

  stop(): void {
    if (this.#child.connected) this.#child.disconnect(); // Then it exits.
  }
}
