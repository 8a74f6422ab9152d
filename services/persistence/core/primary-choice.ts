// PrimaryChoice: decides which of several servers is the primary of the archive. Pure.
//
//   primary-choice.1. Only a server that takes writes is chosen. Of several, the one with the
//        highest timeline is chosen, because each promotion begins a new timeline.
//   primary-choice.2. The choice changes to a higher timeline only. So a lost primary that returns
//        is not chosen again, and a server that is silent or has become a standby stays chosen
//        until another one is promoted.

export type ServerState =
  | { readonly kind: "primary"; readonly timeline: number }
  | { readonly kind: "standby" }
  | { readonly kind: "silent"; readonly reason: string };

export class PrimaryChoice<Server> {
  #server: Server | undefined;
  #timeline = 0;

  get server(): Server | undefined {
    return this.#server;
  }

  /** Returns true when the choice changes. */
  learn(server: Server, state: ServerState): boolean {
    if (state.kind !== "primary" || state.timeline <= this.#timeline) return false;
    this.#timeline = state.timeline;
    if (this.#server === server) return false;
    this.#server = server;
    return true;
  }
}
