// OperatorRequests: what an operator asks of the processes, and does to them: the one path of the
// `parley` command and of the admin page.
//
// Owns: the requests on `ctl.*`, `sess` and `hook.manage`, the collection of their answers, and
// what each outcome means. Does not own: who may ask (the NATS user; the admin page also checks a
// token), the texts for a terminal or a page.
//
//   operator-requests.1. It has no list of the processes: it collects the answers that arrive
//        within GATHER_MS, and skips an answer that it cannot decode. Where the caller knows the
//        pids of all processes, it waits QUIET_MS behind the last of them for a process that was
//        started beside them.
//   operator-requests.2. A user is kicked by a revocation that is stored first, as for `POST
//        /v1/users/{user}/revoke`. A connection that opens between the two steps with an old token
//        is closed when its gateway receives the revocation, within two seconds (E6).

import { setTimeout as sleep } from "node:timers/promises";
import type { NatsConnection } from "@nats-io/transport-node";
import {
  decodeDrain,
  decodeKick,
  decodeRooms,
  decodeStatus,
  encodeControl,
} from "../protocol/control.ts";
import type { ControlRequest, ControlVerb, ProcessStatus } from "../protocol/control.ts";
import type { Millis, ProcessId, RoomId, UserId } from "../protocol/ids.ts";
import type { SessionId } from "../protocol/session-records.ts";
import { decodeSessionAnswer, encodeSessionRequest } from "../protocol/session-requests.ts";
import type { SessionAnswer, SessionList, SessionRequest } from "../protocol/session-requests.ts";
import { subjects } from "../protocol/subjects.ts";
import type { ListedWebhook } from "../protocol/webhooks.ts";

const GATHER_MS = 1_000;
const QUIET_MS = 50;
/** Longer than persistence waits for the end of sessions. */
const TIMEOUT_MS = 5_000;

/** A room over all gateways. */
export interface RoomSummary {
  readonly room: RoomId;
  readonly sessions: number;
  readonly head: number;
}

/** `more`: the number of rooms that the answers left out. */
export interface RoomSummaries {
  readonly rooms: readonly RoomSummary[];
  readonly more: number;
}

/** `full`: no further revocation fits. `away`: no persistence process answers. */
export type Refused = { readonly kind: "refused"; readonly reason: "full" | "away" };

export class OperatorRequests {
  readonly #nats: NatsConnection;

  /** The prefix of its inboxes is one on which the processes may answer (`_INBOX_ctl`). */
  constructor(nats: NatsConnection) {
    this.#nats = nats;
  }

  /** `known`: the pids of all processes that will answer, where the caller knows them. */
  async status(by: string, known?: ReadonlySet<number>): Promise<readonly ProcessStatus[]> {
    const missing = new Set(known);
    const isLast = (text: string): boolean => {
      missing.delete(decodeStatus(text)?.pid ?? 0);
      return known !== undefined && known.size > 0 && missing.size === 0;
    };
    const answers = await this.#gather("status", { by }, isLast);
    return answers.flatMap((text) => decodeStatus(text) ?? []);
  }

  /** Rooms with sessions, the largest first. */
  async rooms(by: string): Promise<RoomSummaries> {
    const answers = (await this.#gather("rooms", { by })).flatMap(
      (text) => decodeRooms(text) ?? [],
    );
    const found = new Map<RoomId, RoomSummary>();
    for (const [room, sessions, head] of answers.flatMap(({ rooms }) => rooms)) {
      const before = found.get(room);
      found.set(room, {
        room,
        sessions: sessions + (before?.sessions ?? 0),
        head: Math.max(head, before?.head ?? 0),
      });
    }
    const rooms = [...found.values()].toSorted((a, b) => b.sessions - a.sessions);
    return { rooms, more: answers.reduce((sum, { more }) => sum + more, 0) };
  }

  /** True when the process answered that it drains. */
  async drain(by: string, id: ProcessId): Promise<boolean> {
    const answers = await this.#gather("drain", { by, id });
    return answers.some((text) => decodeDrain(text) !== undefined);
  }

