// Manual: the examples and the JSON fields of each command. They end its --help, and docs/cli.md
// is written from them.
//
//   manual.1. Every command has at least one example, which its parser accepts, and the fields of
//        its JSON. A test walks the command table and fails for a command without an entry.
//   manual.2. A field keeps its name and meaning. A later version can add fields.

import type { Command } from "commander";

export interface ManualEntry {
  /** Each is a whole command line. */
  readonly examples: readonly string[];
  /** The fields of each JSON line; `?`: not always. Or what the line is. */
  readonly json: readonly string[] | string;
}

const EVENT = "an event, as docs/protocol.md describes it";
const PLACE = ["room", "seq", "id", "at"];
const REGION =
  "the answer of the region agent: v, ok, region, peer, home?, state, record, leftMs, lag, logs";

/** By the words of the command. */
export const MANUAL: Readonly<Record<string, ManualEntry>> = {
  chat: {
    examples: [
      "parley chat general --user ada",
      "parley chat general --token-file ada.token --outbox ~/.parley-outbox",
    ],
    json: "not available: chat is for a terminal; use tail and send",
  },
  token: { examples: ["parley token ada", "parley token billing --svc"], json: ["user", "token"] },
  send: {
    examples: [
      'parley send general "hello"',
      'parley send general "I agree" --thread 12 --user ada',
      'parley send general "hello" --trace --json',
    ],
    json: PLACE,
  },
  tail: {
    examples: ["parley tail general", "parley tail general --after 100 --json"],
    json: EVENT,
  },
  history: {
    examples: [
      "parley history general --limit 20",
      "parley history general --before 100 --messages",
      "parley history general --thread 12 --json",
    ],
    json: `${EVENT}; with --messages or --thread a message with its state`,
  },
  search: {
    examples: [
      'parley search "green tea"',
      "parley search tea --room plans --from ada --json",
      "parley search gre* -- -coffee",
    ],
    json: ["room", "seq", "from", "at", "thread?", "text", "highlights", "cut?"],
  },
  "webhooks add": {
    examples: [
      "parley webhooks add https://hooks.example/parley --kind room.msg",
      "parley webhooks add https://hooks.example/parley --kind room.msg --kind room.member --room plans",
    ],
    json: ["webhook", "secret"],
  },
  "webhooks list": {
    examples: ["parley webhooks list", "parley webhooks list --json"],
    json: [
      "webhook",
      "url",
      "kinds",
      "rooms",
      "author",
      "created",
      "waiting",
      "dead",
      "behindMs",
      "reason?",
    ],
  },
  "webhooks remove": {
    examples: ["parley webhooks remove 0199f000-0000-4000-8000-000000000001"],
    json: ["webhook", "ok"],
  },
  "webhooks dead": {
    examples: ["parley webhooks dead 0199f000-0000-4000-8000-000000000001"],
    json: ["n", "id", "kind", "at", "attempts", "reason"],
  },
  "webhooks replay": {
    examples: ["parley webhooks replay 0199f000-0000-4000-8000-000000000001"],
    json: ["webhook", "replayed"],
  },
  export: {
    examples: [
      "parley export plans",
      "parley export plans --file plans.ndjson --user ada",
      "parley export plans --after 1000",
    ],
    json: `${EVENT}, between a first line with t, v, room, born, after, head and a last line with t, seq`,
  },
  import: {
    examples: ["parley import plans.ndjson", "parley import plans.ndjson --room plans-2 --json"],
    json: ["room", "born", "head", "imported"],
  },
  "room list": {
    examples: ["parley room list --user ada", 'parley room list --find "tea" --json'],
    json: [
      "room",
      "kind",
      "title?",
      "role",
      "head",
      "read?",
      "unread?",
      "mentions?",
      "at?",
      "last?",
    ],
  },
  "room members": {
    examples: ["parley room members plans", "parley room members plans --json"],
    json: ["user", "role", "mutedUntil?", "banned?"],
  },
  "room mute": {
    examples: ["parley room mute plans ben --for 3600", "parley room mute plans ben --off"],
    json: PLACE,
  },
  "room create": {
    examples: [
      "parley room create plans --closed",
      'parley room create tea --title "Tea" --invite ada ben',
    ],
    json: PLACE,
  },
  "room set": {
    examples: ['parley room set tea --topic "green"', "parley room set tea --slow-mode 10"],
    json: PLACE,
  },
  "room link": {
    examples: ["parley room link plans", "parley room link plans --uses 10 --ttl 3600 --json"],
    json: [...PLACE, "until", "token"],
  },
  "room revoke": {
    examples: ["parley room revoke plans 0199f000-0000-7000-8000-000000000001"],
    json: PLACE,
  },
  "room enter": {
    examples: [
      "parley room enter plans.0199f000-0000-7000-8000-000000000001.c2VjcmV0LXNlY3JldC1zZWNyZXQ",
    ],
    json: PLACE,
  },
  "room invite": {
    examples: ["parley room invite plans ben", "parley room invite plans ben --role moderator"],
    json: PLACE,
  },
  "room remove": {
    examples: ["parley room remove plans ben", "parley room remove plans ben --ban"],
    json: PLACE,
  },
  edit: { examples: ['parley edit general 3 "hello again"'], json: PLACE },
  delete: {
    examples: ["parley delete general 3", 'parley delete general 3 --reason "a typo"'],
    json: PLACE,
  },
  react: {
    examples: ["parley react general 3 👍", "parley react general 3 :ok: --off"],
    json: PLACE,
  },
  pin: { examples: ["parley pin general 3", "parley pin general 3 --off"], json: PLACE },
  trace: {
    examples: ["parley trace 0199f000-0000-7000-8000-000000000001"],
    json: ["id", "address", "traceId", "spans"],
  },
  log: {
    examples: ["parley log 3", "parley log 3 100 --follow --json"],
    json: "seq, void, kind, and the fields of the entry: epoch, node, at, groups, of, reason",
  },
  doctor: {
    examples: ["parley doctor", "parley doctor --url http://chat.example:8080 --json"],
    json: ["name", "ok", "detail", "remedy?"],
  },
  status: {
    examples: ["parley status", "parley status --json"],
    json: ["processes", "partitions", "problems"],
  },
  rooms: { examples: ["parley rooms", "parley rooms --json"], json: ["room", "sessions", "head"] },
  drain: { examples: ["parley drain room-1"], json: ["process"] },
  kick: { examples: ["parley kick ada"], json: ["user", "closed"] },
  "devices list": {
    examples: ["parley devices list --user ada", "parley devices list ada --json"],
    json: ["session", "since", "client?", "device?", "address?", "gateway"],
  },
  "devices end": {
    examples: [
      "parley devices end 0199f000-0000-7000-8000-000000000001",
      "parley devices end all ada",
    ],
    json: ["user", "ended"],
  },
  revoke: { examples: ["parley revoke ada"], json: ["user", "at"] },
  "config get": {
    examples: ["parley config get --json"],
    json: ["setting", "scope?", "value", "by?", "at?"],
  },
  "config set": {
    examples: [
      "parley config set log.level debug",
      "parley config set log.level debug --service room",
    ],
    json: ["setting", "scope", "value"],
  },
  "config unset": {
    examples: ["parley config unset log.level"],
    json: ["setting", "scope", "value"],
  },
  forecast: {
    examples: ["parley forecast", "parley forecast --logs .parley/logs --json"],
    json: [
      "process",
      "resource",
      "earliestSeconds",
      "medianSeconds",
      "latestSeconds",
      "blamed?",
      "lines?",
      "foretold?",
      "rows?",
    ],
  },
  erase: {
    examples: ["parley erase ada", "parley erase ada --token-file admin.token"],
    json: ["user", "erased", "gone", "rooms", "failed", "remaining"],
  },
  "restore logs": {
    examples: ["parley restore logs", "parley restore logs --yes --lost none"],
    json: ["partitions", "isApplied", "plans", "recreated"],
  },
  "region status": { examples: ["parley region status --json"], json: REGION },
  "region promote": {
    examples: ["parley region promote", "parley region promote --accept-loss"],
    json: REGION,
  },
  "region demote": { examples: ["parley region demote"], json: REGION },
  "region mode": { examples: ["parley region mode synchronous"], json: REGION },
  "region rejoin": { examples: ["parley region rejoin --save own-entries.ndjson"], json: REGION },
  "partitions split": {
    examples: ["parley partitions split", "parley partitions split --to 64 --permitted 64"],
    json: ["partitions"],
  },
  completion: {
    examples: ["parley completion bash", "parley completion zsh", "parley completion fish"],
    json: ["shell", "script"],
  },
};

/** The commands that do something, each with its words. */
export function* commandsOf(
  command: Command,
  path = "",
): Generator<{ readonly path: string; readonly command: Command }> {
  if (command.commands.length === 0 && path !== "") yield { path, command };
  for (const one of command.commands) {
    yield* commandsOf(one, path === "" ? one.name() : `${path} ${one.name()}`);
  }
}

/** Adds examples and JSON fields to the help of each command that has an entry. */
export function addManual(program: Command): void {
  for (const { path, command } of commandsOf(program)) {
    const entry = MANUAL[path];
    if (entry !== undefined) command.addHelpText("after", helpText(entry));
  }
}

function helpText({ examples, json }: ManualEntry): string {
  return `\nExamples:\n${examples.map((line) => `  ${line}`).join("\n")}\n\n${jsonText(json)}`;
}

/** One sentence. */
export function jsonText(json: ManualEntry["json"]): string {
  if (typeof json === "string") return `With --json each line is ${json}.`;
  return `With --json each line is an object with ${json.join(", ")}.`;
}
