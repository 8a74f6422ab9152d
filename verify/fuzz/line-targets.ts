// Line targets: valid lines of events, of exports and of client frames, the cursors of pages, and
// their decoders.

import { decodeClientFrame } from "#shared/protocol/client-frames.ts";
import { decodeEvent, encodeEvent, readEvent, UnreadableLine } from "#shared/protocol/events.ts";
import type { RoomEvent } from "#shared/protocol/events.ts";
import {
  encodeExportEnd,
  encodeExportError,
  encodeExportHead,
  readExportLine,
} from "#shared/protocol/export.ts";
import { cursorOf, readCursor } from "#shared/protocol/room-list.ts";
import { readSearchCursor, searchCursor } from "#shared/protocol/search.ts";
import { CLIENT_FRAMES, EVENT, ID, ROOM } from "./samples.ts";
import { of, use } from "./target.ts";
import type { Target } from "./target.ts";

export function lineTargets(): Target[] {
  return [
    {
      name: "line of client frames",
      seeds: CLIENT_FRAMES.map((frame) => JSON.stringify(frame)),
      take: (text) => decodeClientFrame(text).kind === "frame",
    },
    of("line of an event", [encodeEvent(EVENT)], readEvent, ({ from, seq }) =>
      use(from.length, seq.toFixed(0)),
    ),
    of("own line of an event", [encodeEvent(EVENT)], ownEvent, ({ seq, at }) => use(seq + at)),
    of(
      "line of an export",
      [
        encodeExportHead({ room: ROOM, born: ID, after: 0, head: 3 }),
        encodeEvent(EVENT),
        encodeExportEnd(3),
        encodeExportError("unavailable"),
      ],
      readExportLine,
      (line) => {
        if (line.t === "event") use(line.event.seq.toFixed(0), line.line.length);
        if (line.t === "export") use(line.room.length, line.head - line.after);
      },
    ),
    of("cursor of rooms", [cursorOf({ at: 9, room: ROOM })], readCursor, ({ at, room }) =>
      use(new Date(at).getTime(), room.length),
    ),
    of(
      "cursor of a search",
      [
        searchCursor({ order: "newest", at: 9, seq: 3, room: ROOM }),
        searchCursor({ order: "best", asOf: 9, skip: 20 }),
      ],
      readSearchCursor,
      (place) => use(place.order === "best" ? place.skip + 1 : place.seq + place.room.length),
    ),
  ];
}

/** An UnreadableLine is the refusal of this decoder (events.4). */
function ownEvent(text: string): RoomEvent | undefined {
  try {
    return decodeEvent(text);
  } catch (error: unknown) {
    if (error instanceof UnreadableLine) return undefined;
    throw error;
  }
}
