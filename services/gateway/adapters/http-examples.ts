// HttpExamples: an example of the request body and of the answer of each operation, for the
// description of the API.
//
// Owns: the names of the operations, and their examples. Does not own: the schemas (the routes),
// the examples of refusals (openapi.ts).
//
//   http-examples.1. Every operation has its row; its `name` does not compile otherwise. A linter
//        and a test check each example against its schema.

interface Row {
  readonly request?: object | string;
  readonly answer: unknown;
}

const room = "general";
const id = "01a2286f-3f3f-7768-812a-d4886e1a45be";
const invite = "01a2286f-4000-7768-812a-d4886e1a45bf";
const webhook = "7c0e6c83-44a9-4a6c-9c3f-1f5d6f0b7a11";
const at = 1_795_974_709_070;
const body = { text: "hello" };
const message = { t: "msg", room, seq: 1, id, from: "ada", at, body };
const edited = { ...message, state: { edited: { seq: 2, at } } };
const written = { answer: { id, room, seq: 2, at } };
const covered = { more: false, first: 1, last: 2, asOf: 2 };
const file = {
  id: "01a2286f-5000-7768-812a-d4886e1a45c0",
  name: "photo.jpg",
  type: "image/jpeg",
  bytes: 81_920,
  width: 1_200,
  height: 800,
};
const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

export const HTTP_EXAMPLES = {
  listMessages: { answer: { events: [message], more: false } },
  sendMessage: { request: { body }, answer: { id, room, seq: 1, at } },
  readMessage: { answer: { message: edited, asOf: 2 } },
  editMessage: { request: { body, mentions: ["ben"] }, ...written },
  deleteMessage: written,
  react: written,
  takeReactionBack: written,
  pinMessage: written,
  unpinMessage: written,
  listPins: { answer: { events: [{ ...message, state: { pinned: 2 } }], ...covered } },
  createRoom: {
    request: { room, kind: "closed", title: "Plans", members: [{ user: "ben" }] },
    ...written,
  },
  findRooms: { answer: { rooms: [{ room, title: "Plans", role: "none", head: 2, at }] } },
  readRoom: {
    answer: { room, kind: "closed", title: "Plans", head: 2, born: id, role: "owner", members: 2 },
  },
  updateRoom: { request: { title: "Plans", slowMode: 30 }, ...written },
  listMembers: { answer: { members: [{ user: "ada", role: "owner" }], more: false } },
  setMember: { request: { role: "moderator" }, ...written },
  removeMember: written,
  createInvite: {
    request: { role: "member", ttl: 86_400, uses: 10 },
    answer: {
      id,
      room,
      seq: 2,
      at,
      until: at + 86_400_000,
      token: `${room}.${id}.a-secret-of-22-letters`,
    },
  },
  listInvites: {
    answer: { invites: [{ invite, role: "member", until: at + 86_400_000, uses: 10, used: 1 }] },
  },
  revokeInvite: written,
  enterRoom: { request: { token: `${room}.${invite}.a-secret-of-22-letters` }, ...written },
  listRooms: {
    answer: {
      rooms: [{ room, kind: "open", role: "member", head: 2, at, read: 1, unread: 1, mentions: 0 }],
    },
  },
  readNames: { answer: { names: [{ user: "ada", name: "Ada Lovelace" }] } },
  removeName: { answer: { removed: true } },
  searchMessages: {
    answer: {
      messages: [{ room, seq: 1, from: "ada", at, text: "hello", highlights: [[0, 5]] }],
    },
  },
  exportRoom: {
    answer:
      `{"t":"export","v":1,"room":"${room}","born":"${id}","after":0,"head":1}\n` +
      `${JSON.stringify(message)}\n{"t":"end","seq":1}\n`,
  },
  importEvents: { request: { born: id, events: [message] }, answer: { room, seq: 1 } },
  uploadAttachment: {
    request: "the bytes of the file",
    answer: { ...file, until: at + 86_400_000, proof: "p".repeat(43) },
  },
  linkAttachment: {
    answer: {
      ...file,
      url: "/v1/files/eyJpZCI6Ijcx.c2ln",
      thumbnail: "/v1/files/eyJpZCI6Ijcy.c2ln",
      until: at + 900_000,
    },
  },
  readAttachment: { answer: "the bytes of the file" },
  previewLink: {
    answer: {
      kind: "preview",
      preview: { title: "Green tea", description: "How to brew it.", site: "Tea House" },
    },
  },
  createWebhook: {
    request: { url: "https://app.example/hook", kinds: ["room.msg"], rooms: [room] },
    answer: { webhook, secret },
  },
  listWebhooks: {
    answer: {
      webhooks: [
        {
          webhook,
          url: "https://app.example/hook",
          kinds: ["room.msg"],
          rooms: [room],
          author: "ada",
          created: at,
          waiting: 0,
          dead: 0,
          behindMs: 0,
        },
      ],
    },
  },
  removeWebhook: { answer: { ok: true } },
  listDeadLetters: {
    answer: { dead: [{ n: 1, id, kind: "room.msg", at, attempts: 120, reason: "status 500" }] },
  },
  replayDeadLetters: { request: { ids: [id] }, answer: { replayed: 1 } },
  listSessions: {
    answer: { sessions: [{ session: id, since: at, client: "web", gateway: "gw-a1" }], more: 0 },
  },
  endSessions: { answer: { ended: 2 } },
  endSession: { answer: { ended: 1 } },
  revokeTokens: { answer: { at } },
  createDevToken: { request: { user: "ada" }, answer: { token: "eyJhbGciOiJIUzI1NiJ9.e30.c2ln" } },
  checkHealth: { answer: { ok: true } },
  checkReadiness: { answer: { ok: true } },
} as const satisfies Readonly<Record<string, Row>>;

export type OperationName = keyof typeof HTTP_EXAMPLES;

export function exampleOf(name: OperationName): Row {
  return HTTP_EXAMPLES[name];
}
