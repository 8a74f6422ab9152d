// HttpFixture: a real HTTP server on a free port, with real tokens, in front of a RoomApi in
// memory. Its rooms have numbers without gaps, and a repeated id gets the first number.

import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import type { InjectOptions, LightMyRequestResponse } from "fastify";
import { systemClock } from "#shared/adapters/clock-system.ts";
import type { Counts } from "#shared/kit/counts.ts";
import type { Clock } from "#shared/ports/clock.ts";
import { createLogger } from "#shared/process/logger.ts";
import type { Body, RoomEvent } from "#shared/protocol/events.ts";
import { encodeEvent } from "#shared/protocol/events.ts";
import type { FindQuery, RoomsQuery } from "#shared/protocol/room-list.ts";
import type { NamedUser } from "#shared/protocol/names.ts";
import type { SearchQuery } from "#shared/protocol/search.ts";
import type { PreviewAnswer } from "#shared/protocol/link-previews.ts";
import type { WebhookRequest } from "#shared/protocol/webhooks.ts";
import type { MessageId, Millis, RoomId, UserId } from "#shared/protocol/ids.ts";
import { openAuthenticator } from "#shared/adapters/auth.ts";
import type { OpenedAuthenticator } from "#shared/adapters/auth.ts";
import { mintDevToken, openDevSecret } from "#shared/adapters/dev-token.ts";
import type { DevClaims } from "#shared/adapters/dev-token.ts";
import { buildHttp } from "../adapters/http.ts";
import type { Shedding } from "../core/shedding.ts";
import type { HttpConfig } from "../adapters/http.ts";
import type { HttpBounds, HttpSockets } from "../adapters/http-sockets.ts";
import { attachWebSockets } from "../adapters/websocket.ts";
import type {
  PageInput,
  PageOutcome,
  RoomApi,
  AboutOutcome,
  ClientWrite,
  InvitesOutcome,
  MembersOutcome,
  Refused,
  RoomReader,
  WriteOutcome,
} from "../core/room-api-port.ts";
import type {
  FindOutcome,
  RoomListsApi,
  RoomsOutcome,
  SearchOutcome,
} from "../core/room-lists-port.ts";
import type { NamesApi } from "../core/names-port.ts";
import type { LinkPreviewsApi } from "../core/link-previews-port.ts";
import type { WebhooksApi, WebhooksOutcome } from "../core/webhooks-port.ts";
import type {
  EndOutcome,
  RevokeOutcome,
  SessionsApi,
  SessionsOutcome,
} from "../core/sessions-port.ts";
import { MemoryAttachments } from "./memory-attachments.ts";
import type { SocketHandlers } from "../runtime/client-socket.ts";

export class MemoryRoomApi implements RoomApi {
  readonly health = { natsUp: true, draining: false };
  readonly sends: ClientWrite[] = [];
  readonly #rooms = new Map<RoomId, string[]>();
  readonly #answered = new Map<string, WriteOutcome>();
  /** Delays every page until it resolves. */
  before: (() => Promise<void>) | undefined;
  /** The requested pages. */
  readonly pages: PageInput[] = [];
  /** Replaces the answer to a page. */
  pageInstead: (() => PageOutcome) | undefined;
  /** Replaces the answers about a room and its members. */
  readInstead: (() => Refused) | undefined;
  /** The stored mute of the caller. */
  mutedUntil: Millis | undefined;
  /** Replaces every answer, for tests of failures. */
  instead: (() => never) | (() => WriteOutcome & PageOutcome) | undefined;

  async write(input: ClientWrite): Promise<WriteOutcome> {
    this.sends.push(input);
    if (this.instead !== undefined) return this.instead();
    const key = JSON.stringify([input.frame.room, input.user, input.frame.id]);
    const known = this.#answered.get(key);
    if (known?.kind === "sent") return { ...known, repeat: true };
    const outcome = this.#append(input);
    this.#answered.set(key, outcome);
    return outcome;
  }

