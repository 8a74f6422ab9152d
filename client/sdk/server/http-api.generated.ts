// HttpApi: the HTTP API of a gateway as types. Generated from /openapi.json; `make sdk-files` writes
// it again.

export interface paths {
    readonly "/v1/rooms/{room}/messages": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Read one page of a room
         * Ascending by seq. Set at most one of `before` and `after`; with neither, the page is the newest. `more` is true when further events exist in that direction. `after=0` starts at the first event. A page of messages covers the numbers `first` to `last` and can be empty with `more`.
         */
        readonly get: operations["listMessages"];
        readonly put?: never;
        /**
         * Send a message
         * Answers when the message is in the log. A repeated id (or key) gets the first number, or `reused_id` when the message differs. After `unavailable` the outcome is unknown and a retry with the same id is safe.
         */
        readonly post: operations["sendMessage"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/rooms": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Find open rooms
         * The open rooms that were created with settings, without archived ones, in the order of their ids. `after` is the `next` of the previous page. A page can be empty and have `next`.
         */
        readonly get: operations["findRooms"];
        readonly put?: never;
        /**
         * Create a room
         * Answers when the room, its owner and its invited members are in the log. A room that exists gets `conflict`. A direct room has the field `user`; its id follows from the two users.
         */
        readonly post: operations["createRoom"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/rooms/{room}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Read the settings of a room, the caller's role and mute
         * A closed room that the caller may not see gets `forbidden`. A room without an event is open.
         */
        readonly get: operations["readRoom"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        /**
         * Change the settings of a room
         * Title, topic and avatar need a moderator, everything else an owner. An empty text and 0 remove the value.
         */
        readonly patch: operations["updateRoom"];
        readonly trace?: never;
    };
    readonly "/v1/rooms/{room}/members": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Read one page of the members of a room
         * The users with a stored role, mute or ban, in ascending order of their ids. `after` is the last user of the previous page.
         */
        readonly get: operations["listMembers"];
        readonly put?: never;
        /**
         * Enter a closed room with an invite
         * The caller becomes a member with the role of the invite. A token that opens nothing (unknown, ended, revoked, used up) gets `forbidden`, a member `conflict`.
         */
        readonly post: operations["enterRoom"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/rooms/{room}/members/{user}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        /**
         * Set the role, the mute or the ban of a user
         * Replaces everything that the room stores of the user.
         */
        readonly put: operations["setMember"];
        readonly post?: never;
        /**
         * Remove a user from a room
         * Ends the membership. In a closed room the user may read nothing more of it.
         */
        readonly delete: operations["removeMember"];
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/rooms/{room}/messages/{seq}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Read one message as it is now
         * With its `state`, as in a page with `view=messages`. A deleted message is a tombstone. A number that is no message gets `not_found`.
         */
        readonly get: operations["readMessage"];
        readonly put?: never;
        readonly post?: never;
        /**
         * Delete a message
         * Erases its text everywhere. The author may, and a moderator of an open or closed room.
         */
        readonly delete: operations["deleteMessage"];
        readonly options?: never;
        readonly head?: never;
        /**
         * Edit a message of the caller
         * Answers when the edit is in the log. A number that is no message gets `not_found`, the message of another user `forbidden`, a deleted one `conflict`.
         */
        readonly patch: operations["editMessage"];
        readonly trace?: never;
    };
    readonly "/v1/rooms/{room}/messages/{seq}/reactions/{emoji}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        /**
         * React to a message
         * `emoji` is one emoji, or a name such as `:ok:`.
         */
        readonly put: operations["react"];
        readonly post?: never;
        /**
         * Take a reaction back
         * `emoji` is one emoji, or a name such as `:ok:`.
         */
        readonly delete: operations["takeReactionBack"];
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/rooms/{room}/pins/{seq}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        /**
         * Pin a message to the room
         * Needs a moderator; in a direct room both users may.
         */
        readonly put: operations["pinMessage"];
        readonly post?: never;
        /**
         * Unpin a message
         * Needs a moderator; in a direct room both users may.
         */
        readonly delete: operations["unpinMessage"];
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/rooms/{room}/pins": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Read the pinned messages of a room
         * Ascending by seq, the newest page; `before` is the first number of that page.
         */
        readonly get: operations["listPins"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/me/rooms": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * List the caller's rooms with their unread counts
         * The rooms whose member the caller is, newest activity first, as of the archive. With `next` there are more; a room with new activity can appear on two pages.
         */
        readonly get: operations["listRooms"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/search": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Find messages by their words
         * In the rooms whose member the caller is, or in the one that `room` names. A message is found by its newest text, a moment after it was stored. A search needs a wanted word, `from` or `has`; otherwise it finds nothing. A page can be empty and have `next`.
         */
        readonly get: operations["searchMessages"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/names": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Read the display names of users
         * The claim `name` of the newest token with which each user opened a session. A moment after the session begins, its name is here.
         */
        readonly get: operations["readNames"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/users/{user}/name": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        readonly post?: never;
        /**
         * Remove the display name of a user
         * A token that is issued later with the claim `name` sets it again. For the user and administrators.
         */
        readonly delete: operations["removeName"];
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/webhooks": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** List the webhooks and their state */
        readonly get: operations["listWebhooks"];
        readonly put?: never;
        /**
         * Subscribe a back end to events
         * The back end gets the events that are stored from now on, at least once and in order per room, signed after Standard Webhooks. An address that is not public gets `forbidden`.
         */
        readonly post: operations["createWebhook"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/webhooks/{webhook}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        readonly post?: never;
        /** Remove a webhook, with its dead letters */
        readonly delete: operations["removeWebhook"];
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/webhooks/{webhook}/dead": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Read one page of the dead letters of a webhook
         * The events that did not arrive in three days, in order. `after`: the last `n`.
         */
        readonly get: operations["listDeadLetters"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/webhooks/{webhook}/replay": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Try dead letters again, for three more days
         * They can arrive behind later events of their room.
         */
        readonly post: operations["replayDeadLetters"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/link-preview": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Read what the page behind a link says of itself
         * The cluster fetches the page, if the operator has switched previews on (`LINK_PREVIEWS`). All texts are those of a stranger: show them as texts, and show the host of the link.
         */
        readonly get: operations["previewLink"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/rooms/{room}/attachments/{id}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Get a link to an attachment
         * For a user who may read the room. The link ends, and it ends at once with the user's right to read.
         */
        readonly get: operations["linkAttachment"];
        /**
         * Upload a file for a message
         * The body is the file, with a `Content-Length`. Pass the answer in `attachments` of a message within a day. A repeated upload with the same id gets the first answer. The type comes from the content.
         */
        readonly put: operations["uploadAttachment"];
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/files/{link}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Read the bytes of an attachment
         * `link`: from the answer with a link. One `Range` of bytes is served.
         */
        readonly get: operations["readAttachment"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/rooms/{room}/export": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Export a room
         * Lines of JSON: `{"t":"export",…}`, then every event behind `after` up to the head of now, then `{"t":"end",…}`. Without that last line the answer is a part: continue with `after`. A user who may read the room may export it.
         */
        readonly get: operations["exportRoom"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/rooms/{room}/import": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Import the next events of a room
         * Needs a token with `admin`. The first part makes the room; each other one continues it at the next number, with the same `born`. Numbers, senders, ids and times stay. Otherwise: `conflict`.
         */
        readonly post: operations["importEvents"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/users/{user}/sessions": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * List the sessions of a user
         * The connections of the user to all gateways, the oldest first. A new session appears within two seconds; those of a crashed gateway disappear within 12 s. For the user and administrators.
         */
        readonly get: operations["listSessions"];
        readonly put?: never;
        readonly post?: never;
        /**
         * End all sessions of a user
         * Closes the user's connections to all gateways with 4501. The user's tokens stay valid: to refuse them too, revoke them. For the user and administrators.
         */
        readonly delete: operations["endSessions"];
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/users/{user}/sessions/{session}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        readonly post?: never;
        /**
         * End one session of a user
         * Closes its connection with 4501. For the user and administrators.
         */
        readonly delete: operations["endSession"];
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/users/{user}/revoke": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Revoke the tokens of a user
         * Within two seconds every gateway refuses the tokens of the user that were issued until now, and closes the connections that used them with 4501. A token that is issued later is valid. For the user and administrators.
         */
        readonly post: operations["revokeTokens"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/rooms/{room}/invites": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Read the invites of a room that are in force
         * The ids of at most 100 invites with their terms and uses, oldest first; no tokens. Needs a moderator.
         */
        readonly get: operations["listInvites"];
        readonly put?: never;
        /**
         * Make an invite to a closed room
         * Answers with the `token` of a link. Who has the token becomes a member, as often as `uses` says (default 1), for `ttl` seconds (default 7 days). Needs a moderator. A room has at most 100 invites.
         */
        readonly post: operations["createInvite"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/rooms/{room}/invites/{invite}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        readonly post?: never;
        /**
         * Revoke an invite
         * From now on its token opens nothing. Who has entered stays. Needs a moderator.
         */
        readonly delete: operations["revokeInvite"];
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/v1/dev/token": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /** Create a token for any user (AUTH=dev only) */
        readonly post: operations["createDevToken"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/healthz": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Succeeds while the event loop runs */
        readonly get: operations["checkHealth"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/readyz": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Succeeds while the gateway accepts requests
         * NATS is connected, the keys are loaded, and the gateway does not drain (H3).
         */
        readonly get: operations["checkReadiness"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        readonly Problem: {
            /** @example urn:parley:error:busy */
            readonly type: string;
            readonly title: string;
            readonly status: number;
            /** @enum {string} */
            readonly name: "bad_frame" | "unknown_type" | "too_large" | "unauthorized" | "token_expired" | "forbidden" | "not_found" | "not_joined" | "conflict" | "bad_id" | "reused_id" | "rate_limited" | "busy" | "unavailable" | "internal";
            /** Whether the same request may succeed later. */
            readonly retry: boolean;
            readonly detail?: string;
            /** The time in ms before a retry. */
            readonly afterMs?: number;
            /** Retry with this message id. */
            readonly id?: string;
            /**
             * Of an upload: the cluster takes no files (`off`), this file is too large (`size`), all files of the user are (`quota`), or the type is not accepted (`type`).
             * @enum {string}
             */
            readonly reason?: "off" | "size" | "quota" | "type";
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    readonly listMessages: {
        readonly parameters: {
            readonly query?: {
                readonly query?: {
                    readonly before?: number;
                    readonly after?: number;
                    readonly limit?: number;
                    /**
                     * `messages`: the messages as they are now, each with its `state`; default: all events.
                     * @enum {string}
                     */
                    readonly view?: "events" | "messages";
                    /** The replies to this message, with the view `messages`. */
                    readonly thread?: number;
                };
                /** For service tokens (`svc`): the user for whom the back end makes the request, 1 to 128 bytes of UTF-8. */
                readonly as?: string;
            };
            readonly header?: never;
            readonly path: {
                readonly room: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** Done. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "events": [
                     *         {
                     *           "t": "msg",
                     *           "room": "general",
                     *           "seq": 1,
                     *           "id": "01a2286f-3f3f-7768-812a-d4886e1a45be",
                     *           "from": "ada",
                     *           "at": 1795974709070,
                     *           "body": {
                     *             "text": "hello"
                     *           }
                     *         }
                     *       ],
                     *       "more": false
                     *     }
                     */
                    readonly "application/json": {
                        readonly events: ({
                            readonly t: string;
                            readonly room: string;
                            readonly seq: number;
                            readonly id: string;
                            readonly from: string;
                            readonly at: number;
                        } & {
                            readonly [key: string]: unknown;
                        })[];
                        readonly more: boolean;
                        /** With the view `messages`. */
                        readonly first?: number;
                        readonly last?: number;
                        readonly asOf?: number;
                    };
                };
            };
            /** `bad_frame`: The frame is not valid. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized`: The token is not valid. `token_expired`: The token has expired; send refresh. */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `forbidden`: This user may not do that here. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited`: Too many requests; wait. */
            readonly 429: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal`: The server made a mistake. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `busy`: The server is full; the request was not stored. `unavailable`: No answer in time; retry with the same id. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly sendMessage: {
        readonly parameters: {
            readonly query?: {
                /** For service tokens (`svc`): the user for whom the back end makes the request, 1 to 128 bytes of UTF-8. */
                readonly as?: string;
            };
            readonly header?: {
                /** A UUIDv7 is the message id itself. Any other key of 1 to 255 printable ASCII characters also works and costs one look-up in the archive. */
                readonly "idempotency-key"?: string;
            };
            readonly path: {
                readonly room: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                /**
                 * @example {
                 *       "body": {
                 *         "text": "hello"
                 *       }
                 *     }
                 */
                readonly "application/json": {
                    /** A UUIDv7 that the caller creates. Its time is at most one day ahead. */
                    readonly id?: string;
                    /**
                     * At most 16384 bytes of JSON and 32 levels. At any depth without U+0000, lone surrogates, the key `__proto__`, a repeated key, or a number that a double cannot hold exactly.
                     * @example {
                     *       "text": "hi"
                     *     }
                     */
                    readonly body: Record<string, unknown>;
                    readonly replyTo?: number;
                    /** The message of the main line whose thread this one continues. */
                    readonly thread?: number;
                    /** The mentioned users, or `@room`: everyone in the room, for moderators. */
                    readonly mentions?: "@room" | readonly string[];
                    /** The files of the message, each as its upload was answered. */
                    readonly attachments?: {
                        readonly id: string;
                        readonly name: string;
                        readonly type: string;
                        readonly bytes: number;
                        readonly width?: number;
                        readonly height?: number;
                        readonly until: number;
                        readonly proof: string;
                    }[];
                };
            };
        };
        readonly responses: {
            /** Done. */
            readonly 201: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01a2286f-3f3f-7768-812a-d4886e1a45be",
                     *       "room": "general",
                     *       "seq": 1,
                     *       "at": 1795974709070
                     *     }
                     */
                    readonly "application/json": {
                        readonly id: string;
                        readonly room: string;
                        readonly seq: number;
                        readonly at: number;
                    };
                };
            };
            /** `bad_frame`: The frame is not valid. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized`: The token is not valid. `token_expired`: The token has expired; send refresh. */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `forbidden`: This user may not do that here. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `not_found`: There is no such thing. */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `conflict`: It was changed meanwhile. */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `too_large`: The body is larger than allowed. */
            readonly 413: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `bad_id`: The message id is not a UUIDv7 of a sane time. `reused_id`: This id names another message. */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited`: Too many requests; wait. */
            readonly 429: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal`: The server made a mistake. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `busy`: The server is full; the request was not stored. `unavailable`: No answer in time; retry with the same id. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly findRooms: {
        readonly parameters: {
            readonly query: {
                /** Only open rooms can be found. */
                readonly kind: "open";
                /** A part of the title or of the id, in any case. */
                readonly q?: string;
                readonly after?: string;
                readonly limit?: number;
                /** For service tokens (`svc`): the user for whom the back end makes the request, 1 to 128 bytes of UTF-8. */
                readonly as?: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** Done. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "rooms": [
                     *         {
                     *           "room": "general",
                     *           "title": "Plans",
                     *           "role": "none",
                     *           "head": 2,
                     *           "at": 1795974709070
                     *         }
                     *       ]
                     *     }
                     */
                    readonly "application/json": {
                        readonly rooms: {
                            readonly room: string;
                            readonly title?: string;
                            readonly topic?: string;
                            /** @enum {string} */
                            readonly role: "none" | "reader" | "member" | "moderator" | "owner";
                            readonly head: number;
                            readonly at: number;
                        }[];
                        readonly next?: string;
                    };
                };
            };
            /** `bad_frame`: The frame is not valid. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized`: The token is not valid. `token_expired`: The token has expired; send refresh. */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `forbidden`: This user may not do that here. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited`: Too many requests; wait. */
            readonly 429: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal`: The server made a mistake. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `busy`: The server is full; the request was not stored. `unavailable`: No answer in time; retry with the same id. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly createRoom: {
        readonly parameters: {
            readonly query?: {
                /** For service tokens (`svc`): the user for whom the back end makes the request, 1 to 128 bytes of UTF-8. */
                readonly as?: string;
            };
            readonly header?: {
                /** A UUIDv7 is the message id itself. Any other key of 1 to 255 printable ASCII characters also works and costs one look-up in the archive. */
                readonly "idempotency-key"?: string;
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                /**
                 * @example {
                 *       "room": "general",
                 *       "kind": "closed",
                 *       "title": "Plans",
                 *       "members": [
                 *         {
                 *           "user": "ben"
                 *         }
                 *       ]
                 *     }
                 */
                readonly "application/json": {
                    /** Required, except for a direct room. */
                    readonly room?: string;
                    /** @enum {string} */
                    readonly kind: "open" | "closed" | "direct";
                    readonly title?: string;
                    readonly topic?: string;
                    readonly avatar?: string;
                    /** @enum {string} */
                    readonly sendRole?: "reader" | "member" | "moderator" | "owner";
                    readonly slowMode?: number;
                    readonly editWindow?: number;
                    readonly members?: {
                        readonly user: string;
                        /** @enum {string} */
                        readonly role?: "reader" | "member" | "moderator" | "owner";
                    }[];
                    readonly user?: string;
                };
            };
        };
        readonly responses: {
            /** Done. */
            readonly 201: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01a2286f-3f3f-7768-812a-d4886e1a45be",
                     *       "room": "general",
                     *       "seq": 2,
                     *       "at": 1795974709070
                     *     }
                     */
                    readonly "application/json": {
                        readonly id: string;
                        readonly room: string;
                        readonly seq: number;
                        readonly at: number;
                    };
                };
            };
            /** `bad_frame`: The frame is not valid. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized`: The token is not valid. `token_expired`: The token has expired; send refresh. */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `forbidden`: This user may not do that here. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `not_found`: There is no such thing. */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `conflict`: It was changed meanwhile. */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `too_large`: The body is larger than allowed. */
            readonly 413: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `bad_id`: The message id is not a UUIDv7 of a sane time. */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited`: Too many requests; wait. */
            readonly 429: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal`: The server made a mistake. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `busy`: The server is full; the request was not stored. `unavailable`: No answer in time; retry with the same id. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly readRoom: {
        readonly parameters: {
            readonly query?: {
                /** For service tokens (`svc`): the user for whom the back end makes the request, 1 to 128 bytes of UTF-8. */
                readonly as?: string;
            };
            readonly header?: never;
            readonly path: {
                readonly room: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** Done. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "room": "general",
                     *       "kind": "closed",
                     *       "title": "Plans",
                     *       "head": 2,
                     *       "born": "01a2286f-3f3f-7768-812a-d4886e1a45be",
                     *       "role": "owner",
                     *       "members": 2
                     *     }
                     */
                    readonly "application/json": {
                        readonly room: string;
                        /** @enum {string} */
                        readonly kind: "open" | "closed" | "direct";
                        readonly title?: string;
                        readonly topic?: string;
                        readonly avatar?: string;
                        /** @enum {string} */
                        readonly sendRole?: "none" | "reader" | "member" | "moderator" | "owner";
                        readonly archived?: boolean;
                        /** Seconds between two messages. */
                        readonly slowMode?: number;
                        readonly slowFrom?: number;
                        /** Seconds. */
                        readonly editWindow?: number;
                        readonly head: number;
                        readonly born: string;
                        /**
                         * The role of the caller.
                         * @enum {string}
                         */
                        readonly role: "none" | "reader" | "member" | "moderator" | "owner";
                        /** The end of the caller's mute, in ms since 1970. It can be over. */
                        readonly mutedUntil?: number;
                        /** The number of stored members. */
                        readonly members: number;
                    };
                };
            };
            /** `bad_frame`: The frame is not valid. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized`: The token is not valid. `token_expired`: The token has expired; send refresh. */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `forbidden`: This user may not do that here. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited`: Too many requests; wait. */
            readonly 429: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal`: The server made a mistake. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `busy`: The server is full; the request was not stored. `unavailable`: No answer in time; retry with the same id. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly updateRoom: {
        readonly parameters: {
            readonly query?: {
                /** For service tokens (`svc`): the user for whom the back end makes the request, 1 to 128 bytes of UTF-8. */
                readonly as?: string;
            };
            readonly header?: {
                /** A UUIDv7 is the message id itself. Any other key of 1 to 255 printable ASCII characters also works and costs one look-up in the archive. */
                readonly "idempotency-key"?: string;
            };
            readonly path: {
                readonly room: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                /**
                 * @example {
                 *       "title": "Plans",
                 *       "slowMode": 30
                 *     }
                 */
                readonly "application/json": {
                    readonly title?: string;
                    readonly topic?: string;
                    readonly avatar?: string;
                    /** @enum {string} */
                    readonly sendRole?: "reader" | "member" | "moderator" | "owner";
                    readonly slowMode?: number;
                    readonly editWindow?: number;
                    readonly archived?: boolean;
                };
            };
        };
        readonly responses: {
            /** Done. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01a2286f-3f3f-7768-812a-d4886e1a45be",
                     *       "room": "general",
                     *       "seq": 2,
                     *       "at": 1795974709070
                     *     }
                     */
                    readonly "application/json": {
                        readonly id: string;
                        readonly room: string;
                        readonly seq: number;
                        readonly at: number;
                    };
                };
            };
            /** `bad_frame`: The frame is not valid. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized`: The token is not valid. `token_expired`: The token has expired; send refresh. */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `forbidden`: This user may not do that here. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `not_found`: There is no such thing. */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `conflict`: It was changed meanwhile. */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `too_large`: The body is larger than allowed. */
            readonly 413: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `bad_id`: The message id is not a UUIDv7 of a sane time. */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited`: Too many requests; wait. */
            readonly 429: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal`: The server made a mistake. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `busy`: The server is full; the request was not stored. `unavailable`: No answer in time; retry with the same id. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly listMembers: {
        readonly parameters: {
            readonly query?: {
                readonly after?: string;
                readonly limit?: number;
                /** For service tokens (`svc`): the user for whom the back end makes the request, 1 to 128 bytes of UTF-8. */
                readonly as?: string;
            };
            readonly header?: never;
            readonly path: {
                readonly room: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** Done. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "members": [
                     *         {
                     *           "user": "ada",
                     *           "role": "owner"
                     *         }
                     *       ],
                     *       "more": false
                     *     }
                     */
                    readonly "application/json": {
                        readonly members: {
                            readonly user: string;
                            /** @enum {string} */
                            readonly role: "none" | "reader" | "member" | "moderator" | "owner";
                            readonly mutedUntil?: number;
                            readonly banned?: boolean;
                        }[];
                        readonly more: boolean;
                    };
                };
            };
            /** `bad_frame`: The frame is not valid. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized`: The token is not valid. `token_expired`: The token has expired; send refresh. */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `forbidden`: This user may not do that here. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited`: Too many requests; wait. */
            readonly 429: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal`: The server made a mistake. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `busy`: The server is full; the request was not stored. `unavailable`: No answer in time; retry with the same id. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly enterRoom: {
        readonly parameters: {
            readonly query?: {
                /** For service tokens (`svc`): the user for whom the back end makes the request, 1 to 128 bytes of UTF-8. */
                readonly as?: string;
            };
            readonly header?: {
                /** A UUIDv7 is the message id itself. Any other key of 1 to 255 printable ASCII characters also works and costs one look-up in the archive. */
                readonly "idempotency-key"?: string;
            };
            readonly path: {
                readonly room: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                /**
                 * @example {
                 *       "token": "general.01a2286f-4000-7768-812a-d4886e1a45bf.a-secret-of-22-letters"
                 *     }
                 */
                readonly "application/json": {
                    readonly token: string;
                };
            };
        };
        readonly responses: {
            /** Done. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01a2286f-3f3f-7768-812a-d4886e1a45be",
                     *       "room": "general",
                     *       "seq": 2,
                     *       "at": 1795974709070
                     *     }
                     */
                    readonly "application/json": {
                        readonly id: string;
                        readonly room: string;
                        readonly seq: number;
                        readonly at: number;
                    };
                };
            };
            /** `bad_frame`: The frame is not valid. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized`: The token is not valid. `token_expired`: The token has expired; send refresh. */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `forbidden`: This user may not do that here. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `not_found`: There is no such thing. */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `conflict`: It was changed meanwhile. */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `too_large`: The body is larger than allowed. */
            readonly 413: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `bad_id`: The message id is not a UUIDv7 of a sane time. */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited`: Too many requests; wait. */
            readonly 429: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal`: The server made a mistake. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `busy`: The server is full; the request was not stored. `unavailable`: No answer in time; retry with the same id. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly setMember: {
        readonly parameters: {
            readonly query?: {
                /** For service tokens (`svc`): the user for whom the back end makes the request, 1 to 128 bytes of UTF-8. */
                readonly as?: string;
            };
            readonly header?: {
                /** A UUIDv7 is the message id itself. Any other key of 1 to 255 printable ASCII characters also works and costs one look-up in the archive. */
                readonly "idempotency-key"?: string;
            };
            readonly path: {
                readonly room: string;
                readonly user: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                /**
                 * @example {
                 *       "role": "moderator"
                 *     }
                 */
                readonly "application/json": {
                    /** @enum {string} */
                    readonly role: "none" | "reader" | "member" | "moderator" | "owner";
                    readonly mutedUntil?: number;
                    readonly banned?: boolean;
                    readonly reason?: string;
                };
            };
        };
        readonly responses: {
            /** Done. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01a2286f-3f3f-7768-812a-d4886e1a45be",
                     *       "room": "general",
                     *       "seq": 2,
                     *       "at": 1795974709070
                     *     }
                     */
                    readonly "application/json": {
                        readonly id: string;
                        readonly room: string;
                        readonly seq: number;
                        readonly at: number;
                    };
                };
            };
            /** `bad_frame`: The frame is not valid. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized`: The token is not valid. `token_expired`: The token has expired; send refresh. */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `forbidden`: This user may not do that here. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `not_found`: There is no such thing. */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `conflict`: It was changed meanwhile. */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `too_large`: The body is larger than allowed. */
            readonly 413: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `bad_id`: The message id is not a UUIDv7 of a sane time. */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited`: Too many requests; wait. */
            readonly 429: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal`: The server made a mistake. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `busy`: The server is full; the request was not stored. `unavailable`: No answer in time; retry with the same id. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly removeMember: {
        readonly parameters: {
            readonly query?: {
                /** For service tokens (`svc`): the user for whom the back end makes the request, 1 to 128 bytes of UTF-8. */
                readonly as?: string;
            };
            readonly header?: {
                /** A UUIDv7 is the message id itself. Any other key of 1 to 255 printable ASCII characters also works and costs one look-up in the archive. */
                readonly "idempotency-key"?: string;
            };
            readonly path: {
                readonly room: string;
                readonly user: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** Done. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01a2286f-3f3f-7768-812a-d4886e1a45be",
                     *       "room": "general",
                     *       "seq": 2,
                     *       "at": 1795974709070
                     *     }
                     */
                    readonly "application/json": {
                        readonly id: string;
                        readonly room: string;
                        readonly seq: number;
                        readonly at: number;
                    };
                };
            };
            /** `bad_frame`: The frame is not valid. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized`: The token is not valid. `token_expired`: The token has expired; send refresh. */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `forbidden`: This user may not do that here. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `not_found`: There is no such thing. */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `conflict`: It was changed meanwhile. */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `bad_id`: The message id is not a UUIDv7 of a sane time. */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited`: Too many requests; wait. */
            readonly 429: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal`: The server made a mistake. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `busy`: The server is full; the request was not stored. `unavailable`: No answer in time; retry with the same id. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly readMessage: {
        readonly parameters: {
            readonly query?: {
                /** For service tokens (`svc`): the user for whom the back end makes the request, 1 to 128 bytes of UTF-8. */
                readonly as?: string;
            };
            readonly header?: never;
            readonly path: {
                readonly room: string;
                readonly seq: number;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** Done. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "message": {
                     *         "t": "msg",
                     *         "room": "general",
                     *         "seq": 1,
                     *         "id": "01a2286f-3f3f-7768-812a-d4886e1a45be",
                     *         "from": "ada",
                     *         "at": 1795974709070,
                     *         "body": {
                     *           "text": "hello"
                     *         },
                     *         "state": {
                     *           "edited": {
                     *             "seq": 2,
                     *             "at": 1795974709070
                     *           }
                     *         }
                     *       },
                     *       "asOf": 2
                     *     }
                     */
                    readonly "application/json": {
                        readonly message: {
                            readonly t: string;
                            readonly room: string;
                            readonly seq: number;
                            readonly id: string;
                            readonly from: string;
                            readonly at: number;
                        } & {
                            readonly [key: string]: unknown;
                        };
                        /** The event as of which it is shown. */
                        readonly asOf: number;
                    };
                };
            };
            /** `bad_frame`: The frame is not valid. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized`: The token is not valid. `token_expired`: The token has expired; send refresh. */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `forbidden`: This user may not do that here. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `not_found`: There is no such thing. */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited`: Too many requests; wait. */
            readonly 429: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal`: The server made a mistake. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `busy`: The server is full; the request was not stored. `unavailable`: No answer in time; retry with the same id. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly deleteMessage: {
        readonly parameters: {
            readonly query?: {
                readonly reason?: string;
                /** For service tokens (`svc`): the user for whom the back end makes the request, 1 to 128 bytes of UTF-8. */
                readonly as?: string;
            };
            readonly header?: {
                /** A UUIDv7 is the message id itself. Any other key of 1 to 255 printable ASCII characters also works and costs one look-up in the archive. */
                readonly "idempotency-key"?: string;
            };
            readonly path: {
                readonly room: string;
                readonly seq: number;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** Done. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01a2286f-3f3f-7768-812a-d4886e1a45be",
                     *       "room": "general",
                     *       "seq": 2,
                     *       "at": 1795974709070
                     *     }
                     */
                    readonly "application/json": {
                        readonly id: string;
                        readonly room: string;
                        readonly seq: number;
                        readonly at: number;
                    };
                };
            };
            /** `bad_frame`: The frame is not valid. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized`: The token is not valid. `token_expired`: The token has expired; send refresh. */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `forbidden`: This user may not do that here. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `not_found`: There is no such thing. */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `conflict`: It was changed meanwhile. */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `bad_id`: The message id is not a UUIDv7 of a sane time. */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited`: Too many requests; wait. */
            readonly 429: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal`: The server made a mistake. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `busy`: The server is full; the request was not stored. `unavailable`: No answer in time; retry with the same id. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly editMessage: {
        readonly parameters: {
            readonly query?: {
                /** For service tokens (`svc`): the user for whom the back end makes the request, 1 to 128 bytes of UTF-8. */
                readonly as?: string;
            };
            readonly header?: {
                /** A UUIDv7 is the message id itself. Any other key of 1 to 255 printable ASCII characters also works and costs one look-up in the archive. */
                readonly "idempotency-key"?: string;
            };
            readonly path: {
                readonly room: string;
                readonly seq: number;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                /**
                 * @example {
                 *       "body": {
                 *         "text": "hello"
                 *       },
                 *       "mentions": [
                 *         "ben"
                 *       ]
                 *     }
                 */
                readonly "application/json": {
                    /**
                     * At most 16384 bytes of JSON and 32 levels. At any depth without U+0000, lone surrogates, the key `__proto__`, a repeated key, or a number that a double cannot hold exactly.
                     * @example {
                     *       "text": "hi"
                     *     }
                     */
                    readonly body: Record<string, unknown>;
                    /** Whom the message mentions from here on; `@room` for moderators. Without it the mentions stay. */
                    readonly mentions?: "@room" | readonly string[];
                };
            };
        };
        readonly responses: {
            /** Done. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01a2286f-3f3f-7768-812a-d4886e1a45be",
                     *       "room": "general",
                     *       "seq": 2,
                     *       "at": 1795974709070
                     *     }
                     */
                    readonly "application/json": {
                        readonly id: string;
                        readonly room: string;
                        readonly seq: number;
                        readonly at: number;
                    };
                };
            };
            /** `bad_frame`: The frame is not valid. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized`: The token is not valid. `token_expired`: The token has expired; send refresh. */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `forbidden`: This user may not do that here. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `not_found`: There is no such thing. */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `conflict`: It was changed meanwhile. */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `too_large`: The body is larger than allowed. */
            readonly 413: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `bad_id`: The message id is not a UUIDv7 of a sane time. */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited`: Too many requests; wait. */
            readonly 429: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal`: The server made a mistake. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `busy`: The server is full; the request was not stored. `unavailable`: No answer in time; retry with the same id. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly react: {
        readonly parameters: {
            readonly query?: {
                /** For service tokens (`svc`): the user for whom the back end makes the request, 1 to 128 bytes of UTF-8. */
                readonly as?: string;
            };
            readonly header?: {
                /** A UUIDv7 is the message id itself. Any other key of 1 to 255 printable ASCII characters also works and costs one look-up in the archive. */
                readonly "idempotency-key"?: string;
            };
            readonly path: {
                readonly room: string;
                readonly seq: number;
                readonly emoji: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** Done. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01a2286f-3f3f-7768-812a-d4886e1a45be",
                     *       "room": "general",
                     *       "seq": 2,
                     *       "at": 1795974709070
                     *     }
                     */
                    readonly "application/json": {
                        readonly id: string;
                        readonly room: string;
                        readonly seq: number;
                        readonly at: number;
                    };
                };
            };
            /** `bad_frame`: The frame is not valid. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized`: The token is not valid. `token_expired`: The token has expired; send refresh. */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `forbidden`: This user may not do that here. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `not_found`: There is no such thing. */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `conflict`: It was changed meanwhile. */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `bad_id`: The message id is not a UUIDv7 of a sane time. */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited`: Too many requests; wait. */
            readonly 429: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal`: The server made a mistake. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `busy`: The server is full; the request was not stored. `unavailable`: No answer in time; retry with the same id. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly takeReactionBack: {
        readonly parameters: {
            readonly query?: {
                /** For service tokens (`svc`): the user for whom the back end makes the request, 1 to 128 bytes of UTF-8. */
                readonly as?: string;
            };
            readonly header?: {
                /** A UUIDv7 is the message id itself. Any other key of 1 to 255 printable ASCII characters also works and costs one look-up in the archive. */
                readonly "idempotency-key"?: string;
            };
            readonly path: {
                readonly room: string;
                readonly seq: number;
                readonly emoji: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** Done. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01a2286f-3f3f-7768-812a-d4886e1a45be",
                     *       "room": "general",
                     *       "seq": 2,
                     *       "at": 1795974709070
                     *     }
                     */
                    readonly "application/json": {
                        readonly id: string;
                        readonly room: string;
                        readonly seq: number;
                        readonly at: number;
                    };
                };
            };
            /** `bad_frame`: The frame is not valid. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized`: The token is not valid. `token_expired`: The token has expired; send refresh. */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `forbidden`: This user may not do that here. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `not_found`: There is no such thing. */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `conflict`: It was changed meanwhile. */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `bad_id`: The message id is not a UUIDv7 of a sane time. */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited`: Too many requests; wait. */
            readonly 429: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal`: The server made a mistake. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `busy`: The server is full; the request was not stored. `unavailable`: No answer in time; retry with the same id. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly pinMessage: {
        readonly parameters: {
            readonly query?: {
                /** For service tokens (`svc`): the user for whom the back end makes the request, 1 to 128 bytes of UTF-8. */
                readonly as?: string;
            };
            readonly header?: {
                /** A UUIDv7 is the message id itself. Any other key of 1 to 255 printable ASCII characters also works and costs one look-up in the archive. */
                readonly "idempotency-key"?: string;
            };
            readonly path: {
                readonly room: string;
                readonly seq: number;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** Done. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01a2286f-3f3f-7768-812a-d4886e1a45be",
                     *       "room": "general",
                     *       "seq": 2,
                     *       "at": 1795974709070
                     *     }
                     */
                    readonly "application/json": {
                        readonly id: string;
                        readonly room: string;
                        readonly seq: number;
                        readonly at: number;
                    };
                };
            };
            /** `bad_frame`: The frame is not valid. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized`: The token is not valid. `token_expired`: The token has expired; send refresh. */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `forbidden`: This user may not do that here. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `not_found`: There is no such thing. */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `conflict`: It was changed meanwhile. */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `bad_id`: The message id is not a UUIDv7 of a sane time. */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited`: Too many requests; wait. */
            readonly 429: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal`: The server made a mistake. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `busy`: The server is full; the request was not stored. `unavailable`: No answer in time; retry with the same id. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly unpinMessage: {
        readonly parameters: {
            readonly query?: {
                /** For service tokens (`svc`): the user for whom the back end makes the request, 1 to 128 bytes of UTF-8. */
                readonly as?: string;
            };
            readonly header?: {
                /** A UUIDv7 is the message id itself. Any other key of 1 to 255 printable ASCII characters also works and costs one look-up in the archive. */
                readonly "idempotency-key"?: string;
            };
            readonly path: {
                readonly room: string;
                readonly seq: number;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** Done. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01a2286f-3f3f-7768-812a-d4886e1a45be",
                     *       "room": "general",
                     *       "seq": 2,
                     *       "at": 1795974709070
                     *     }
                     */
                    readonly "application/json": {
                        readonly id: string;
                        readonly room: string;
                        readonly seq: number;
                        readonly at: number;
                    };
                };
            };
            /** `bad_frame`: The frame is not valid. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized`: The token is not valid. `token_expired`: The token has expired; send refresh. */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `forbidden`: This user may not do that here. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `not_found`: There is no such thing. */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `conflict`: It was changed meanwhile. */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `bad_id`: The message id is not a UUIDv7 of a sane time. */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited`: Too many requests; wait. */
            readonly 429: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal`: The server made a mistake. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `busy`: The server is full; the request was not stored. `unavailable`: No answer in time; retry with the same id. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly listPins: {
        readonly parameters: {
            readonly query?: {
                readonly before?: number;
                readonly limit?: number;
                /** For service tokens (`svc`): the user for whom the back end makes the request, 1 to 128 bytes of UTF-8. */
                readonly as?: string;
            };
            readonly header?: never;
            readonly path: {
                readonly room: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** Done. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "events": [
                     *         {
                     *           "t": "msg",
                     *           "room": "general",
                     *           "seq": 1,
                     *           "id": "01a2286f-3f3f-7768-812a-d4886e1a45be",
                     *           "from": "ada",
                     *           "at": 1795974709070,
                     *           "body": {
                     *             "text": "hello"
                     *           },
                     *           "state": {
                     *             "pinned": 2
                     *           }
                     *         }
                     *       ],
                     *       "more": false,
                     *       "first": 1,
                     *       "last": 2,
                     *       "asOf": 2
                     *     }
                     */
                    readonly "application/json": {
                        readonly events: ({
                            readonly t: string;
                            readonly room: string;
                            readonly seq: number;
                            readonly id: string;
                            readonly from: string;
                            readonly at: number;
                        } & {
                            readonly [key: string]: unknown;
                        })[];
                        readonly more: boolean;
                        readonly first: number;
                        readonly last: number;
                        readonly asOf: number;
                    };
                };
            };
            /** `bad_frame`: The frame is not valid. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized`: The token is not valid. `token_expired`: The token has expired; send refresh. */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `forbidden`: This user may not do that here. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited`: Too many requests; wait. */
            readonly 429: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal`: The server made a mistake. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `busy`: The server is full; the request was not stored. `unavailable`: No answer in time; retry with the same id. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly listRooms: {
        readonly parameters: {
            readonly query?: {
                /** The `next` of the previous page. */
                readonly after?: string;
                readonly limit?: number;
                /** For service tokens (`svc`): the user for whom the back end makes the request, 1 to 128 bytes of UTF-8. */
                readonly as?: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** Done. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "rooms": [
                     *         {
                     *           "room": "general",
                     *           "kind": "open",
                     *           "role": "member",
                     *           "head": 2,
                     *           "at": 1795974709070,
                     *           "read": 1,
                     *           "unread": 1,
                     *           "mentions": 0
                     *         }
                     *       ]
                     *     }
                     */
                    readonly "application/json": {
                        readonly rooms: {
                            readonly room: string;
                            /** @enum {string} */
                            readonly kind: "open" | "closed" | "direct";
                            readonly title?: string;
                            /** @enum {string} */
                            readonly role: "none" | "reader" | "member" | "moderator" | "owner";
                            readonly head: number;
                            /** When its newest event was stored, in ms since 1970. */
                            readonly at: number;
                            /** The number up to which the caller has read it. */
                            readonly read: number;
                            /** Messages of others behind it, at most 100. */
                            readonly unread: number;
                            readonly mentions: number;
                            /** The newest message that is not deleted; 120 characters of its text. */
                            readonly last?: {
                                readonly seq: number;
                                readonly from: string;
                                readonly at: number;
                                readonly text: string;
                                /** The names of its files, as many as fit into 120 characters. */
                                readonly files?: string[];
                            };
                        }[];
                        readonly next?: string;
                    };
                };
            };
            /** `bad_frame`: The frame is not valid. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized`: The token is not valid. `token_expired`: The token has expired; send refresh. */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `forbidden`: This user may not do that here. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited`: Too many requests; wait. */
            readonly 429: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal`: The server made a mistake. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `busy`: The server is full; the request was not stored. `unavailable`: No answer in time; retry with the same id. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly searchMessages: {
        readonly parameters: {
            readonly query?: {
                /** Words, all of which a message must have; "a phrase", begin* and -excluded. The first 16 count. */
                readonly q?: string;
                /** Only messages of this room. */
                readonly room?: string;
                /** Only messages of this user. */
                readonly from?: string;
                /** Only messages stored before this time, in ms since 1970. */
                readonly before?: number;
                /** Only messages stored after this time, in ms since 1970. */
                readonly after?: number;
                /** Only messages with a link or a mention. */
                readonly has?: "link" | "mention";
                /** `best`: the best of the 500 newest found messages first. */
                readonly order?: "newest" | "best";
                /** The `next` of the previous page. It keeps the order of that page. */
                readonly cursor?: string;
                readonly limit?: number;
                /** For service tokens (`svc`): the user for whom the back end makes the request, 1 to 128 bytes of UTF-8. */
                readonly as?: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** Done. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "messages": [
                     *         {
                     *           "room": "general",
                     *           "seq": 1,
                     *           "from": "ada",
                     *           "at": 1795974709070,
                     *           "text": "hello",
                     *           "highlights": [
                     *             [
                     *               0,
                     *               5
                     *             ]
                     *           ]
                     *         }
                     *       ]
                     *     }
                     */
                    readonly "application/json": {
                        readonly messages: {
                            readonly room: string;
                            readonly seq: number;
                            readonly from: string;
                            readonly at: number;
                            readonly thread?: number;
                            /** At most 240 UTF-16 units of the newest text. */
                            readonly text: string;
                            /** The found words in `text`: [begin, end) in UTF-16 units. */
                            readonly highlights: (readonly number[])[];
                            /**
                             * The message has more text.
                             * @constant
                             */
                            readonly cut?: true;
                        }[];
                        readonly next?: string;
                    };
                };
            };
            /** `bad_frame`: The frame is not valid. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized`: The token is not valid. `token_expired`: The token has expired; send refresh. */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `forbidden`: This user may not do that here. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited`: Too many requests; wait. */
            readonly 429: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal`: The server made a mistake. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `busy`: The server is full; the request was not stored. `unavailable`: No answer in time; retry with the same id. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly readNames: {
        readonly parameters: {
            readonly query: {
                /** The ids of the users: `user=ada&user=ben`. */
                readonly user: string[];
                /** For service tokens (`svc`): the user for whom the back end makes the request, 1 to 128 bytes of UTF-8. */
                readonly as?: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** Done. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "names": [
                     *         {
                     *           "user": "ada",
                     *           "name": "Ada Lovelace"
                     *         }
                     *       ]
                     *     }
                     */
                    readonly "application/json": {
                        /** Users without a name are left out. */
                        readonly names: {
                            readonly user: string;
                            readonly name: string;
                        }[];
                    };
                };
            };
            /** `bad_frame`: The frame is not valid. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized`: The token is not valid. `token_expired`: The token has expired; send refresh. */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `forbidden`: This user may not do that here. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited`: Too many requests; wait. */
            readonly 429: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal`: The server made a mistake. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `busy`: The server is full; the request was not stored. `unavailable`: No answer in time; retry with the same id. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly removeName: {
        readonly parameters: {
            readonly query?: {
                /** For service tokens (`svc`): the user for whom the back end makes the request, 1 to 128 bytes of UTF-8. */
                readonly as?: string;
            };
            readonly header?: never;
            readonly path: {
                readonly user: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** Done. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "removed": true
                     *     }
                     */
                    readonly "application/json": {
                        readonly removed: true;
                    };
                };
            };
            /** `bad_frame`: The frame is not valid. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized`: The token is not valid. `token_expired`: The token has expired; send refresh. */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `forbidden`: This user may not do that here. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited`: Too many requests; wait. */
            readonly 429: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal`: The server made a mistake. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `busy`: The server is full; the request was not stored. `unavailable`: No answer in time; retry with the same id. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly listWebhooks: {
        readonly parameters: {
            readonly query?: {
                /** For service tokens (`svc`): the user for whom the back end makes the request, 1 to 128 bytes of UTF-8. */
                readonly as?: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** Done. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "webhooks": [
                     *         {
                     *           "webhook": "7c0e6c83-44a9-4a6c-9c3f-1f5d6f0b7a11",
                     *           "url": "https://app.example/hook",
                     *           "kinds": [
                     *             "room.msg"
                     *           ],
                     *           "rooms": [
                     *             "general"
                     *           ],
                     *           "author": "ada",
                     *           "created": 1795974709070,
                     *           "waiting": 0,
                     *           "dead": 0,
                     *           "behindMs": 0
                     *         }
                     *       ]
                     *     }
                     */
                    readonly "application/json": {
                        readonly webhooks: {
                            readonly webhook: string;
                            readonly url: string;
                            readonly kinds: string[];
                            readonly rooms: string[];
                            readonly author: string;
                            /** In ms since 1970. */
                            readonly created: number;
                            /** Events that are tried again. */
                            readonly waiting: number;
                            /** Dead letters. */
                            readonly dead: number;
                            /** The age of the oldest event that has not arrived. */
                            readonly behindMs: number;
                            /** Of the newest failed delivery. */
                            readonly reason?: string;
                        }[];
                    };
                };
            };
            /** `bad_frame`: The frame is not valid. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized`: The token is not valid. `token_expired`: The token has expired; send refresh. */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `forbidden`: This user may not do that here. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `not_found`: There is no such thing. */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `conflict`: It was changed meanwhile. */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited`: Too many requests; wait. */
            readonly 429: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal`: The server made a mistake. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `busy`: The server is full; the request was not stored. `unavailable`: No answer in time; retry with the same id. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly createWebhook: {
        readonly parameters: {
            readonly query?: {
                /** For service tokens (`svc`): the user for whom the back end makes the request, 1 to 128 bytes of UTF-8. */
                readonly as?: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                /**
                 * @example {
                 *       "url": "https://app.example/hook",
                 *       "kinds": [
                 *         "room.msg"
                 *       ],
                 *       "rooms": [
                 *         "general"
                 *       ]
                 *     }
                 */
                readonly "application/json": {
                    /** https; without user, password or fragment. */
                    readonly url: string;
                    readonly kinds: ("room.msg" | "room.edited" | "room.deleted" | "room.reacted" | "room.pinned" | "room.member" | "room.room" | "room.invite" | "session.started" | "session.ended")[];
                    /** Default: all rooms. */
                    readonly rooms?: string[];
                    /** Default: a new one. `whsec_` and 24 to 64 bytes in base64. */
                    readonly secret?: string;
                };
            };
        };
        readonly responses: {
            /** Done. */
            readonly 201: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "webhook": "7c0e6c83-44a9-4a6c-9c3f-1f5d6f0b7a11",
                     *       "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
                     *     }
                     */
                    readonly "application/json": {
                        readonly webhook: string;
                        /** It verifies the deliveries. No other answer has it. */
                        readonly secret: string;
                    };
                };
            };
            /** `bad_frame`: The frame is not valid. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized`: The token is not valid. `token_expired`: The token has expired; send refresh. */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `forbidden`: This user may not do that here. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `not_found`: There is no such thing. */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `conflict`: It was changed meanwhile. */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `too_large`: The body is larger than allowed. */
            readonly 413: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited`: Too many requests; wait. */
            readonly 429: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal`: The server made a mistake. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `busy`: The server is full; the request was not stored. `unavailable`: No answer in time; retry with the same id. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly removeWebhook: {
        readonly parameters: {
            readonly query?: {
                /** For service tokens (`svc`): the user for whom the back end makes the request, 1 to 128 bytes of UTF-8. */
                readonly as?: string;
            };
            readonly header?: never;
            readonly path: {
                readonly webhook: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** Done. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "ok": true
                     *     }
                     */
                    readonly "application/json": {
                        readonly ok: true;
                    };
                };
            };
            /** `bad_frame`: The frame is not valid. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized`: The token is not valid. `token_expired`: The token has expired; send refresh. */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `forbidden`: This user may not do that here. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `not_found`: There is no such thing. */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `conflict`: It was changed meanwhile. */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited`: Too many requests; wait. */
            readonly 429: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal`: The server made a mistake. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `busy`: The server is full; the request was not stored. `unavailable`: No answer in time; retry with the same id. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly listDeadLetters: {
        readonly parameters: {
            readonly query?: {
                readonly after?: number;
                readonly limit?: number;
                /** For service tokens (`svc`): the user for whom the back end makes the request, 1 to 128 bytes of UTF-8. */
                readonly as?: string;
            };
            readonly header?: never;
            readonly path: {
                readonly webhook: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** Done. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "dead": [
                     *         {
                     *           "n": 1,
                     *           "id": "01a2286f-3f3f-7768-812a-d4886e1a45be",
                     *           "kind": "room.msg",
                     *           "at": 1795974709070,
                     *           "attempts": 120,
                     *           "reason": "status 500"
                     *         }
                     *       ]
                     *     }
                     */
                    readonly "application/json": {
                        readonly dead: {
                            /** Its place in the list. */
                            readonly n: number;
                            /** `webhook-id`. */
                            readonly id: string;
                            readonly kind: string;
                            readonly at: number;
                            readonly attempts: number;
                            readonly reason: string;
                        }[];
                    };
                };
            };
            /** `bad_frame`: The frame is not valid. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized`: The token is not valid. `token_expired`: The token has expired; send refresh. */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `forbidden`: This user may not do that here. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `not_found`: There is no such thing. */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `conflict`: It was changed meanwhile. */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited`: Too many requests; wait. */
            readonly 429: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal`: The server made a mistake. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `busy`: The server is full; the request was not stored. `unavailable`: No answer in time; retry with the same id. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly replayDeadLetters: {
        readonly parameters: {
            readonly query?: {
                /** For service tokens (`svc`): the user for whom the back end makes the request, 1 to 128 bytes of UTF-8. */
                readonly as?: string;
            };
            readonly header?: never;
            readonly path: {
                readonly webhook: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                /**
                 * @example {
                 *       "ids": [
                 *         "01a2286f-3f3f-7768-812a-d4886e1a45be"
                 *       ]
                 *     }
                 */
                readonly "application/json": {
                    /** Default: all dead letters of the webhook. */
                    readonly ids?: string[];
                };
            };
        };
        readonly responses: {
            /** Done. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "replayed": 1
                     *     }
                     */
                    readonly "application/json": {
                        readonly replayed: number;
                    };
                };
            };
            /** `bad_frame`: The frame is not valid. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized`: The token is not valid. `token_expired`: The token has expired; send refresh. */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `forbidden`: This user may not do that here. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `not_found`: There is no such thing. */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `conflict`: It was changed meanwhile. */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `too_large`: The body is larger than allowed. */
            readonly 413: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited`: Too many requests; wait. */
            readonly 429: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal`: The server made a mistake. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `busy`: The server is full; the request was not stored. `unavailable`: No answer in time; retry with the same id. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly previewLink: {
        readonly parameters: {
            readonly query: {
                /** `http` or `https`, in ASCII; without user, password or fragment. */
                readonly url: string;
                /** For service tokens (`svc`): the user for whom the back end makes the request, 1 to 128 bytes of UTF-8. */
                readonly as?: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** Done. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "kind": "preview",
                     *       "preview": {
                     *         "title": "Green tea",
                     *         "description": "How to brew it.",
                     *         "site": "Tea House"
                     *       }
                     *     }
                     */
                    readonly "application/json": {
                        readonly kind: "preview";
                        readonly preview: {
                            readonly title: string;
                            readonly description?: string;
                            /** The name that the site gives itself. */
                            readonly site?: string;
                        };
                    } | {
                        readonly kind: "none";
                        /**
                         * `off`: this cluster makes no previews. `unavailable`: not now. `nothing`: none for this URL.
                         * @enum {string}
                         */
                        readonly reason: "off" | "unavailable" | "nothing";
                    };
                };
            };
            /** `bad_frame`: The frame is not valid. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized`: The token is not valid. `token_expired`: The token has expired; send refresh. */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `forbidden`: This user may not do that here. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited`: Too many requests; wait. */
            readonly 429: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal`: The server made a mistake. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `busy`: The server is full; the request was not stored. `unavailable`: No answer in time; retry with the same id. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly linkAttachment: {
        readonly parameters: {
            readonly query?: {
                /** For service tokens (`svc`): the user for whom the back end makes the request, 1 to 128 bytes of UTF-8. */
                readonly as?: string;
            };
            readonly header?: never;
            readonly path: {
                readonly room: string;
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** Done. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01a2286f-5000-7768-812a-d4886e1a45c0",
                     *       "name": "photo.jpg",
                     *       "type": "image/jpeg",
                     *       "bytes": 81920,
                     *       "width": 1200,
                     *       "height": 800,
                     *       "url": "/v1/files/eyJpZCI6Ijcx.c2ln",
                     *       "thumbnail": "/v1/files/eyJpZCI6Ijcy.c2ln",
                     *       "until": 1795975609070
                     *     }
                     */
                    readonly "application/json": {
                        readonly id: string;
                        readonly name: string;
                        readonly type: string;
                        readonly bytes: number;
                        readonly width?: number;
                        readonly height?: number;
                        /** The path of the bytes. It needs no token. */
                        readonly url: string;
                        /** The path of a small WebP image. */
                        readonly thumbnail?: string;
                        /** When the paths end. */
                        readonly until: number;
                    };
                };
            };
            /** `bad_frame`: The frame is not valid. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized`: The token is not valid. `token_expired`: The token has expired; send refresh. */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `forbidden`: This user may not do that here. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `not_found`: There is no such thing. */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited`: Too many requests; wait. */
            readonly 429: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal`: The server made a mistake. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `busy`: The server is full; the request was not stored. `unavailable`: No answer in time; retry with the same id. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly uploadAttachment: {
        readonly parameters: {
            readonly query: {
                /** As readers see it, for example `photo.jpg`. */
                readonly name: string;
                /** For service tokens (`svc`): the user for whom the back end makes the request, 1 to 128 bytes of UTF-8. */
                readonly as?: string;
            };
            readonly header?: never;
            readonly path: {
                readonly room: string;
                /** A UUIDv7 that the caller makes for the file. */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                /** @example the bytes of the file */
                readonly "application/octet-stream": string;
            };
        };
        readonly responses: {
            /** Done. */
            readonly 201: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01a2286f-5000-7768-812a-d4886e1a45c0",
                     *       "name": "photo.jpg",
                     *       "type": "image/jpeg",
                     *       "bytes": 81920,
                     *       "width": 1200,
                     *       "height": 800,
                     *       "until": 1796061109070,
                     *       "proof": "ppppppppppppppppppppppppppppppppppppppppppp"
                     *     }
                     */
                    readonly "application/json": {
                        readonly id: string;
                        readonly name: string;
                        readonly type: string;
                        readonly bytes: number;
                        readonly width?: number;
                        readonly height?: number;
                        /** A message may name the file until then. */
                        readonly until: number;
                        readonly proof: string;
                    };
                };
            };
            /** `bad_frame`: The frame is not valid. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized`: The token is not valid. `token_expired`: The token has expired; send refresh. */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `forbidden`: This user may not do that here. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `not_found`: There is no such thing. */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `conflict`: It was changed meanwhile. */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `too_large`: The body is larger than allowed. */
            readonly 413: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited`: Too many requests; wait. */
            readonly 429: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal`: The server made a mistake. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `busy`: The server is full; the request was not stored. `unavailable`: No answer in time; retry with the same id. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly readAttachment: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                readonly link: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** Done. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    /** @example the bytes of the file */
                    readonly "*/*": string;
                };
            };
            /** The part that `Range` names. */
            readonly 206: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    /** @example the bytes of the file */
                    readonly "*/*": string;
                };
            };
            /** `If-None-Match` names these bytes. */
            readonly 304: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
            /** `bad_frame`: The frame is not valid. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `forbidden`: This user may not do that here. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `not_found`: There is no such thing. */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `bad_frame`: no byte is in the `Range`. */
            readonly 416: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal`: The server made a mistake. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `busy`: The server is full; the request was not stored. `unavailable`: No answer in time; retry with the same id. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly exportRoom: {
        readonly parameters: {
            readonly query?: {
                /** The number of the last event that the caller has. */
                readonly after?: number;
                /** For service tokens (`svc`): the user for whom the back end makes the request, 1 to 128 bytes of UTF-8. */
                readonly as?: string;
            };
            readonly header?: never;
            readonly path: {
                readonly room: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** Done. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {"t":"export","v":1,"room":"general","born":"01a2286f-3f3f-7768-812a-d4886e1a45be","after":0,"head":1}
                     *     {"t":"msg","room":"general","seq":1,"id":"01a2286f-3f3f-7768-812a-d4886e1a45be","from":"ada","at":1795974709070,"body":{"text":"hello"}}
                     *     {"t":"end","seq":1}
                     */
                    readonly "application/x-ndjson": string;
                };
            };
            /** `bad_frame`: The frame is not valid. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized`: The token is not valid. `token_expired`: The token has expired; send refresh. */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `forbidden`: This user may not do that here. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited`: Too many requests; wait. */
            readonly 429: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal`: The server made a mistake. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `busy`: The server is full; the request was not stored. `unavailable`: No answer in time; retry with the same id. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly importEvents: {
        readonly parameters: {
            readonly query?: {
                /** For service tokens (`svc`): the user for whom the back end makes the request, 1 to 128 bytes of UTF-8. */
                readonly as?: string;
            };
            readonly header?: never;
            readonly path: {
                readonly room: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                /**
                 * @example {
                 *       "born": "01a2286f-3f3f-7768-812a-d4886e1a45be",
                 *       "events": [
                 *         {
                 *           "t": "msg",
                 *           "room": "general",
                 *           "seq": 1,
                 *           "id": "01a2286f-3f3f-7768-812a-d4886e1a45be",
                 *           "from": "ada",
                 *           "at": 1795974709070,
                 *           "body": {
                 *             "text": "hello"
                 *           }
                 *         }
                 *       ]
                 *     }
                 */
                readonly "application/json": {
                    /** The id of the first event of the room. */
                    readonly born: string;
                    readonly events: Record<string, unknown>[];
                };
            };
        };
        readonly responses: {
            /** Done. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "room": "general",
                     *       "seq": 1
                     *     }
                     */
                    readonly "application/json": {
                        readonly room: string;
                        /** The number of the last event. */
                        readonly seq: number;
                    };
                };
            };
            /** `bad_frame`: The frame is not valid. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized`: The token is not valid. `token_expired`: The token has expired; send refresh. */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `forbidden`: This user may not do that here. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `conflict`: It was changed meanwhile. */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `too_large`: The body is larger than allowed. */
            readonly 413: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal`: The server made a mistake. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `busy`: The server is full; the request was not stored. `unavailable`: No answer in time; retry with the same id. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly listSessions: {
        readonly parameters: {
            readonly query?: {
                /** For service tokens (`svc`): the user for whom the back end makes the request, 1 to 128 bytes of UTF-8. */
                readonly as?: string;
            };
            readonly header?: never;
            readonly path: {
                readonly user: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** Done. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "sessions": [
                     *         {
                     *           "session": "01a2286f-3f3f-7768-812a-d4886e1a45be",
                     *           "since": 1795974709070,
                     *           "client": "web",
                     *           "gateway": "gw-a1"
                     *         }
                     *       ],
                     *       "more": 0
                     *     }
                     */
                    readonly "application/json": {
                        readonly sessions: {
                            readonly session: string;
                            /** When it began, in ms since 1970. */
                            readonly since: number;
                            /** The program, as it names itself. */
                            readonly client?: string;
                            /** The device, as the client names it. */
                            readonly device?: string;
                            /** An IPv4 /24 or an IPv6 /64. */
                            readonly address?: string;
                            readonly gateway: string;
                        }[];
                        /** How many sessions the list leaves out. */
                        readonly more: number;
                    };
                };
            };
            /** `bad_frame`: The frame is not valid. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized`: The token is not valid. `token_expired`: The token has expired; send refresh. */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `forbidden`: This user may not do that here. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited`: Too many requests; wait. */
            readonly 429: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal`: The server made a mistake. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `busy`: The server is full; the request was not stored. `unavailable`: No answer in time; retry with the same id. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly endSessions: {
        readonly parameters: {
            readonly query?: {
                /** For service tokens (`svc`): the user for whom the back end makes the request, 1 to 128 bytes of UTF-8. */
                readonly as?: string;
            };
            readonly header?: never;
            readonly path: {
                readonly user: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** Done. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "ended": 2
                     *     }
                     */
                    readonly "application/json": {
                        readonly ended: number;
                    };
                };
            };
            /** `bad_frame`: The frame is not valid. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized`: The token is not valid. `token_expired`: The token has expired; send refresh. */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `forbidden`: This user may not do that here. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited`: Too many requests; wait. */
            readonly 429: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal`: The server made a mistake. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `busy`: The server is full; the request was not stored. `unavailable`: No answer in time; retry with the same id. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly endSession: {
        readonly parameters: {
            readonly query?: {
                /** For service tokens (`svc`): the user for whom the back end makes the request, 1 to 128 bytes of UTF-8. */
                readonly as?: string;
            };
            readonly header?: never;
            readonly path: {
                readonly user: string;
                readonly session: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** Done. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "ended": 1
                     *     }
                     */
                    readonly "application/json": {
                        readonly ended: number;
                    };
                };
            };
            /** `bad_frame`: The frame is not valid. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized`: The token is not valid. `token_expired`: The token has expired; send refresh. */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `forbidden`: This user may not do that here. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `not_found`: There is no such thing. */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited`: Too many requests; wait. */
            readonly 429: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal`: The server made a mistake. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `busy`: The server is full; the request was not stored. `unavailable`: No answer in time; retry with the same id. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly revokeTokens: {
        readonly parameters: {
            readonly query?: {
                /** For service tokens (`svc`): the user for whom the back end makes the request, 1 to 128 bytes of UTF-8. */
                readonly as?: string;
            };
            readonly header?: never;
            readonly path: {
                readonly user: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** Done. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "at": 1795974709070
                     *     }
                     */
                    readonly "application/json": {
                        /** Tokens issued up to this time are refused; ms since 1970. */
                        readonly at: number;
                    };
                };
            };
            /** `bad_frame`: The frame is not valid. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized`: The token is not valid. `token_expired`: The token has expired; send refresh. */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `forbidden`: This user may not do that here. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `conflict`: It was changed meanwhile. */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited`: Too many requests; wait. */
            readonly 429: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal`: The server made a mistake. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `busy`: The server is full; the request was not stored. `unavailable`: No answer in time; retry with the same id. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly listInvites: {
        readonly parameters: {
            readonly query?: {
                /** For service tokens (`svc`): the user for whom the back end makes the request, 1 to 128 bytes of UTF-8. */
                readonly as?: string;
            };
            readonly header?: never;
            readonly path: {
                readonly room: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** Done. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "invites": [
                     *         {
                     *           "invite": "01a2286f-4000-7768-812a-d4886e1a45bf",
                     *           "role": "member",
                     *           "until": 1796061109070,
                     *           "uses": 10,
                     *           "used": 1
                     *         }
                     *       ]
                     *     }
                     */
                    readonly "application/json": {
                        readonly invites: {
                            /** Its id, for `DELETE …/invites/{invite}`. */
                            readonly invite: string;
                            /** @enum {string} */
                            readonly role: "reader" | "member";
                            /** The end of the invite, in ms since 1970. */
                            readonly until: number;
                            readonly uses: number;
                            /** The number of guests who entered with it. */
                            readonly used: number;
                        }[];
                    };
                };
            };
            /** `bad_frame`: The frame is not valid. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized`: The token is not valid. `token_expired`: The token has expired; send refresh. */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `forbidden`: This user may not do that here. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited`: Too many requests; wait. */
            readonly 429: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal`: The server made a mistake. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `busy`: The server is full; the request was not stored. `unavailable`: No answer in time; retry with the same id. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly createInvite: {
        readonly parameters: {
            readonly query?: {
                /** For service tokens (`svc`): the user for whom the back end makes the request, 1 to 128 bytes of UTF-8. */
                readonly as?: string;
            };
            readonly header?: {
                /** A UUIDv7 is the message id itself. Any other key of 1 to 255 printable ASCII characters also works and costs one look-up in the archive. */
                readonly "idempotency-key"?: string;
            };
            readonly path: {
                readonly room: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                /**
                 * @example {
                 *       "role": "member",
                 *       "ttl": 86400,
                 *       "uses": 10
                 *     }
                 */
                readonly "application/json": {
                    /** @enum {string} */
                    readonly role?: "reader" | "member";
                    readonly ttl?: number;
                    readonly uses?: number;
                    /** 22 to 64 random characters of base64url; default: one that the gateway makes. */
                    readonly secret?: string;
                };
            };
        };
        readonly responses: {
            /** Done. */
            readonly 201: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01a2286f-3f3f-7768-812a-d4886e1a45be",
                     *       "room": "general",
                     *       "seq": 2,
                     *       "at": 1795974709070,
                     *       "until": 1796061109070,
                     *       "token": "general.01a2286f-3f3f-7768-812a-d4886e1a45be.a-secret-of-22-letters"
                     *     }
                     */
                    readonly "application/json": {
                        readonly id: string;
                        readonly room: string;
                        readonly seq: number;
                        readonly at: number;
                        /** The end of the invite, in ms since 1970. */
                        readonly until: number;
                        readonly token: string;
                    };
                };
            };
            /** `bad_frame`: The frame is not valid. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized`: The token is not valid. `token_expired`: The token has expired; send refresh. */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `forbidden`: This user may not do that here. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `not_found`: There is no such thing. */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `conflict`: It was changed meanwhile. */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `too_large`: The body is larger than allowed. */
            readonly 413: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `bad_id`: The message id is not a UUIDv7 of a sane time. */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited`: Too many requests; wait. */
            readonly 429: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal`: The server made a mistake. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `busy`: The server is full; the request was not stored. `unavailable`: No answer in time; retry with the same id. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly revokeInvite: {
        readonly parameters: {
            readonly query?: {
                /** For service tokens (`svc`): the user for whom the back end makes the request, 1 to 128 bytes of UTF-8. */
                readonly as?: string;
            };
            readonly header?: {
                /** A UUIDv7 is the message id itself. Any other key of 1 to 255 printable ASCII characters also works and costs one look-up in the archive. */
                readonly "idempotency-key"?: string;
            };
            readonly path: {
                readonly room: string;
                readonly invite: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** Done. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "01a2286f-3f3f-7768-812a-d4886e1a45be",
                     *       "room": "general",
                     *       "seq": 2,
                     *       "at": 1795974709070
                     *     }
                     */
                    readonly "application/json": {
                        readonly id: string;
                        readonly room: string;
                        readonly seq: number;
                        readonly at: number;
                    };
                };
            };
            /** `bad_frame`: The frame is not valid. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unauthorized`: The token is not valid. `token_expired`: The token has expired; send refresh. */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `forbidden`: This user may not do that here. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `not_found`: There is no such thing. */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `conflict`: It was changed meanwhile. */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `bad_id`: The message id is not a UUIDv7 of a sane time. */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited`: Too many requests; wait. */
            readonly 429: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal`: The server made a mistake. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `busy`: The server is full; the request was not stored. `unavailable`: No answer in time; retry with the same id. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly createDevToken: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                /**
                 * @example {
                 *       "user": "ada"
                 *     }
                 */
                readonly "application/json": {
                    /** 1 to 128 bytes of UTF-8 without U+0000. */
                    readonly user: string;
                    readonly name?: string;
                    /** Room id → role. */
                    readonly rooms?: {
                        readonly [key: string]: string;
                    };
                    readonly admin?: boolean;
                    /** A service token. */
                    readonly svc?: boolean;
                };
            };
        };
        readonly responses: {
            /** Done. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "token": "eyJhbGciOiJIUzI1NiJ9.e30.c2ln"
                     *     }
                     */
                    readonly "application/json": {
                        readonly token: string;
                    };
                };
            };
            /** `bad_frame`: The frame is not valid. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `forbidden`: This user may not do that here. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `too_large`: The body is larger than allowed. */
            readonly 413: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `rate_limited`: Too many requests; wait. */
            readonly 429: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal`: The server made a mistake. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly checkHealth: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** Done. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "ok": true
                     *     }
                     */
                    readonly "application/json": {
                        readonly ok: true;
                    };
                };
            };
            /** `bad_frame`: The frame is not valid. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `forbidden`: This user may not do that here. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal`: The server made a mistake. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly checkReadiness: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** Done. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "ok": true
                     *     }
                     */
                    readonly "application/json": {
                        readonly ok: true;
                    };
                };
            };
            /** `bad_frame`: The frame is not valid. */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `forbidden`: This user may not do that here. */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `internal`: The server made a mistake. */
            readonly 500: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** `unavailable`: No answer in time; retry with the same id. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
