// Control: answers the requests of the `parley` command.
//
// Owns: the subscriptions on `ctl.*`, the answers, and a log line for every request that changes
// something. Does not own: the content of a status, draining and kicking (main.ts passes them).
//
//   control.1. A request of another version, or one that cannot be decoded, is logged and not
//        answered (N5).
//   control.2. A request that changes something is logged with its author.

import { hostname } from "node:os";
import { unreachable } from "../kit/assert.ts";
import type { Bus, BusMessage, Subscription } from "../ports/bus.ts";
import { decodeControl, encodeAnswer } from "../protocol/control.ts";
import type {
  ControlAnswer,
  ControlRequest,
  ControlVerb,
  ProcessStatus,
  RoomsAnswer,
} from "../protocol/control.ts";
import type { NodeKind, ProcessId, UserId } from "../protocol/ids.ts";
import { subjects } from "../protocol/subjects.ts";
import type { Logger } from "./logger.ts";

type CommonField = "v" | "id" | "kind" | "version" | "host" | "pid" | "upSeconds";

export interface ControlOptions {
  readonly id: ProcessId;
  readonly kind: NodeKind;
  readonly version: string;
  readonly bus: Pick<Bus, "publish" | "subscribe">;
  readonly logger: Logger;
  /** The fields of a status that this kind of service adds. */
  readonly describe: () => Omit<ProcessStatus, CommonField>;
  /** Gateways only: their rooms. */
  readonly rooms?: () => Pick<RoomsAnswer, "rooms" | "more">;
  /** Hands over all work and ends the process. */
  readonly drain: () => void;
  /** Gateways only: closes a user's connections and returns how many. */
  readonly kick?: (user: UserId) => number;
}

const VERBS: readonly ControlVerb[] = ["status", "rooms", "drain", "kick"];

export function openControl(options: ControlOptions): Subscription {
  const subscriptions = VERBS.map((verb) =>
    options.bus.subscribe(subjects.control(verb), (message) => onRequest(verb, message, options)),
  );
  return {
    unsubscribe: () => subscriptions.forEach((subscription) => subscription.unsubscribe()),
  };
}

function onRequest(verb: ControlVerb, { data, reply }: BusMessage, options: ControlOptions): void {
  const { bus, logger } = options;
  const request = decodeControl(new TextDecoder().decode(data));
  // control.1
  if (request === undefined) return logger.warn({ verb }, "a control message was refused");
  const answer = perform(verb, request, options);
  if (answer !== undefined && reply !== undefined) bus.publish(reply, encodeAnswer(answer));
}

/** Undefined: the request does not concern this process. */
function perform(
  verb: ControlVerb,
  { by, id, user }: ControlRequest,
  options: ControlOptions,
): ControlAnswer | undefined {
  const { logger } = options;
  switch (verb) {
    case "status":
      return statusOf(options);
    case "rooms":
      return options.rooms && { v: 1, id: options.id, ...options.rooms() };
    case "drain":
      if (id !== options.id) return undefined;
      logger.warn({ by }, "drained by an operator"); // control.2
      options.drain();
      return { v: 1, id };
    case "kick": {
      if (user === undefined || options.kick === undefined) return undefined;
      const closed = options.kick(user);
      logger.warn({ by, user, closed }, "a user was kicked by an operator"); // control.2
      return { v: 1, id: options.id, closed };
    }
    default:
      return unreachable(verb);
  }
}

function statusOf({ id, kind, version, describe }: ControlOptions): ProcessStatus {
  const common = { v: 1, id, kind, version, host: hostname(), pid: process.pid } as const;
  return { ...common, upSeconds: Math.round(process.uptime()), ...describe() };
}