  async page(input: PageInput): Promise<PageOutcome> {
    const { room, before, after, limit } = input;
    this.pages.push(input);
    await this.before?.();
    if (this.instead !== undefined) return this.instead();
    if (this.pageInstead !== undefined) return this.pageInstead();
    const lines = this.#rooms.get(room) ?? [];
    if (after !== undefined) {
      const events = lines.slice(after, after + limit);
      return { kind: "page", events, more: after + limit < lines.length };
    }
    const end = before === undefined ? lines.length : Math.min(before - 1, lines.length);
    const events = lines.slice(Math.max(0, end - limit), end);
    return { kind: "page", events, more: end > limit };
  }

  /** Empties all rooms. */
  forget(): void {
    this.sends.length = 0;
    this.#rooms.clear();
    this.#answered.clear();
  }

  /** The parts of imports; each gets the number of its last event. */
  readonly imports: object[] = [];

  importEvents(
    { room }: RoomReader,
    part: { readonly born: string; readonly events: readonly RoomEvent[] },
  ): Promise<WriteOutcome> {
    this.imports.push({ room, ...part });
    const { seq = 0, at = 0 } = part.events.at(-1) ?? {};
    return Promise.resolve(this.readInstead?.() ?? { kind: "sent", seq, at });
  }

  about({ room }: RoomReader): Promise<AboutOutcome> {
    const head = this.#rooms.get(room)?.length ?? 0;
    const { mutedUntil } = this;
    const known = { kind: "open", head, born: "", role: "member", members: 0 } as const;
    const about = { ...known, ...(mutedUntil !== undefined && { mutedUntil }) };
    return Promise.resolve(this.readInstead?.() ?? { kind: "about", about });
  }

  members({ user }: RoomReader): Promise<MembersOutcome> {
    const members = [{ user, role: "owner" }] as const;
    return Promise.resolve(this.readInstead?.() ?? { kind: "members", members, more: false });
  }

  invites(): Promise<InvitesOutcome> {
    const terms = { role: "member", uses: 3, used: 1 } as const;
    const at = Date.now();
    const invites = [at + 60_000, at - 60_000].map((until, i) => ({
      invite: `0199f000-0000-7000-8000-00000000000${i}` as MessageId,
      until,
      ...terms,
    }));
    return Promise.resolve(this.readInstead?.() ?? { kind: "invites", invites });
  }

  #append({ user, frame }: ClientWrite): WriteOutcome {
    const { room, id } = frame;
    const { body, replyTo } = frame.t === "send" ? frame : { body: {}, replyTo: undefined };
    const lines = this.#rooms.get(room) ?? [];
    this.#rooms.set(room, lines);
    const seq = lines.length + 1;
    const at = 1_795_500_000_000 + seq;
    lines.push(encodeEvent({ t: "msg", room, seq, id, from: user, at, body, replyTo }));
    return { kind: "sent", seq, at };
  }
}

/** Answers every list with the scripted outcome, and keeps the queries. */
export class ScriptedRoomLists implements RoomListsApi {
  readonly queries: object[] = [];
  listed: RoomsOutcome = { kind: "rooms", page: { rooms: [] } };
  found: FindOutcome = { kind: "found", found: { rooms: [] } };

  messages: SearchOutcome = { kind: "messages", found: { messages: [] } };

  search(query: SearchQuery): Promise<SearchOutcome> {
    this.queries.push(query);
    return Promise.resolve(this.messages);
  }

  rooms(query: RoomsQuery): Promise<RoomsOutcome> {
    this.queries.push(query);
    return Promise.resolve(this.listed);
  }

  find(query: FindQuery): Promise<FindOutcome> {
    this.queries.push(query);
    return Promise.resolve(this.found);
  }
}

/** Answers every request with the scripted outcome, and keeps the requests. */
export class ScriptedWebhooks implements WebhooksApi {
  readonly requests: WebhookRequest[] = [];
  outcome: WebhooksOutcome = { kind: "done" };

  ask(request: WebhookRequest): Promise<WebhooksOutcome> {
    this.requests.push(request);
    return Promise.resolve(this.outcome);
  }
}

