// Targets: every decoder of input from a client, a server or the bus.
//
//   targets.1. Each function of shared/protocol that decodes a text has a target: here, or in the
//        files of targets that this one lists.

import * as fc from "fast-check";
import { isTraceparent } from "#shared/kit/traceparent.ts";
import { decodeBeat, encodeBeat } from "#shared/protocol/beat.ts";
import { decodeClientFrames } from "#shared/protocol/client-frames.ts";
import {
  decodeCommandBatch,
  encodeCommand,
  encodeCommandBatch,
  encodeLate,
} from "#shared/protocol/command-batch.ts";
import { behaviourOf, isSync, isWrite } from "#shared/protocol/commands.ts";
import type { Command } from "#shared/protocol/commands.ts";
import {
  decodeControl,
  decodeDrain,
  decodeKick,
  decodeRooms,
  decodeStatus,
  encodeAnswer,
  encodeControl,
} from "#shared/protocol/control.ts";
import type { ProcessStatus } from "#shared/protocol/control.ts";
import { decodeEntry, encodeEntry } from "#shared/protocol/entry.ts";
import { encodeEvent } from "#shared/protocol/events.ts";
import {
  decodeReply,
  decodeRequest,
  encodeReply,
  encodeRequest,
} from "#shared/protocol/history.ts";
import { decodeInvite, encodeInvite } from "#shared/protocol/invites.ts";
import { messageTime, partitionOf } from "#shared/protocol/ids.ts";
import { ENTRY_BYTES_MAX, SYNC_ROOMS_MAX } from "#shared/protocol/limits.ts";
import {
  blockAbove,
  blockUpTo,
  bornOf,
  decodeOut,
  encodeHead,
  encodeOut,
  notableLines,
} from "#shared/protocol/lines.ts";
import { decodeLive, encodeLive } from "#shared/protocol/live.ts";
import { decodeNote, encodeNote } from "#shared/protocol/note.ts";
import { decodeResults, encodeResults, encodeResync } from "#shared/protocol/results.ts";
import {
  decodeRevocation,
  encodeRevocation,
  isOver,
  revocationKey,
} from "#shared/protocol/revocations.ts";
import { decodeServerFrame, encodeServerFrame } from "#shared/protocol/server-frames.ts";
import {
  checkSetting,
  decodeSetting,
  encodeSetting,
  parseSettingKey,
} from "#shared/protocol/settings.ts";
import { decodeSuspectReport, encodeSuspectReport } from "#shared/protocol/suspect-report.ts";
import {
  decodeTableChange,
  decodeTablePage,
  decodeTableRequest,
  encodeTableChange,
  encodeTablePage,
  encodeTableRequest,
} from "#shared/protocol/tables.ts";
import { decodeWatermark, encodeWatermark } from "#shared/protocol/watermark.ts";
import { lineTargets } from "./line-targets.ts";
import { optionalTargets } from "./optional-targets.ts";
import { regionTargets } from "./region-targets.ts";
import { sessionTargets } from "./session-targets.ts";
import { of, use } from "./target.ts";
import type { Target } from "./target.ts";
import * as arbitrary from "#shared/protocol/test/arbitraries.ts";
import {
  ROOM,
  GATEWAY,
  ROOM_NODE,
  ADA,
  ID,
  SECRET,
  HASH,
  CLIENT_FRAMES,
  COMMANDS,
  LISTED,
  SERVER_FRAMES,
} from "./samples.ts";

const SEEDS = 60;
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const textOf = (bytes: Uint8Array): string => decoder.decode(bytes);

function sample<T>(of: fc.Arbitrary<T>, seed: number): T[] {
  return fc.sample(of, { numRuns: SEEDS, seed });
}

const json = (values: readonly object[]): string[] => values.map((value) => JSON.stringify(value));

/** The owner's first use of each command of a batch. */
function useCommand(command: Command): void {
  if (isSync(command)) {
    if (command.rooms.length > SYNC_ROOMS_MAX) throw new Error("a sync beyond its bound");
    for (const [room, last, users] of command.rooms) use(partitionOf(room, 4) + last, users);
    return;
  }
  use(partitionOf(command.room, 4));
  if (!isWrite(command)) return;
  use(messageTime(command.id), isTraceparent(command.trace));
  const events = behaviourOf(command).events(command, { seq: 1, at: 1 }, { kind: "open" });
  const line = events.map(encodeEvent).join("\n");
  if (encoder.encode(line).length > ENTRY_BYTES_MAX) throw new Error("a line beyond an entry");
}

