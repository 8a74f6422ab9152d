// LedgerClients: one person in each of some rooms, who talks through our SDK and keeps all that was
// promised: every acknowledgement with its number, and every line as it was shown, life by life.
//
// Owns: the people and what they keep. Does not own: the loss (the caller's).
//
//   ledger-clients.1. What was acknowledged stands in the archive at its number, or it is counted
//        as lost.
//   ledger-clients.2. Within one life of a room its lines come one after the other, and those of
//        the last life are the archive's; nothing of the new life was shown in an old one.

import { Parley } from "#client/sdk/parley.ts";
import { parseObject } from "#shared/kit/json.ts";
import type { RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import { until } from "#shared/testing/wait.ts";
import { devToken } from "../wire-client/dev-token.ts";

/** What one person was shown between two resets. */
type Life = { readonly seq: Seq; readonly id: string }[];

interface LedgerClient {
  readonly parley: Parley;
  readonly room: RoomId;
  readonly acked: Map<string, Seq>;
  readonly lives: Life[];
  /** When messages were sent that were answered by now: [sent, answered]. */
  readonly times: (readonly [number, number])[];
  isTalking: boolean;
}

export interface Finding {
  readonly acked: number;
  /** Acknowledged, and at its number nobody or another. */
  readonly lost: number;
  /** Rooms whose people were told to begin anew. */
  readonly reset: readonly RoomId[];
  /** What must never be; empty. */
  readonly wrong: readonly string[];
}

const PATIENCE_MS = 90_000;
const PAUSE_MS = 5;

export class LedgerClients implements Disposable {
  readonly #keepers: LedgerClient[] = [];

  static async open(gateway: string, rooms: readonly RoomId[]): Promise<LedgerClients> {
    const keepers = new LedgerClients();
    for (const room of rooms) {
      const token = await devToken(gateway, `keeper-${room}`);
      keepers.#keepers.push(openKeeper(gateway, token, room));
    }
    keepers.talk();
    await keepers.back(0);
    return keepers;
  }

  get acked(): number {
    return this.#keepers.reduce((sum, { acked }) => sum + acked.size, 0);
  }

  /** Everybody talks from now on, or only those of some rooms. */
  talk(isMeant: (room: RoomId) => boolean = () => true): void {
    for (const keeper of this.#keepers) {
      const was = keeper.isTalking;
      keeper.isTalking = isMeant(keeper.room);
      if (keeper.isTalking && !was) void talk(keeper);
    }
  }

  /** Nothing new; resolves when all that was sent is answered. */
  async hush(): Promise<void> {
    for (const keeper of this.#keepers) keeper.isTalking = false;
    const isQuiet = (): boolean => this.#keepers.every(({ parley }) => open.get(parley) !== true);
    await until(isQuiet, { withinMs: PATIENCE_MS, what: "everything to be answered" });
  }

  async ackedMore(count: number): Promise<void> {
    const goal = this.acked + count;
    const what = `${count} more acknowledgements`;
    await until(() => this.acked >= goal, { withinMs: PATIENCE_MS, what });
  }

  /** When the first and when the last room was back: an answer to what was sent after `since`. */
  async back(since: number): Promise<{ readonly first: number; readonly last: number }> {
    const backOf = ({ times }: LedgerClient): number | undefined =>
      times.find(([sent]) => sent >= since)?.[1];
    await until(() => this.#keepers.every((keeper) => backOf(keeper) !== undefined), {
      withinMs: PATIENCE_MS,
      what: "every room to be back",
    });
    const after = this.#keepers.map((keeper) => Math.round((backOf(keeper) ?? NaN) - since));
    return { first: Math.min(...after), last: Math.max(...after) };
  }

  /** Holds what was kept against what is stored, when everybody has been shown all of it. */
  async compare(lines: readonly string[]): Promise<Finding> {
    const stored = byRoom(lines);
    const of = (room: RoomId): Map<Seq, string> => stored.get(room) ?? new Map<Seq, string>();
    await until(() => this.#keepers.every(({ room, lives }) => hasAll(lives, of(room))), {
      withinMs: PATIENCE_MS,
      what: "everybody to have read their room to its end",
    });
    const wrong: string[] = [];
    let lost = 0;
    for (const { room, acked, lives } of this.#keepers) {
      const there = of(room);
      const numbers = new Map(Array.from(there, ([seq, id]) => [id, seq]));
      for (const [id, seq] of acked) {
        const at = numbers.get(id);
        if (at === undefined) lost++;
        else if (at !== seq)
          wrong.push(`${room} ${id} was acknowledged at ${seq}, stands at ${at}`);
      }
      wrong.push(...wrongIn(room, lives, there));
    }
    const reset = this.#keepers.filter(({ lives }) => lives.length > 1).map(({ room }) => room);
    return { acked: this.acked, lost, reset, wrong };
  }

  [Symbol.dispose](): void {
    for (const keeper of this.#keepers) {
      keeper.isTalking = false;
      keeper.parley.close();
    }
  }
}

