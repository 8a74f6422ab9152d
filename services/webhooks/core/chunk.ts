// Chunk: the events that a subscription handles in one turn, and where its cursors stand behind
// them.
//
//   chunk.1. The numbers of a room come in ascending order, over rows of the feed and over chunks,
//        so the events of a room are begun in order (W2).
//   chunk.2. A cursor stands behind a row, or `skip` numbers behind it in the next row. So a chunk
//        may end within a batch of any size.
//   chunk.3. A split moves rooms to another partition, whose rows are younger than those of the old
//        one with the same room. So where a partition was split, no row is begun before an older
//        row of another partition.

import type { RoomId, Seq } from "#shared/protocol/ids.ts";

/** What one batch of the archive adds to its rooms. */
export interface FeedRow {
  /** The partition, as text. */
  readonly source: string;
  readonly position: number;
  readonly at: number;
  readonly rooms: readonly RoomId[];
  readonly firsts: readonly Seq[];
  readonly lasts: readonly Seq[];
}

export interface Cursor {
  readonly source: string;
  readonly position: number;
  readonly skip: number;
  /** The identity of the stream, for sources that have one. */
  readonly ident: string;
}

export interface Place {
  readonly room: RoomId;
  readonly seq: Seq;
  readonly at: number;
}

/** A cursor, and where it stands when everything before has arrived or is stored as left. */
export interface Move {
  readonly from: Cursor;
  readonly to: Cursor;
}

/** The next `most` numbers of one partition. `rows` are ascending and behind the cursor. */
export function placesOf(
  rows: readonly FeedRow[],
  from: Cursor,
  most: number,
  wants: (room: RoomId) => boolean,
): { readonly places: readonly Place[]; readonly move: Move } {
  const places: Place[] = [];
  let { position, skip } = from;
  for (const row of rows) {
    let index = 0;
    for (const [n, room] of row.rooms.entries()) {
      const first = row.firsts[n] ?? 1;
      const count = (row.lasts[n] ?? 0) - first + 1;
      if (!wants(room)) {
        index += count;
        continue;
      }
      for (let seq = first + Math.max(0, skip - index); seq < first + count; seq++) {
        if (places.length === most) {
          const to = { ...from, position, skip: index + seq - first }; // chunk.2
          return { places, move: { from, to } };
        }
        places.push({ room, seq, at: row.at });
      }
      index += count;
    }
    position = row.position;
    skip = 0;
  }
  return { places, move: { from, to: { ...from, position, skip } } };
}

/**
 * The next `most` numbers of all partitions, of which a subscription has `rows` at most `rowsMax`
 * each. `isSplit`: a partition of the cluster was split (chunk.3).
 */
export function placesOfAll(
  sources: readonly { readonly from: Cursor; readonly rows: readonly FeedRow[] }[],
  wants: (room: RoomId) => boolean,
  bounds: { readonly most: number; readonly rowsMax: number; readonly isSplit: boolean },
): { readonly places: readonly Place[]; readonly moves: readonly Move[] } {
  const most = Math.max(1, Math.floor(bounds.most / Math.max(1, sources.length)));
  const taken = sources.map(({ from, rows }) => placesOf(rows, from, most, wants));
  if (!bounds.isSplit) return joined(taken);
  const ends = sources.map(({ rows }, n) => {
    const next = rows.find(({ position }) => position > (taken[n]?.move.to.position ?? 0));
    const last = rows.length >= bounds.rowsMax ? rows.at(-1) : undefined;
    return (next ?? last)?.at ?? Infinity;
  });
  const until = Math.min(...ends);
  return joined(
    sources.map(({ from, rows }, n) => {
      if (ends[n] === until) return taken[n] ?? placesOf([], from, most, wants);
      return placesOf(
        rows.filter(({ at }) => at < until),
        from,
        most,
        wants,
      );
    }),
  );
}

function joined(taken: readonly ReturnType<typeof placesOf>[]) {
  return {
    places: taken.flatMap(({ places }) => places),
    moves: taken
      .map(({ move }) => move)
      .filter(({ from, to }) => from.position !== to.position || from.skip !== to.skip),
  };
}

/** Items by lane, in the order of their first ones. */
export function byLane<T extends { readonly lane: string }>(items: readonly T[]): T[][] {
  return [...Map.groupBy(items, ({ lane }) => lane).values()];
}