const FOUND = { room: ROOM, title: "Tea", topic: "x", role: "member", head: 3, at: 9 } as const;
const HIT = { room: ROOM, seq: 3, from: ADA, at: 9, text: "tea", highlights: [[0, 3]] } as const;
const SEARCH = { user: ADA, text: "tea", order: "newest", limit: 5 } as const;
const TARGET = { seq: 3, message: { from: ADA, thread: 1, isDeleted: true } } as const;
const PAGE = { head: 9, first: 1, last: 9, more: false } as const;
const ENTRIES = sample(arbitrary.entry, 1).map(encodeEntry);
const LINES = sample(arbitrary.event.map(encodeEvent), 2);
const at = (n: number): string => LINES[n % LINES.length] ?? "";

export function targets(): Target[] {
  return [
    ...clientTargets(),
    ...laneTargets(),
    ...roomTargets(),
    ...archiveTargets(),
    ...operatorTargets(),
    ...tableTargets(),
    ...sessionTargets(),
    ...regionTargets(),
    ...optionalTargets(),
    ...lineTargets(),
  ];
}

function clientTargets(): Target[] {
  return [
    {
      name: "client frames",
      seeds: [...json(CLIENT_FRAMES), json(CLIENT_FRAMES).join("\n")],
      take: (text) => decodeClientFrames(text).some(({ kind }) => kind === "frame"),
    },
    {
      name: "server frames (SDK)",
      seeds: [...SERVER_FRAMES.map(encodeServerFrame), ...LINES],
      take: (text) => ["frame", "event"].includes(decodeServerFrame(text).kind),
    },
  ];
}

function batchOf(commands: readonly string[]): string {
  return encodeCommandBatch({ gw: GATEWAY, lane: 3, n: 1 }, commands);
}

function laneTargets(): Target[] {
  return [
    of(
      "command batch",
      [
        batchOf(COMMANDS.map(encodeCommand)),
        batchOf([encodeLate(encodeCommand(COMMANDS[0] as Command))]),
        ...COMMANDS.map((command) => batchOf([encodeCommand(command)])),
      ],
      decodeCommandBatch,
      ({ commands }) => commands.forEach(useCommand),
    ),
    of(
      "results",
      [
        encodeResync(3, 812, 4, { above: 9, of: 8 }),
        ...encodeResults(3, 812, [
          { result: { c: 1, ok: "sent", seq: 4, at: 9, repeat: true } },
          { result: { c: 2, ok: "joined", head: 4, born: ID, here: 1, users: [ADA] } },
          { result: { c: 3, ok: "range", first: 1, count: 2 }, lines: [at(0), at(1)] },
          { result: { c: 4, ok: "left" } },
          { result: { c: 5, ok: "head", head: 4, born: "" } },
          {
            result: {
              c: 8,
              ok: "joined",
              head: 4,
              born: ID,
              here: 1,
              role: "reader",
              access: "closed",
            },
          },
          {
            result: {
              c: 9,
              ok: "about",
              head: 4,
              born: ID,
              kind: "closed",
              role: "owner",
              mutedUntil: 9,
              members: 2,
            },
          },
          {
            result: { c: 10, ok: "members", members: [{ user: ADA, role: "owner" }], more: false },
          },
          {
            result: {
              c: 19,
              ok: "invites",
              invites: [{ invite: ID, role: "reader", until: 9, uses: 3, used: 1 }],
            },
          },
          { result: { c: 6, ok: "synced", heads: [[ROOM, 4, ID]] } },
          { result: { c: 7, error: "busy", afterMs: 1_000 } },
        ]),
        ...encodeResults(3, 812, [{ result: { c: 1, ok: "sent", seq: 4, at: 9 } }]),
      ],
      (text) => decodeResults(encoder.encode(text), textOf),
      ({ answers }) => {
        for (const { result, block } of answers) {
          if ("ok" in result && result.ok === "synced") use(...result.heads);
          if (block !== undefined) use(blockAbove(block, block.first), blockUpTo(block, 2));
        }
      },
    ),
  ];
}

