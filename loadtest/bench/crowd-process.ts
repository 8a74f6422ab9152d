// CrowdProcess: a process that holds many sinks of one gateway, as its parent sees it. One process
// has too few file descriptors for the row CROWD.
//
// Owns: the process, one command at a time. Does not own: the sinks (crowd-generator.ts).

import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Crowd, CrowdAnswer, CrowdCommand } from "./crowd-generator.ts";

const GENERATOR = fileURLToPath(new URL("crowd-generator.ts", import.meta.url));

export class CrowdProcess {
  readonly #child;

  constructor(crowd: Crowd) {
    this.#child = fork(GENERATOR, [JSON.stringify(crowd)]);
  }

  async command(command: CrowdCommand): Promise<CrowdAnswer> {
    this.#child.send(command);
    const ended = once(this.#child, "exit").then(() => {
      throw new Error("a process of the crowd ended");
    });
    const [answer] = (await Promise.race([once(this.#child, "message"), ended])) as [CrowdAnswer];
    if (answer.failure !== undefined) throw new Error(`a crowd failed: ${answer.failure}`);
    return answer;
  }

  stop(): void {
    if (this.#child.connected) this.#child.disconnect(); // Then it exits.
  }
}
