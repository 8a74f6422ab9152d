// SessionDesk: answers `sess` from a store in memory, for tests of a gateway.

import type { MemoryBus } from "#shared/adapters/bus-memory.ts";
import { unreachable } from "#shared/kit/assert.ts";
import type { SessionStore } from "#shared/ports/session-store.ts";
import { decodeSessionRequest, encodeSessionAnswer } from "#shared/protocol/session-requests.ts";
import type { SessionAnswer, SessionRequest } from "#shared/protocol/session-requests.ts";
import { SESSION_QUEUE, subjects } from "#shared/protocol/subjects.ts";

export class SessionDesk {
  readonly requests: SessionRequest[] = [];
  /** Answers instead of the store; undefined: the request gets no answer. */
  instead: ((request: SessionRequest) => SessionAnswer | undefined) | undefined;

  constructor(bus: MemoryBus, store: SessionStore) {
    bus.subscribe(
      subjects.sessions,
      ({ data, reply }) => {
        const request = decodeSessionRequest(new TextDecoder().decode(data));
        if (request === undefined || reply === undefined) throw new Error("a broken request");
        this.requests.push(request);
        const answer = this.instead ? Promise.resolve(this.instead(request)) : ask(store, request);
        void answer.then((it) => it && bus.publish(reply, encodeSessionAnswer(it)));
      },
      { queue: SESSION_QUEUE },
    );
  }

  opsOf(...ops: readonly SessionRequest["op"][]): readonly SessionRequest[] {
    return this.requests.filter(({ op }) => ops.includes(op));
  }
}

async function ask(store: SessionStore, request: SessionRequest): Promise<SessionAnswer> {
  const { op } = request;
  switch (op) {
    case "lease": {
      const lease = await store.lease(request.gateway);
      return lease.kind === "ok" ? { ok: true, op, ...lease.value } : away();
    }
    case "leave":
      return (await store.leave(request.gateway)).kind === "ok" ? { ok: true, op } : away();
    case "write":
      return { ok: true, op, revisions: await store.write(request.writes) };
    case "list": {
      const list = await store.list(request.user);
      return list.kind === "ok" ? { ok: true, op, ...list.value } : away();
    }
    case "end":
      return { ok: true, op, ended: 0, left: 1 };
    case "revoke":
      return { ok: false, error: "full" };
    default:
      return unreachable(op);
  }
}

function away(): SessionAnswer {
  return { ok: false, error: "unavailable" };
}