/** Answers every call with the scripted outcome, and keeps the calls. */
export class ScriptedSessions implements SessionsApi {
  readonly calls: unknown[] = [];
  listed: SessionsOutcome = { kind: "sessions", list: { sessions: [], more: 0 } };
  ended: EndOutcome = { kind: "ended", ended: 1 };
  revoked: RevokeOutcome = { kind: "revoked", at: 7 };

  list(user: UserId): Promise<SessionsOutcome> {
    this.calls.push(["list", user]);
    return Promise.resolve(this.listed);
  }

  end(user: UserId, session: string | undefined): Promise<EndOutcome> {
    this.calls.push(["end", user, session]);
    return Promise.resolve(this.ended);
  }

  revoke(user: UserId, by: string): Promise<RevokeOutcome> {
    this.calls.push(["revoke", user, by]);
    return Promise.resolve(this.revoked);
  }
}

/** Named users, and what was removed. */
export class ScriptedNames implements NamesApi {
  readonly calls: (readonly string[])[] = [];
  known: readonly NamedUser[] = [];
  refused: "busy" | "unavailable" | undefined;

  names(by: UserId, users: readonly UserId[]): ReturnType<NamesApi["names"]> {
    this.calls.push([by, ...users]);
    if (this.refused !== undefined)
      return Promise.resolve({ kind: "refused", error: this.refused });
    const names = this.known.filter(([user]) => users.includes(user));
    return Promise.resolve({ kind: "names", names });
  }

  forget(by: UserId, user: UserId): ReturnType<NamesApi["forget"]> {
    this.calls.push([by, user]);
    if (this.refused !== undefined)
      return Promise.resolve({ kind: "refused", error: this.refused });
    return Promise.resolve({ kind: "forgotten" });
  }
}

export class ScriptedLinkPreviews implements LinkPreviewsApi {
  answer: PreviewAnswer = { kind: "none", reason: "nothing" };
  /** In the order of the requests. */
  readonly urls: string[] = [];

  preview(url: string): Promise<PreviewAnswer> {
    this.urls.push(url);
    return Promise.resolve(this.answer);
  }
}

export type Ask = Omit<RequestInit, "headers"> & { readonly headers?: Record<string, string> };

export interface HttpFixture extends AsyncDisposable {
  readonly url: string;
  readonly roomApi: MemoryRoomApi;
  /** The answers of the room lists. */
  readonly roomLists: ScriptedRoomLists;
  readonly names: ScriptedNames;
  readonly webhooks: ScriptedWebhooks;
  readonly linkPreviews: ScriptedLinkPreviews;
  readonly sessions: ScriptedSessions;
  readonly attachments: MemoryAttachments;
  readonly secret: Uint8Array;
  readonly sockets: HttpSockets;
  /** The address of each WebSocket, as the gateway counts it. */
  readonly upgraded: readonly string[];
  /** All log lines so far. */
  readonly logged: () => string;
  token(claims?: DevClaims): Promise<string>;
  /** A request without a socket. */
  readonly inject: (request: InjectOptions) => Promise<LightMyRequestResponse>;
  /** A request as "ada", unless the headers differ. */
  ask(path: string, init?: Ask): Promise<Response>;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
  /** A request as "ada" with a JSON body, and its JSON answer. */
  call(
    method: string,
    path: string,
    body?: object,
    headers?: Record<string, string>,
  ): Promise<{ readonly status: number; readonly answer: Record<string, unknown> }>;
}

