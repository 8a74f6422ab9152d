// SocketMemory: bytes that connections hold because their clients do not read, or send more than is due.
//
// Owns: what each connection holds, what each user's hold together, and which is closed when that is too
// much. Does not own: the bound of one socket (connection.ts), what a connection counts.
//
//   socket-memory.1. A connection counts what waits in its socket, what this turn will write, and what it sent that
//        is not decoded yet. One frame that waits in many sockets counts in each of them.
//   socket-memory.2. Above SOCKETS_BYTES_PER_USER_MAX the user's largest connection is closed with 4000; above the
//        bound of the process's account the largest of all, until what is left is below it. Those that
//        hold less than SHED_FROM_BYTES are spared: closing them would help nobody.
//   socket-memory.3. What a closed connection usage goes within a second more (its peer may still take the reason).

import type { MemoryAccount } from "#shared/kit/memory-account.ts";
import { SHED_FROM_BYTES, SOCKETS_BYTES_PER_USER_MAX } from "../core/bounds.ts";

export type GatewayMemoryLine = "sockets" | "rings" | "held" | "lanes";

export interface Holder {
  /** Undefined before the hello. */
  readonly user: string | undefined;
  /** Counts again what it holds, and says so with `set`. */
  reportMemory(): void;
  /** Too far behind: close with 4000. It no longer holds anything then. */
  closeAsSlow(): void;
}

interface Usage {
  bytes: number;
  readonly user: string | undefined;
}

export class SocketMemory {
  readonly #account: MemoryAccount<GatewayMemoryLine>;
  readonly #holders = new Map<Holder, Usage>();
  readonly #byUser = new Map<string, number>();

  constructor(account: MemoryAccount<GatewayMemoryLine>) {
    this.#account = account;
  }

  /** Connections that hold something. */
  get holders(): number {
    return this.#holders.size;
  }

  set(holder: Holder, bytes: number): void {
    const usage = this.#holders.get(holder);
    const more = bytes - (usage?.bytes ?? 0);
    if (more === 0) return;
    const user = usage === undefined ? holder.user : usage.user;
    if (bytes === 0) this.#holders.delete(holder);
    else if (usage === undefined) this.#holders.set(holder, { bytes, user });
    else usage.bytes = bytes;
    this.#account.add("sockets", more);
    if (user !== undefined) {
      const sum = (this.#byUser.get(user) ?? 0) + more;
      if (sum === 0) this.#byUser.delete(user);
      else this.#byUser.set(user, sum);
      if (more > 0 && sum > SOCKETS_BYTES_PER_USER_MAX) this.#shedUser(user);
    }
    if (more > 0 && this.#account.over > 0) this.#shed();
  }

  /** Looks again at all that hold something: a socket says that it drained only when it is empty. */
  recount(): void {
    for (const holder of this.#holders.keys()) holder.reportMemory();
    if (this.#account.over > 0) this.#shed();
  }

  #shedUser(user: string): void {
    while ((this.#byUser.get(user) ?? 0) > SOCKETS_BYTES_PER_USER_MAX) {
      if (!this.#closeLargest((usage) => usage.user === user)) return;
    }
  }

  #shed(): void {
    while (this.#account.over > 0 && this.#closeLargest(() => true));
  }

  #closeLargest(isEligible: (usage: Usage) => boolean): boolean {
    let largest: Holder | undefined;
    let bytes = SHED_FROM_BYTES;
    for (const [holder, usage] of this.#holders) {
      if (usage.bytes < bytes || !isEligible(usage)) continue;
      largest = holder;
      bytes = usage.bytes + 1;
    }
    if (largest === undefined) return false;
    largest.closeAsSlow();
    this.set(largest, 0);
    return true;
  }
}
