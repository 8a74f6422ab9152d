// OperatorFixture: the routes of the admin page over a cluster that a test describes.

import type { FastifyInstance } from "fastify";
import { OperatorRequests } from "#shared/adapters/operator-requests.ts";
import type { Verification } from "#shared/ports/identity.ts";
import type { Logger } from "#shared/process/logger.ts";
import type { ProcessStatus } from "#shared/protocol/control.ts";
import type { ProcessId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { CSRF_HEADER } from "#shared/protocol/operator-page.ts";
import type { SignedIn } from "#shared/protocol/operator-page.ts";
import { buildOperatorHttp } from "../adapters/http.ts";
import type { OperatorHttpParts } from "../adapters/http.ts";
import { SignIns } from "../core/sign-ins.ts";
import { Actions } from "../runtime/actions.ts";
import { ClusterWatch } from "../runtime/cluster-watch.ts";

export const ORIGIN = "http://localhost:8090";
export const ROOM_NODE = "room-0123456789ab" as ProcessId;
export const SESSION = "0190a1b2-c3d4-7e5f-8a9b-0123456789ab";
const TOKEN_LIFE_MS = 3_600_000;

/** What the cluster answers, and what it was asked. */
export class ScriptedRequests extends OperatorRequests {
  readonly asked: unknown[][] = [];
  statuses: readonly ProcessStatus[] = [
    {
      v: 1,
      id: ROOM_NODE,
      kind: "room",
      version: "1",
      host: "h",
      pid: 7,
      upSeconds: 90,
      partitions: 1,
      owns: { 0: 812 },
      rooms: 2,
    },
  ];
  isAway = false;

  constructor() {
    super(undefined as never); // No method of it reaches NATS.
  }

  override status(by: string): Promise<readonly ProcessStatus[]> {
    this.asked.push(["status", by]);
    return Promise.resolve(this.statuses);
  }
  override rooms(): ReturnType<OperatorRequests["rooms"]> {
    const rooms = ["general", "plans"].map((room) => ({
      room: room as RoomId,
      sessions: 1,
      head: 3,
    }));
    return Promise.resolve({ rooms, more: 0 });
  }
  override drain(by: string, id: ProcessId): Promise<boolean> {
    this.asked.push(["drain", by, id]);
    return Promise.resolve(this.statuses.some((one) => one.id === id));
  }
  override kick(by: string, user: UserId): ReturnType<OperatorRequests["kick"]> {
    this.asked.push(["kick", by, user]);
    if (this.isAway) return Promise.resolve({ kind: "refused", reason: "away" });
    return Promise.resolve({ kind: "kicked", closed: 2 });
  }
  override revoke(by: string, user: UserId): ReturnType<OperatorRequests["revoke"]> {
    this.asked.push(["revoke", by, user]);
    if (this.isAway) return Promise.resolve({ kind: "refused", reason: "full" });
    return Promise.resolve({ kind: "revoked", at: 5 });
  }
  override sessions(user: UserId): ReturnType<OperatorRequests["sessions"]> {
    if (this.isAway) return Promise.resolve({ kind: "refused", reason: "away" });
    const record = { user, session: SESSION as never, gateway: "gw-1" as ProcessId, since: 1 };
    const sessions = Array.from({ length: 30 }, () => record);
    return Promise.resolve({ kind: "sessions", sessions, more: 0 });
  }
  override endSession(user: UserId, session: never): ReturnType<OperatorRequests["endSession"]> {
    this.asked.push(["end", user, session]);
    return Promise.resolve({ kind: "ended", ended: 1, left: 0 });
  }
  override webhooks(): ReturnType<OperatorRequests["webhooks"]> {
    return Promise.resolve(undefined);
  }
}

export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly headers: Readonly<Record<string, unknown>>;
}

export class OperatorFixture {
  readonly requests = new ScriptedRequests();
  readonly logged: { readonly text: string; readonly [field: string]: unknown }[] = [];
  readonly revoked = new Set<string>();
  readonly app: FastifyInstance;
  now = 1_700_000_000_000;
  status: "connected" | "disconnected" = "connected";

  /** `more`: instead of the parts of the fixture. */
  static async open(
    origins: readonly string[] = [ORIGIN],
    more: {
      readonly config?: Partial<OperatorHttpParts["config"]>;
      readonly auth?: OperatorHttpParts["auth"];
    } = {},
  ): Promise<OperatorFixture> {
    const fixture = new OperatorFixture(undefined as never);
    const { requests } = fixture;
    const log = (fields: object, text: string): void =>
      void fixture.logged.push({ ...fields, text });
    const logger = { info: log, warn: log, error: log } as unknown as Logger;
    const clock = { now: () => fixture.now, monotonic: () => fixture.now };
    const bus = {
      get status() {
        return fixture.status;
      },
    };
    const app = await buildOperatorHttp({
      config: {
        origins,
        webDir: "no-such-folder",
        signIn: { kind: "dev" },
        signInOrigins: [],
        ...more.config,
      },
      auth: more.auth ?? {
        keysLoaded: true,
        verify: (token) => Promise.resolve(verify(token, fixture.now)),
      },
      signIns: new SignIns(({ user }) => fixture.revoked.has(user)),
      watch: new ClusterWatch({ requests, bus, clock }),
      requests,
      actions: new Actions({ requests, logger }),
      clock,
      logger,
    });
    return Object.assign(fixture, { app });
  }

  private constructor(app: FastifyInstance) {
    this.app = app;
  }

  async ask(
    method: "GET" | "POST" | "DELETE",
    path: string,
    headers: Record<string, string> = {},
    body?: unknown,
  ): Promise<Answer> {
    const payload = typeof body === "string" ? body : JSON.stringify(body);
    const response = await this.app.inject({
      method,
      url: `/operator${path}`,
      headers: { ...(body !== undefined && { "content-type": "application/json" }), ...headers },
      ...(body !== undefined && { payload }),
    });
    const { statusCode: status, headers: answered } = response;
    return { status, body: response.json(), headers: answered };
  }

  /** The headers of a page that is signed in as `user`. */
  async signIn(user = "ada"): Promise<Record<string, string>> {
    const answer = await this.ask("POST", "/sign-in", {}, { token: `admin ${user}` });
    const cookie = String(answer.headers["set-cookie"]).split(";")[0] ?? "";
    return { cookie, [CSRF_HEADER]: (answer.body as unknown as SignedIn).csrf };
  }
}

/** `admin ada`: a token of an administrator; `user bob`: one of a user. */
function verify(token: string, now: number): Verification {
  const [role, user] = token.split(" ");
  if (user === undefined) return { kind: "refused", error: "unauthorized" };
  const identity = { user: user as UserId, admin: role === "admin", issuedAt: now };
  return { kind: "ok", identity: { ...identity, expiresAt: now + TOKEN_LIFE_MS } };
}