function roomTargets(): Target[] {
  return [
    of(
      "out lines",
      [
        encodeOut(5, [at(0), at(1)]),
        encodeOut(1, [at(2)], [`00-${"1".repeat(32)}-${"2".repeat(16)}-01`]),
        encodeHead(7, ID),
        encodeHead(7),
      ],
      (text) => decodeOut(encoder.encode(text)),
      (block) => {
        use(bornOf(block), blockAbove(block, block.first), blockUpTo(block, block.first));
        use(...notableLines(block));
        if (block.count > 0 && textOf(block.bytes).split("\n").length !== block.count) {
          throw new Error("a block with another number of lines");
        }
      },
    ),
    of(
      "live",
      [
        encodeLive({ t: "typing", room: ROOM, user: ADA, on: true }),
        encodeLive({ t: "presence", room: ROOM, join: [ADA], here: 1, all: true }),
        encodeLive({ t: "presence", room: ROOM, leave: [ADA], here: 0 }),
        encodeLive({ t: "reads", room: ROOM, reads: [[ADA, 3]] }),
      ],
      (text) => decodeLive(text, ROOM),
    ),
    of(
      "note",
      [
        encodeNote({ room: ROOM, seq: 3, why: "mention" }),
        encodeNote({ room: ROOM, seq: 3, why: "reply", needsGrant: true }),
      ],
      decodeNote,
    ),
    of(
      "beat",
      [
        encodeBeat({ id: ROOM_NODE, state: "live", version: "1", owns: { "0": 1, "3": 812 } }),
        encodeBeat({ id: GATEWAY, state: "leaving", version: "1" }),
        encodeBeat({
          id: ROOM_NODE,
          state: "live",
          version: "1",
          owns: { "0": 1 },
          load: { weight: -9, capacity: 500_000, busy: 70, costs: { "0": 70 }, next: ROOM_NODE },
        }),
      ],
      decodeBeat,
      ({ owns }) => Object.entries(owns ?? {}).forEach(([p, epoch]) => use(Number(p), epoch + 1)),
    ),
    of("watermark", [encodeWatermark(3, 812)], decodeWatermark),
    of("suspect report", [encodeSuspectReport(3)], decodeSuspectReport),
  ];
}

const REPLIES = [
  encodeReply({ ok: true, op: "watermark", watermark: 3, epoch: 1 }),
  encodeReply({ ok: true, op: "lookup", watermark: 3, found: { seq: 1, at: 2 } }),
  encodeReply({ ok: true, op: "lookup", watermark: 3, target: TARGET }),
  encodeReply({ ok: true, op: "messages", page: { ...PAGE, lines: [at(0), at(1)] } }),
  encodeReply({ ok: false, error: "unavailable" }),
  encodeReply({ ok: true, op: "rooms", page: { rooms: [LISTED], next: "9.general" } }),
  encodeReply({ ok: true, op: "find", found: { rooms: [FOUND], next: ROOM } }),
  encodeReply({ ok: true, op: "search", found: { messages: [HIT], next: "9.3.general" } }),
  encodeReply({ ok: true, op: "names", names: [[ADA, "Ada"]] }),
  encodeReply({ ok: true, op: "name" }),
  encodeReply({ ok: true, op: "reads", again: [[ROOM, ADA, 3]] }),
  encodeReply({ ok: true, op: "members", members: [[ADA, "owner", 0, false]], isCut: true }),
  encodeReply({ ok: true, op: "range", range: { first: 1, head: 9, lines: [at(0)] } }),
  encodeReply({
    ok: true,
    op: "snapshot",
    snapshot: {
      room: ROOM,
      watermark: 3,
      head: 2,
      born: ID,
      floor: 0,
      ids: [[ID, ADA, 1, 2]],
      tail: [at(1)],
      lastAt: 9,
      senders: [[ADA, 9, 1]],
      state: {
        settings: { kind: "closed", slowMode: 30, slowFrom: 1 },
        members: [],
        invites: [[ID, HASH, "member", 9, 3, 1]],
      },
    },
  }),
];

