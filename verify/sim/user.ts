// Person: somebody with the SDK, who talks, leaves, comes back, reads old pages and repeats himself.
//
// Owns: one user over several lives of a program (a new life resumes from the cursors of the last).
// Does not own: what happens to sockets, the cluster. What the SDK hands over is recorded beside what
// the wire brought: both must be right.
//
//   user.1.  Every event comes once and in order; a new life begins right behind its cursor (I8).
//   user.2. Every send and every page that was asked for ends once: acked, refused, or unknown.

import { Parley } from "#client/sdk/parley.ts";
import type { RoomHandle } from "#client/sdk/room-handle.ts";
import { uuidv7 } from "#shared/kit/uuid.ts";
import type { MessageId, ProcessId, RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import type { Dice } from "./seeded-rng.ts";
import type { Findings } from "./findings.ts";
import type { SimProcess } from "./process.ts";
import type { Scheduler } from "./scheduler.ts";
import { webSocketClass } from "./socket.ts";
import type { Socket } from "./socket.ts";
import type { Trace } from "./trace.ts";
import type { WireTap } from "./connection-checker.ts";

/** Every so many sends of a user have an id of another time. */
const OLD_EVERY = 15;
const OLD_MS = 3_600_000;

export interface Acked {
  readonly room: RoomId;
  readonly id: MessageId;
  readonly seq: Seq;
  readonly body: { readonly text: string };
}

export interface PersonOptions {
  readonly user: UserId;
  readonly rooms: readonly RoomId[];
  readonly dice: Dice;
  readonly scheduler: Scheduler;
  readonly trace: Trace;
  readonly findings: Findings;
  readonly createProcess: (id: ProcessId) => SimProcess;
  readonly connect: (person: Person) => { readonly socket: Socket; readonly tap: WireTap };
}

export interface Handed {
  readonly room: RoomId;
  readonly seq: Seq;
  readonly id: MessageId;
}

export class Person {
  readonly user: UserId;
  readonly acked: Acked[] = [];
  /** Every event that the SDK handed over, in all lives. */
  readonly handed: Handed[] = [];
  readonly #options: PersonOptions;
  readonly #cursors = new Map<RoomId, Seq>();
  readonly #taps: WireTap[] = [];
  #handles = new Map<RoomId, RoomHandle>();
  #life = 0;
  #process: SimProcess;
  #parley: Parley;
  #socket: Socket | undefined;
  #said = 0;
  #open = 0;

  constructor(options: PersonOptions) {
    this.user = options.user;
    this.#options = options;
    [this.#process, this.#parley] = this.#begin();
  }

  get process(): SimProcess {
    return this.#process;
  }

  get socket(): Socket | undefined {
    return this.#socket?.isOver === true ? undefined : this.#socket;
  }

  /** Sends and pages of this life that have not ended. */
  get open(): number {
    return this.#open;
  }

  get owed(): readonly string[] {
    return this.#taps.flatMap((tap) => tap.owed);
  }

  get isOnline(): boolean {
    return this.#parley.state === "online";
  }

  get handles(): ReadonlyMap<RoomId, RoomHandle> {
    return this.#handles;
  }

  /** The rooms that are not joined yet at the beginning, too: everybody begins in one or more. */
  enter(): void {
    for (const room of this.#options.rooms) if (this.#options.dice.chance(0.8)) this.#join(room);
    if (this.#handles.size === 0)
      for (const room of this.#options.rooms.slice(0, 1)) this.#join(room);
    this.#process.run(() => this.#parley.connect());
  }

  say(room?: RoomId): void {
    const { dice } = this.#options;
    const handle = this.#handles.get(room ?? (dice.pick([...this.#handles.keys()]) as RoomId));
    if (handle === undefined) return;
    const text = `${this.user} ${++this.#said} ${"x".repeat(dice.int(0, 120))}`;
    const life = this.#life;
    this.#process.run(() => {
      const body = { text };
      const { id, done } = handle.send(body, this.#said % OLD_EVERY === 0 ? this.#oldId() : {});
      this.#open++;
      void done.then((result) => {
        if (life !== this.#life) return;
        this.#open--;
        if (result.kind !== "acked") return;
        const { seq } = result;
        this.acked.push({ room: handle.room as RoomId, id: id as MessageId, seq, body });
      });
    });
  }

  /** As from a phone that was off for an hour: memory may have forgotten it, so it is looked up (P13). */
  #oldId(): { readonly id: MessageId } {
    const { clock, random } = this.#process;
    return { id: uuidv7(clock.now() - OLD_MS, random) };
  }

  /** One thing that people do. */
  act(): void {
    const { dice } = this.#options;
    const what = dice.int(0, 99);
    if (what < 74) this.say();
    else if (what < 82) this.#page();
    else if (what < 88) this.#type();
    else if (what < 92) this.#leave();
    else if (what < 97) this.#joinSome();
    else this.restart();
  }

  /** The program ends, kill -9, and a new one begins with what it had kept: its cursors. */
  restart(): void {
    const { trace, findings } = this.#options;
    trace.add(`restart ${this.user}`);
    const rooms = [...this.#handles];
    for (const [room, handle] of rooms) this.#cursors.set(room, handle.completeThrough);
    this.#process.die();
    [this.#process, this.#parley] = this.#begin();
    for (const [room] of rooms) this.#join(room);
    findings.saw("client came back with its cursor");
    this.#process.run(() => this.#parley.connect());
  }

  #begin(): [SimProcess, Parley] {
    this.#life++;
    this.#open = 0;
    this.#handles = new Map();
    const process = this.#options.createProcess(
      `client-${this.user.replace("-", "")}x${this.#life}` as ProcessId,
    );
    const { clock, random } = process;
    const open = (): Socket => {
      const { socket, tap } = this.#options.connect(this);
      this.#socket = socket;
      this.#taps.push(tap);
      return socket;
    };
    const webSocket = webSocketClass(open);
    const url = "ws://gateway.example/v1/ws";
    return [process, new Parley({ url, token: this.user, webSocket, clock, random })];
  }

  #join(room: RoomId): void {
    this.#process.run(() => {
      const after = this.#cursors.get(room);
      const handle = this.#parley.join(room, after === undefined ? { tail: 5 } : { after });
      this.#handles.set(room, handle);
      const { findings } = this.#options;
      let next = after === undefined ? undefined : after + 1;
      handle.on("event", ({ seq, id }) => {
        if (next !== undefined && seq !== next) {
          findings.broken("K3", `${this.user} was handed ${room} ${seq} instead of ${next}`);
        }
        next = seq + 1;
        this.handed.push({ room, seq, id });
      });
      handle.on("reset", () => {
        findings.broken("I8", `${this.user}: ${room} was reset, and no log was lost`);
      });
    });
  }

  #leave(): void {
    const room = this.#options.dice.pick([...this.#handles.keys()]);
    const handle = room === undefined ? undefined : this.#handles.get(room);
    if (room === undefined || handle === undefined || this.#handles.size === 1) return;
    this.#options.trace.add(`${this.user} leaves ${room}`);
    this.#cursors.set(room, handle.completeThrough);
    this.#handles.delete(room);
    this.#process.run(() => handle.leave());
  }

  #joinSome(): void {
    const others = this.#options.rooms.filter((room) => !this.#handles.has(room));
    const room = this.#options.dice.pick(others);
    if (room === undefined) return;
    this.#options.trace.add(`${this.user} joins ${room}`);
    this.#join(room);
  }

  #type(): void {
    const handle = this.#handles.get(this.#options.dice.pick([...this.#handles.keys()]) as RoomId);
    this.#process.run(() => handle?.typing(true));
  }

  /** What a page holds is judged on the wire; here it counts that it ends (I14). */
  #page(): void {
    const { dice, findings } = this.#options;
    const handle = this.#handles.get(dice.pick([...this.#handles.keys()]) as RoomId);
    if (handle === undefined) return;
    const limit = dice.int(1, 30);
    const after = dice.int(0, Math.max(0, handle.head));
    const life = this.#life;
    const end = (): void => {
      if (life === this.#life) this.#open--;
    };
    this.#process.run(() => {
      this.#open++;
      handle.history({ after, limit }).then(
        ({ events }) => {
          end();
          if (events.length > limit)
            findings.broken("O12", `${events.length} on a page of ${limit}`);
        },
        end, // Refused or unknown: an end like any other.
      );
    });
  }
}
