// SocketMemory: bytes that connections hold because their clients read slowly or send too much.
//
// Owns: the bytes of each connection and of each user, and the choice of the connection to close.
// Does not own: the bound of one socket (connection.ts), the measurement of a connection.
//
//   socket-memory.1. A connection counts the bytes in its socket, the bytes that this iteration
//        will write, and the received text that is not decoded. A frame that waits in several
//        sockets counts in each of them.
//   socket-memory.2. Above SOCKETS_BYTES_PER_USER_MAX the user's largest connection is closed with
//        4000. Above the bound of the process, the largest of all connections is closed, until the
//        rest is below the bound. Connections below SHED_FROM_BYTES stay open, because closing them
//        frees too little.
//   socket-memory.3. The memory of a closed connection is freed within one more second, in which
//        its peer may still receive the reason.

import type { MemoryAccount } from "#shared/kit/memory-account.ts";
import { SHED_FROM_BYTES, SOCKETS_BYTES_PER_USER_MAX } from "../core/bounds.ts";

export type GatewayMemoryLine =
  | "sockets"
  | "rings"
  | "held"
  | "lanes"
  | "reads"
  | "notes"
  | "files";

export interface Holder {
  /** Undefined before the hello. */
  readonly user: string | undefined;
  /** Measures the memory again and reports it with `set`. */
  reportMemory(): void;
  /** Closes the connection with 4000. It then holds nothing. */
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

  /** Connections that hold memory. */
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

  /** Measures all connections that hold memory. A socket reports a drain only when it is empty. */
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