function archiveTargets(): Target[] {
  return [
    {
      name: "log entry",
      seeds: ENTRIES,
      take: (text) => {
        const entry = decodeEntry(text);
        if (entry.kind === "commit") use(...entry.groups.flatMap((group) => group.lines));
        return entry.kind !== "unreadable";
      },
    },
    of(
      "history request",
      [
        encodeRequest({ op: "watermark", claim: 3 }),
        encodeRequest({ op: "snapshot", room: ROOM, since: 3 }),
        encodeRequest({ op: "members", room: ROOM, after: ADA }),
        encodeRequest({ op: "range", room: ROOM, first: 1, last: 9 }),
        encodeRequest({ op: "lookup", room: ROOM, from: ADA, id: ID }),
        encodeRequest({ op: "lookup", room: ROOM, from: ADA, id: ID, target: 3 }),
        encodeRequest({ op: "messages", room: ROOM, before: 9, limit: 5, thread: 3 }),
        encodeRequest({ op: "messages", room: ROOM, limit: 5, pinned: true }),
        encodeRequest({ op: "rooms", user: ADA, limit: 5, after: "9.general" }),
        encodeRequest({ op: "find", user: ADA, text: "tea", limit: 5, after: ROOM }),
        encodeRequest({ op: "search", ...SEARCH, room: ROOM, upTo: 3, cursor: "best.9.5" }),
        encodeRequest({ op: "reads", reads: [[ROOM, ADA, 3]] }),
        encodeRequest({ op: "names", users: [ADA] }),
        encodeRequest({ op: "name", user: ADA, name: "Ada", at: 9 }),
      ],
      decodeRequest,
    ),
    of("history reply", REPLIES, decodeReply, (reply) => {
      if (!reply.ok || reply.op !== "snapshot") return;
      for (const [id, sender, seq, time] of reply.snapshot.ids) {
        use(messageTime(id), sender.length, seq + time);
      }
      for (const [user, time, seq] of reply.snapshot.senders ?? []) use(user.length, time + seq);
      for (const [id, hash, role, until, uses, used] of reply.snapshot.state?.invites ?? []) {
        use(messageTime(id), hash.length, role.length, until + uses + used);
      }
    }),
  ];
}

function operatorTargets(): Target[] {
  return [
    of(
      "invite token",
      [encodeInvite({ room: ROOM, invite: ID, secret: SECRET })],
      decodeInvite,
      ({ room, invite, secret }) => use(room.length, messageTime(invite), secret.length),
    ),
    of("control", [encodeControl({ by: "op", id: GATEWAY, user: ADA })], decodeControl),
    of("status", [encodeAnswer(STATUS)], decodeStatus, ({ logs = [], load }) => {
      logs.forEach(({ lagSeconds, fill }) => use(lagSeconds.toFixed(1), fill));
      load?.hot.forEach((p) => use(p, load.weight.toFixed(2), load.capacity.toFixed(2)));
    }),
    of("rooms", [encodeAnswer({ v: 1, id: GATEWAY, rooms: [[ROOM, 3, 9]], more: 0 })], decodeRooms),
    of("drain", [encodeAnswer({ v: 1, id: GATEWAY })], decodeDrain),
    of("kick", [encodeAnswer({ v: 1, id: GATEWAY, closed: 3 })], decodeKick),
    of(
      "setting",
      [encodeSetting("20/60", "op"), encodeSetting(0.5, "op"), encodeSetting("info", "op")],
      decodeSetting,
      ({ value }) => use(checkSetting("limits.send", value), parseSettingKey("all.log.level")),
    ),
    of(
      "revocation",
      [encodeRevocation({ user: ADA, at: 3, by: "op" })],
      (text) => decodeRevocation(revocationKey(ADA), text),
      (revocation) => use(isOver(revocation, 9)),
    ),
  ];
}

function tableTargets(): Target[] {
  const rows = [
    { key: "all.log.level", text: encodeSetting("info", "op"), revision: 3 },
    { key: "gateway.trace.ratio", text: undefined, revision: 4 },
  ];
  return [
    of("table request", [encodeTableRequest({ behind: "a" }), encodeTableRequest({})], (text) =>
      decodeTableRequest(text),
    ),
    of(
      "table page",
      [encodeTablePage({ born: ID, revision: 4, rows, more: true })],
      decodeTablePage,
      ({ rows }) => rows.forEach(({ key, text }) => use(key.length, text?.length)),
    ),
    of(
      "table change",
      [
        encodeTableChange({ born: ID, revision: 4, previous: 3, rows }),
        encodeTableChange({ born: ID, revision: 4, previous: 4, rows: [] }),
      ],
      decodeTableChange,
      ({ rows }) => rows.forEach(({ key, text }) => use(key.length, text?.length)),
    ),
  ];
}

const STATUS: ProcessStatus = {
  v: 1,
  id: ROOM_NODE,
  kind: "room",
  version: "1",
  host: "h",
  pid: 1,
  upSeconds: 3,
  partitions: 16,
  owns: { "3": 812 },
  logs: [{ p: 1, isReachable: true, lagEntries: 0, lagSeconds: 0.5, missing: 0, fill: 0.1 }],
  load: { capacity: 0.5, busy: 0.1, weight: 0.7, hot: [3] },
};
