// Actions: what an administrator does to the cluster, with a line of the log for each.
//
// Owns: which request an action is, and its audit. Does not own: the requests, which the `parley`
// command sends too (shared/adapters/operator-requests.ts); the confirmation (client/operator).
//
//   actions.1. Each action leaves one line of the log, with who, what, to whom, from which address,
//        and the outcome. The processes that carry it out log its author too (control.2, E6).
//   actions.2. Only a process that answers can be drained.

import { unreachable } from "#shared/kit/assert.ts";
import type { OperatorRequests } from "#shared/adapters/operator-requests.ts";
import type { Logger } from "#shared/process/logger.ts";
import type { ErrorName } from "#shared/protocol/errors.ts";
import type { UserId } from "#shared/protocol/ids.ts";
import type { OperatorAction, OperatorActionResult } from "#shared/protocol/operator-page.ts";

export interface ActionRefusal {
  readonly error: Extract<ErrorName, "not_found" | "conflict" | "unavailable">;
  readonly detail: string;
}

export type ActionOutcome =
  | { readonly kind: "done"; readonly result: OperatorActionResult }
  | ({ readonly kind: "refused" } & ActionRefusal);

export interface Actor {
  readonly user: UserId;
  readonly address: string;
}

const UNKNOWN: ActionRefusal = {
  error: "not_found",
  detail: "No process with this id answers. It may have ended: see the list of processes.",
};
const AWAY: ActionRefusal = {
  error: "unavailable",
  detail: "No persistence process answers, so nothing was changed.",
};
const FULL: ActionRefusal = {
  error: "conflict",
  detail: "The tokens of too many users are revoked already: each revocation ends after 31 days.",
};

export class Actions {
  readonly #requests: OperatorRequests;
  readonly #logger: Pick<Logger, "warn">;

  constructor(parts: {
    readonly requests: OperatorRequests;
    readonly logger: Pick<Logger, "warn">;
  }) {
    this.#requests = parts.requests;
    this.#logger = parts.logger;
  }

  /** Rejects without a connection to NATS; the audit has its line then too. */
  async perform(action: OperatorAction, { user: by, address }: Actor): Promise<ActionOutcome> {
    const { action: what, ...target } = action;
    let outcome: ActionOutcome | undefined;
    try {
      outcome = await this.#request(action, `${by} (admin page)`);
      return outcome;
    } finally {
      const text = outcome?.kind === "refused" ? outcome.error : (outcome?.kind ?? "failed");
      this.#logger.warn({ by, address, what, ...target, outcome: text }, "an administrator acted");
    }
  }

  async #request(action: OperatorAction, by: string): Promise<ActionOutcome> {
    const requests = this.#requests;
    switch (action.action) {
      case "drain": {
        const { process } = action;
        const drains = await requests.drain(by, process);
        return drains ? done({ action: "drain", process }) : { kind: "refused", ...UNKNOWN };
      }
      case "kick": {
        const outcome = await requests.kick(by, action.user);
        if (outcome.kind === "refused") return refused(outcome.reason);
        return done({ action: "kick", closed: outcome.closed });
      }
      case "revoke": {
        const outcome = await requests.revoke(by, action.user);
        if (outcome.kind === "refused") return refused(outcome.reason);
        return done({ action: "revoke", at: outcome.at });
      }
      case "end": {
        const outcome = await requests.endSession(action.user, action.session);
        if (outcome.kind === "refused") return refused(outcome.reason);
        return done({ action: "end", ended: outcome.ended, left: outcome.left });
      }
      default:
        return unreachable(action);
    }
  }
}

function done(result: OperatorActionResult): ActionOutcome {
  return { kind: "done", result };
}

function refused(reason: "full" | "away"): ActionOutcome {
  return { kind: "refused", ...(reason === "full" ? FULL : AWAY) };
}