/** Who waits for an answer. */
const open = new WeakMap<Parley, boolean>();

function openKeeper(gateway: string, token: string, room: RoomId): LedgerClient {
  const parley = new Parley({ url: `${gateway.replace("http", "ws")}/v1/ws`, token });
  const lives: Life[] = [[]];
  const handle = parley.join(room, { after: 0 });
  handle.on("event", ({ seq, id }) => lives.at(-1)?.push({ seq, id }));
  handle.on("reset", () => lives.push([]));
  parley.connect();
  return { parley, room, acked: new Map(), lives, times: [], isTalking: false };
}

async function talk(keeper: LedgerClient): Promise<void> {
  const { parley, room, acked, times } = keeper;
  while (keeper.isTalking) {
    const began = performance.now();
    open.set(parley, true);
    const { id, done } = parley.join(room).send({ text: `said by ${keeperName(room)}` });
    const result = await done;
    open.set(parley, false);
    if (result.kind === "acked") {
      acked.set(id, result.seq);
      times.push([began, performance.now()]);
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

function keeperName(room: RoomId): UserId {
  return `keeper-${room}` as UserId;
}

function byRoom(lines: readonly string[]): Map<RoomId, Map<Seq, string>> {
  const rooms = new Map<RoomId, Map<Seq, string>>();
  for (const line of lines) {
    const { room, seq, id } = parseObject(line) ?? {};
    const stored = rooms.get(room as RoomId) ?? new Map<Seq, string>();
    rooms.set(room as RoomId, stored.set(Number(seq), String(id)));
  }
  return rooms;
}

function hasAll(lives: readonly Life[], stored: ReadonlyMap<Seq, string>): boolean {
  return (lives.at(-1)?.at(-1)?.seq ?? 0) >= Math.max(0, ...stored.keys());
}

/** ledger-clients.2. */
function wrongIn(
  room: RoomId,
  lives: readonly Life[],
  stored: ReadonlyMap<Seq, string>,
): readonly string[] {
  const wrong: string[] = [];
  for (const [n, life] of lives.entries()) {
    let before: Seq | undefined;
    let hasLeft = false;
    for (const { seq, id } of life) {
      if (before !== undefined && seq !== before + 1) wrong.push(`${room}: ${before}, then ${seq}`);
      before = seq;
      const isStored = stored.get(seq) === id;
      const isLast = n === lives.length - 1;
      if (isLast && !isStored) wrong.push(`${room}: shown ${id} at ${seq}, which is not stored`);
      // Behind a lost line, an old life has lost lines alone.
      if (!isLast && hasLeft && isStored) wrong.push(`${room}: a new line, ${seq}, in an old life`);
      hasLeft ||= !isStored;
    }
  }
  return wrong;
}
