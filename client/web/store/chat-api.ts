// ChatApi: the questions that this page asks over HTTP: settings, members, pins, open rooms. All of
// them are read again when they are needed; what must not be missed comes over the WebSocket.
//
//   chat-api.1. A refusal is thrown as ApiError with a name of the table of errors.
//   chat-api.2. A token is kept until the server refuses it. Then one new token is tried.

import { isObject } from "#shared/kit/json.ts";
import type { RoomSettings } from "#shared/protocol/events.ts";
import type { FoundRooms } from "#shared/protocol/room-list.ts";
import type { Role } from "#shared/protocol/roles.ts";
import type { FilePort } from "./files/file-port.ts";
import type { ShownMessage } from "#client/sdk/timeline/shown-message.ts";
import type { SessionsPort } from "./device-list.ts";

export interface RoomAbout extends RoomSettings {
  readonly head: number;
  /** Of this user. */
  readonly role: Role;
  readonly mutedUntil?: number | undefined;
  readonly members: number;
}

export interface StoredMember {
  readonly user: string;
  readonly role: Role;
  readonly mutedUntil?: number | undefined;
  readonly banned?: boolean | undefined;
}

export interface MembersPage {
  readonly members: readonly StoredMember[];
  readonly more: boolean;
}

export interface PinsPage {
  readonly events: readonly ShownMessage[];
  readonly more: boolean;
  readonly first: number;
}

export interface FoundMessage {
  readonly room: string;
  readonly seq: number;
  readonly from: string;
  readonly at: number;
  readonly text: string;
  /** The found words in `text`: [begin, end). */
  readonly highlights: readonly (readonly [number, number])[];
  /** The message has more text. */
  readonly cut?: true;
}

export interface FoundMessages {
  readonly messages: readonly FoundMessage[];
  /** The `cursor` of the next page. */
  readonly next?: string;
}

export interface SearchQuery {
  readonly text: string;
  /** Only in this room; otherwise in all rooms of the user. */
  readonly room?: string | undefined;
  readonly cursor?: string | undefined;
}

/** An invite in force. Its token is only where it was made. */
export interface StoredInvite {
  readonly invite: string;
  /** In ms since 1970. */
  readonly until: number;
  readonly uses: number;
  readonly used: number;
}

export interface NamedUser {
  readonly user: string;
  /** The display name. */
  readonly name: string;
}

export interface ChatApi {
  about(room: string): Promise<RoomAbout>;
  members(room: string, after?: string): Promise<MembersPage>;
  pins(room: string, before?: number): Promise<PinsPage>;
  /** Oldest first. Needs a moderator. */
  invites(room: string): Promise<readonly StoredInvite[]>;
  message(room: string, seq: number): Promise<ShownMessage>;
  findRooms(text: string, after?: string): Promise<FoundRooms>;
  /** Of those who have one, for at most NAMES_MAX users. */
  names(users: readonly string[]): Promise<readonly NamedUser[]>;
  search(query: SearchQuery): Promise<FoundMessages>;
  /** The requests about the user's devices, which load when they are needed first. */
  sessions(user: string): Promise<SessionsPort>;
  /** The largest file; undefined: the server takes none (AT12). */
  readonly fileBytesMax: number | undefined;
  /** Loads the code of uploads and links. Rejects without a network. */
  files(): Promise<FilePort>;
  /** A request of code that loads later. */
  get<T>(path: string, query?: Readonly<Record<string, string | undefined>>): Promise<T>;
}

export class ApiError extends Error {
  override readonly name: string;

  constructor(name: string) {
    super(name);
    this.name = name;
  }
}

export interface HttpChatApiOptions {
  readonly fetcher: typeof fetch;
  readonly token: () => Promise<string>;
  readonly fileBytesMax?: number | undefined;
}

export class HttpChatApi implements ChatApi {
  readonly #options: HttpChatApiOptions;
  #token: Promise<string> | undefined;
  #files: Promise<FilePort> | undefined;

  constructor(options: HttpChatApiOptions) {
    this.#options = options;
  }

  get fileBytesMax(): number | undefined {
    return this.#options.fileBytesMax;
  }

  files(): Promise<FilePort> {
    const loaded = (this.#files ??= import("./files/page-files.ts").then(({ openFiles }) =>
      openFiles(
        () => this.#kept(),
        () => (this.#token = undefined),
      ),
    ));
    loaded.catch(() => (this.#files = undefined));
    return loaded;
  }

  about(room: string): Promise<RoomAbout> {
    return this.get(`/v1/rooms/${room}`);
  }

  members(room: string, after?: string): Promise<MembersPage> {
    return this.get(`/v1/rooms/${room}/members`, { after, limit: "100" });
  }

  pins(room: string, before?: number): Promise<PinsPage> {
    return this.get(`/v1/rooms/${room}/pins`, { before: before?.toString() });
  }

  async invites(room: string): Promise<readonly StoredInvite[]> {
    const answer = await this.get<{ invites: readonly StoredInvite[] }>(
      `/v1/rooms/${room}/invites`,
    );
    return answer.invites;
  }

  async message(room: string, seq: number): Promise<ShownMessage> {
    const answer = await this.get<{ message: ShownMessage }>(`/v1/rooms/${room}/messages/${seq}`);
    return answer.message;
  }

  findRooms(text: string, after?: string): Promise<FoundRooms> {
    return this.get("/v1/rooms", { kind: "open", q: text, after });
  }

  async names(users: readonly string[]): Promise<readonly NamedUser[]> {
    const query = new URLSearchParams(users.map((user) => ["user", user]));
    const answer = await this.get<{ names: readonly NamedUser[] }>(`/v1/names?${query}`);
    return answer.names;
  }

  search({ text, room, cursor }: SearchQuery): Promise<FoundMessages> {
    return this.get("/v1/search", { q: text, room, cursor });
  }

  async sessions(user: string): Promise<SessionsPort> {
    const { Sessions } = await import("#client/sdk/sessions/sessions.ts");
    const { fetcher, token } = this.#options;
    return new Sessions({ url: location.origin, token, user, fetch: fetcher });
  }

  async get<T>(path: string, query: Readonly<Record<string, string | undefined>> = {}): Promise<T> {
    const parameters = new URLSearchParams();
    for (const [key, value] of Object.entries(query)) {
      if (value !== undefined) parameters.set(key, value);
    }
    const text = parameters.size === 0 ? "" : `?${parameters.toString()}`;
    const first = await this.#fetch(path + text);
    const response = first.status === 401 ? await this.#fetch(path + text) : first;
    const body: unknown = await response.json().catch(() => undefined);
    if (!response.ok || body === undefined) throw new ApiError(errorName(body));
    return body as T;
  }

  /** chat-api.2. */
  #kept(): Promise<string> {
    return (this.#token ??= this.#options.token());
  }

  async #fetch(path: string): Promise<Response> {
    const { fetcher } = this.#options; // A browser's fetch allows no other `this`.
    const used = this.#kept();
    try {
      const headers = { authorization: `Bearer ${await used}` };
      const response = await fetcher(path, { headers });
      if (response.status === 401 && this.#token === used) this.#token = undefined; // chat-api.2
      return response;
    } catch {
      if (this.#token === used) this.#token = undefined;
      throw new ApiError("unavailable");
    }
  }
}

function errorName(body: unknown): string {
  const name = isObject(body) ? body["name"] : undefined;
  return typeof name === "string" ? name : "unavailable";
}

/** The name of a thrown error, for `failureWords`. */
export function nameOf(error: unknown): string {
  return error instanceof ApiError ? error.name : "unavailable";
}
