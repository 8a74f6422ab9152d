// LedgerClients: one SDK client in each of several rooms, which keeps every acknowledgement with
// its sequence number, and every line that it received, by incarnation of the room.
//
// Owns: the clients and their ledgers. Does not own: the loss (the caller's).
//
//   ledger-clients.1. An acknowledged message is in the archive at its number, or it counts as
//        lost.
//   ledger-clients.2. The lines of one incarnation of a room have consecutive numbers. Those of the
//        last incarnation are the archive's. No line of the new incarnation appears in an old one.

import { Parley } from "#client/sdk/parley.ts";
import { parseObject } from "#shared/kit/json.ts";
import type { RoomId, Seq } from "#shared/protocol/ids.ts";
import { until } from "#shared/testing/wait.ts";
import { devToken, socketUrlOf } from "../wire-client/dev-token.ts";

/** The lines that a client received between two resets of the room. */
type Incarnation = { readonly seq: Seq; readonly id: string }[];

interface LedgerClient {
  readonly parley: Parley;
  readonly room: RoomId;
  readonly acked: Map<string, Seq>;
  readonly incarnations: Incarnation[];
  /** For each acknowledged message: [sent at, acknowledged at]. */
  readonly times: (readonly [number, number])[];
  isSending: boolean;
}

export interface Finding {
  readonly acked: number;
  /** Acknowledged messages that the archive does not have at their number. */
  readonly lost: number;
  /** Rooms whose client got a reset. */
  readonly reset: readonly RoomId[];
  /** Violations; must be empty. */
  readonly wrong: readonly string[];
}

const ANSWERED_WITHIN_MS = 90_000;
const PAUSE_MS = 5;

export class LedgerClients implements Disposable {
  readonly #clients: LedgerClient[] = [];

  static async open(gateway: string, rooms: readonly RoomId[]): Promise<LedgerClients> {
    const clients = new LedgerClients();
    for (const room of rooms) {
      const token = await devToken(gateway, `ledger-${room}`);
      clients.#clients.push(openClient(gateway, token, room));
    }
    clients.send();
    await clients.back(0);
    return clients;
  }

  get acked(): number {
    return this.#clients.reduce((sum, { acked }) => sum + acked.size, 0);
  }

  /** Every client sends from now on, or only those of some rooms. */
  send(isIncluded: (room: RoomId) => boolean = () => true): void {
    for (const client of this.#clients) {
      const was = client.isSending;
      client.isSending = isIncluded(client.room);
      if (client.isSending && !was) void sendOn(client);
    }
  }

  /** Stops new sends. Resolves when every send is answered. */
  async stopSending(): Promise<void> {
    for (const client of this.#clients) client.isSending = false;
    const isQuiet = (): boolean =>
      this.#clients.every(({ parley }) => isWaiting.get(parley) !== true);
    await until(isQuiet, { withinMs: ANSWERED_WITHIN_MS, what: "every send to be answered" });
  }

  async ackedMore(count: number): Promise<void> {
    const goal = this.acked + count;
    const what = `${count} more acknowledgements`;
    await until(() => this.acked >= goal, { withinMs: ANSWERED_WITHIN_MS, what });
  }

  /**
   * When the first and the last room answered a message that was sent after `since`, in ms from it.
   */
  async back(since: number): Promise<{ readonly first: number; readonly last: number }> {
    const backOf = ({ times }: LedgerClient): number | undefined =>
      times.find(([sent]) => sent >= since)?.[1];
    await until(() => this.#clients.every((client) => backOf(client) !== undefined), {
      withinMs: ANSWERED_WITHIN_MS,
      what: "every room to be back",
    });
    const after = this.#clients.map((client) => Math.round((backOf(client) ?? NaN) - since));
    return { first: Math.min(...after), last: Math.max(...after) };
  }

  /**
   * Compares the ledgers with the stored lines, after every client has received its room to the
   * head.
   */
  async compare(lines: readonly string[]): Promise<Finding> {
    const stored = byRoom(lines);
    const of = (room: RoomId): Map<Seq, string> => stored.get(room) ?? new Map<Seq, string>();
    await until(
      () => this.#clients.every(({ room, incarnations }) => hasAll(incarnations, of(room))),
      {
        withinMs: ANSWERED_WITHIN_MS,
        what: "every client to have read its room to the head",
      },
    );
    const wrong: string[] = [];
    let lost = 0;
    for (const { room, acked, incarnations } of this.#clients) {
      const archived = of(room);
      const numbers = new Map(Array.from(archived, ([seq, id]) => [id, seq]));
      for (const [id, seq] of acked) {
        const at = numbers.get(id);
        if (at === undefined) lost++;
        else if (at !== seq)
          wrong.push(`${room} ${id} was acknowledged at ${seq}, is stored at ${at}`);
      }
      wrong.push(...wrongIn(room, incarnations, archived));
    }
    const reset = this.#clients
      .filter(({ incarnations }) => incarnations.length > 1)
      .map(({ room }) => room);
    return { acked: this.acked, lost, reset, wrong };
  }

  [Symbol.dispose](): void {
    for (const client of this.#clients) {
      client.isSending = false;
      client.parley.close();
    }
  }
}

/** Whether a client waits for an answer. */
const isWaiting = new WeakMap<Parley, boolean>();

function openClient(gateway: string, token: string, room: RoomId): LedgerClient {
  const parley = new Parley({ url: socketUrlOf(gateway), token });
  const incarnations: Incarnation[] = [[]];
  const handle = parley.join(room, { after: 0 });
  handle.on("event", ({ seq, id }) => incarnations.at(-1)?.push({ seq, id }));
  handle.on("reset", () => incarnations.push([]));
  parley.connect();
  return { parley, room, acked: new Map(), incarnations, times: [], isSending: false };
}

async function sendOn(client: LedgerClient): Promise<void> {
  const { parley, room, acked, times } = client;
  while (client.isSending) {
    const began = performance.now();
    isWaiting.set(parley, true);
    const { id, done } = parley.join(room).send({ text: `a message to ${room}` });
    const result = await done;
    isWaiting.set(parley, false);
    if (result.kind === "acked") {
      acked.set(id, result.seq);
      times.push([began, performance.now()]);
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
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

function hasAll(incarnations: readonly Incarnation[], stored: ReadonlyMap<Seq, string>): boolean {
  return (incarnations.at(-1)?.at(-1)?.seq ?? 0) >= Math.max(0, ...stored.keys());
}

/** ledger-clients.2. */
function wrongIn(
  room: RoomId,
  incarnations: readonly Incarnation[],
  stored: ReadonlyMap<Seq, string>,
): readonly string[] {
  const wrong: string[] = [];
  for (const [n, incarnation] of incarnations.entries()) {
    let before: Seq | undefined;
    let hasLeft = false;
    for (const { seq, id } of incarnation) {
      if (before !== undefined && seq !== before + 1) wrong.push(`${room}: ${before}, then ${seq}`);
      before = seq;
      const isStored = stored.get(seq) === id;
      const isLast = n === incarnations.length - 1;
      if (isLast && !isStored) wrong.push(`${room}: received ${id} at ${seq}, which is not stored`);
      // After a lost line, an old incarnation has only lost lines.
      if (!isLast && hasLeft && isStored)
        wrong.push(`${room}: line ${seq} of the new incarnation in an old one`);
      hasLeft ||= !isStored;
    }
  }
  return wrong;
}