  /** operator-requests.2. `closed`: the connections that were closed at once. */
  async kick(
    by: string,
    user: UserId,
  ): Promise<{ readonly kind: "kicked"; readonly closed: number } | Refused> {
    const revoked = await this.revoke(by, user);
    if (revoked.kind === "refused") return revoked;
    return { kind: "kicked", closed: await this.closeConnections(by, user) };
  }

  /** How many connections the gateways closed. Without a revocation the user may connect again. */
  async closeConnections(by: string, user: UserId): Promise<number> {
    const answers = await this.#gather("kick", { by, user });
    return answers.reduce((sum, text) => sum + (decodeKick(text)?.closed ?? 0), 0);
  }

  /** Refuses the tokens of the user that were issued until `at`. */
  async revoke(
    by: string,
    user: UserId,
  ): Promise<{ readonly kind: "revoked"; readonly at: Millis } | Refused> {
    const answer = await this.#askSessions({ op: "revoke", user, by });
    if (answer?.ok === true && answer.op === "revoke") return { kind: "revoked", at: answer.at };
    return refusal(answer);
  }

  async sessions(user: UserId): Promise<({ readonly kind: "sessions" } & SessionList) | Refused> {
    const answer = await this.#askSessions({ op: "list", user });
    if (answer?.ok !== true || answer.op !== "list") return refusal(answer);
    const { sessions, more } = answer;
    return { kind: "sessions", sessions, more };
  }

  /** `left`: sessions whose gateway has not confirmed the end. */
  async endSession(
    user: UserId,
    session: SessionId,
  ): Promise<{ readonly kind: "ended"; readonly ended: number; readonly left: number } | Refused> {
    const answer = await this.#askSessions({ op: "end", user, session, reason: "ended" });
    if (answer?.ok !== true || answer.op !== "end") return refusal(answer);
    return { kind: "ended", ended: answer.ended, left: answer.left };
  }

  /** Undefined: no process that sends webhooks answers. */
  async webhooks(): Promise<readonly ListedWebhook[] | undefined> {
    // On demand: its schemas need zod, which no other request does, and a command starts with this.
    const { decodeWebhookAnswer, encodeWebhookRequest } = await import("../protocol/webhooks.ts");
    const text = await this.#ask(subjects.manageWebhooks, encodeWebhookRequest({ op: "list" }));
    const answer = text === undefined ? undefined : decodeWebhookAnswer(text);
    return answer?.kind === "webhooks" ? answer.webhooks : undefined;
  }

  async #askSessions(request: SessionRequest): Promise<SessionAnswer | undefined> {
    const text = await this.#ask(subjects.sessions, encodeSessionRequest(request));
    return text === undefined ? undefined : decodeSessionAnswer(text);
  }

  #ask(subject: string, request: string): Promise<string | undefined> {
    return this.#nats.request(subject, request, { timeout: TIMEOUT_MS }).then(
      (message) => message.string(),
      () => undefined, // No process answers.
    );
  }

  /** operator-requests.1. */
  async #gather(
    verb: ControlVerb,
    request: Omit<ControlRequest, "v">,
    isLast: (answer: string) => boolean = () => false,
  ): Promise<readonly string[]> {
    const answers: string[] = [];
    const gathered = await this.#nats.requestMany(subjects.control(verb), encodeControl(request), {
      strategy: "timer",
      maxWait: GATHER_MS,
    });
    const whole = Promise.withResolvers<void>();
    const gather = async (): Promise<void> => {
      for await (const message of gathered) {
        if (message.data.length === 0) continue;
        const answer = message.string();
        answers.push(answer);
        if (isLast(answer)) whole.resolve();
      }
    };
    await Promise.race([gather(), whole.promise.then(() => sleep(QUIET_MS))]);
    return [...answers];
  }
}

function refusal(answer: SessionAnswer | undefined): Refused {
  const isFull = answer?.ok === false && answer.error === "full";
  return { kind: "refused", reason: isFull ? "full" : "away" };
}