export async function openHttpFixture(
  options: {
    readonly config?: Partial<HttpConfig>;
    readonly clock?: Clock;
    readonly auth?: OpenedAuthenticator;
    readonly withoutDevToken?: boolean;
    /** The cluster takes no attachments. */
    readonly withoutStore?: boolean;
    readonly bounds?: Partial<HttpBounds>;
    readonly requests?: Counts;
    readonly shedding?: Pick<Shedding, "refuse">;
    readonly logLevel?: "silent";
  } = {},
): Promise<HttpFixture> {
  const dir = await mkdtemp(join(tmpdir(), "parley-http-"));
  const devSecretFile = join(dir, "dev-secret");
  const secret = await openDevSecret(devSecretFile);
  const auth = options.auth ?? (await openAuthenticator({ auth: "dev", devSecretFile }));
  const roomApi = new MemoryRoomApi();
  const roomLists = new ScriptedRoomLists();
  const names = new ScriptedNames();
  const webhooks = new ScriptedWebhooks();
  const linkPreviews = new ScriptedLinkPreviews();
  const sessions = new ScriptedSessions();
  const attachments = new MemoryAttachments();
  const lines: string[] = [];
  const upgraded: string[] = [];
  const logger = createLogger({
    name: "http",
    level: options.logLevel ?? "trace",
    destination: collect(lines),
  });
  const app = await buildHttp({
    config: {
      origins: ["http://app.example"],
      limits: false,
      webDir: join(dir, "none"),
      ...options.config,
    },
    roomApi,
    roomLists,
    names,
    webhooks,
    linkPreviews,
    attachments: {
      ...attachments.options,
      ...(options.withoutStore === true && { store: undefined }),
    },
    sessions,
    auth,
    logger,
    clock: options.clock ?? systemClock,
    ...(options.bounds !== undefined && { bounds: options.bounds }),
    ...(options.requests !== undefined && { requests: options.requests }),
    ...(options.shedding !== undefined && { shedding: options.shedding }),
    ...(options.withoutDevToken !== true && { devSecret: secret }),
  });
  attachWebSockets({
    server: app.server,
    origins: ["http://app.example"],
    accept: (socket) => {
      upgraded.push(socket.address);
      return IDLE_SOCKET;
    },
    isDraining: () => roomApi.health.draining,
    shed: () => options.shedding?.refuse("connection"),
    addressOf: (request) => app.clients.of(request),
    onUpgraded: (socket) => app.sockets.release(socket),
    logger,
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  const token = (claims: DevClaims = { user: "ada" }) => mintDevToken(secret, claims, 3_600);
  const ask = async (path: string, init: Ask = {}) =>
    fetch(url + path, {
      ...init,
      headers: { authorization: `Bearer ${await token()}`, connection: "close", ...init.headers },
    });
  return {
    url,
    roomApi,
    roomLists,
    names,
    webhooks,
    linkPreviews,
    sessions,
    attachments,
    secret,
    sockets: app.sockets,
    upgraded,
    logged: () => lines.join(""),
    token,
    inject: (request) => app.inject(request),
    ask,
    post: (path, body, headers) =>
      ask(path, {
        method: "POST",
        body: typeof body === "string" ? body : JSON.stringify(body),
        headers: { "content-type": "application/json", ...headers },
      }),
    async call(method, path, body, headers) {
      const content = body === undefined ? {} : { "content-type": "application/json" };
      const response = await ask(path, {
        method,
        headers: { ...content, ...headers },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const answer = (await response.json()) as Record<string, unknown>;
      return { status: response.status, answer };
    },
    async [Symbol.asyncDispose]() {
      await app.close();
      auth.close();
      await rm(dir, { recursive: true });
    },
  };
}

/** A WebSocket of this fixture does nothing. */
const IDLE_SOCKET: SocketHandlers = {
  onText: () => undefined,
  onBinary: () => undefined,
  onPing: () => true,
  onPong: () => undefined,
  onActivity: () => undefined,
  onDrain: () => undefined,
  onClose: () => undefined,
};

/** The fields of a problem that tests compare. */
export async function problemOf(response: Response): Promise<Record<string, unknown>> {
  const body = (await response.json()) as Record<string, unknown>;
  return {
    status: response.status,
    type: response.headers.get("content-type"),
    name: body["name"],
    retry: body["retry"],
    ...("detail" in body && { detail: body["detail"] }),
  };
}

export const PROBLEM = "application/problem+json; charset=utf-8";

export function idNumber(n: number): MessageId {
  return `0199d3c0-0000-7000-8000-${n.toString(16).padStart(12, "0")}` as MessageId;
}

export function textBody(text: string): Body {
  return { text };
}

function collect(lines: string[]): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString("utf8"));
      done();
    },
  });
}
