// SimulatedUser: a user with the SDK who sends, types, joins, leaves, reads history, restarts,
// creates closed rooms, invites, removes and bans others and sets the pace there, enters with
// invites, edits, deletes, pins and answers messages, own ones and those of others, says what it
// has read, and asks for its room list.
//
// Owns: one user across several client processes. A new process resumes from the cursors of the
// process before it. Does not own: faults of sockets, the cluster. The events that the SDK delivers
// are recorded here, apart from the frames on the wire (connection-checker.ts): both must be
// correct.
//
//   user.1. Every event is delivered once and in order. A new process continues directly behind its
//           cursor (I8).
//   user.2. Every send and every history request ends once: acknowledged, refused, or unknown.

import { Parley } from "#client/sdk/parley.ts";
import type { Outgoing, RoomHandle } from "#client/sdk/room-handle.ts";
import { uuidv7 } from "#shared/kit/uuid.ts";
import type { MessageId, ProcessId, RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import type { SeededRng } from "./seeded-rng.ts";
import type { Findings } from "./findings.ts";
import type { SimulatedProcess } from "./process.ts";
import { webSocketClass } from "./socket.ts";
import type { SimulatedSocket } from "./socket.ts";
import type { Trace } from "./trace.ts";
import type { ConnectionChecker } from "./connection-checker.ts";

/** One in this many sends of a user has an id of an earlier time. */
const OLD_ID_EVERY = 15;
const OLD_ID_AGE_MS = 3_600_000;

export interface Acked {
  readonly room: RoomId;
  readonly id: MessageId;
  readonly seq: Seq;
  readonly body: { readonly text: string };
}

/** The closed rooms of a run, with their creators; shared by all users. */
export type ClosedRooms = Map<RoomId, UserId>;

/** The tokens of all invites of a run, with their rooms; shared by all users. */
export type InviteTokens = (readonly [RoomId, string])[];

/** A user creates at most this many closed rooms, so that most actions change the existing ones. */
const CLOSED_ROOMS_MAX = 1;

export interface SimulatedUserOptions {
  readonly id: UserId;
  readonly rooms: readonly RoomId[];
  readonly closedRooms: ClosedRooms;
  readonly invites: InviteTokens;
  /** Whether users set a slow mode. */
  readonly slowModes: boolean;
  /** All users of the run. */
  readonly users: readonly UserId[];
  readonly rng: SeededRng;
  readonly trace: Trace;
  readonly findings: Findings;
  readonly createProcess: (id: ProcessId) => SimulatedProcess;
  readonly connect: (user: SimulatedUser) => {
    readonly socket: SimulatedSocket;
    readonly checker: ConnectionChecker;
  };
}

export interface Delivered {
  readonly room: RoomId;
  readonly seq: Seq;
  readonly id: MessageId;
}

export class SimulatedUser {
  readonly id: UserId;
  readonly acked: Acked[] = [];
  /** Every event that the SDK delivered, in all processes of the user. */
  readonly delivered: Delivered[] = [];
  readonly #options: SimulatedUserOptions;
  readonly #cursors = new Map<RoomId, Seq>();
  readonly #checkers: ConnectionChecker[] = [];
  #handles = new Map<RoomId, RoomHandle>();
  #incarnation = 0;
  #process: SimulatedProcess;
  #parley: Parley;
  #socket: SimulatedSocket | undefined;
  #sendCount = 0;
  #created = 0;
  #secrets = 0;
  #open = 0;

  constructor(options: SimulatedUserOptions) {
    this.id = options.id;
    this.#options = options;
    [this.#process, this.#parley] = this.#startProcess();
  }

  get process(): SimulatedProcess {
    return this.#process;
  }

  get socket(): SimulatedSocket | undefined {
    return this.#socket?.isOver === true ? undefined : this.#socket;
  }

  /** The sends and history requests of the current process that have not ended. */
  get open(): number {
    return this.#open;
  }

  /** Requests on open connections that have no answer. */
  get pending(): readonly string[] {
    return this.#checkers.flatMap((checker) => checker.pending);
  }

  get isOnline(): boolean {
    return this.#parley.state === "online";
  }

  get handles(): ReadonlyMap<RoomId, RoomHandle> {
    return this.#handles;
  }

  /** Joins some of the rooms, at least one, and connects. */
  start(): void {
    for (const room of this.#options.rooms) if (this.#options.rng.chance(0.8)) this.#join(room);
    if (this.#handles.size === 0)
      for (const room of this.#options.rooms.slice(0, 1)) this.#join(room);
    this.#process.run(() => this.#parley.connect());
  }

  send(room?: RoomId): void {
    const { rng } = this.#options;
    const handle = this.#handles.get(room ?? (rng.pick([...this.#handles.keys()]) as RoomId));
    if (handle === undefined) return;
    const text = `${this.id} ${++this.#sendCount} ${"x".repeat(rng.int(0, 120))}`;
    const incarnation = this.#incarnation;
    const named = rng.chance(0.2) ? rng.pick(this.#options.users) : undefined;
    const mentions = named !== undefined && { mentions: [named] };
    this.#process.run(() => {
      const body = { text };
      const old = this.#sendCount % OLD_ID_EVERY === 0 ? this.#idOfEarlierTime() : {};
      const { id, done } = handle.send(body, { ...old, ...mentions });
      this.#open++;
      void done.then((result) => {
        if (incarnation !== this.#incarnation) return;
        this.#open--;
        if (result.kind !== "acked") return;
        const { seq } = result;
        this.acked.push({ room: handle.room as RoomId, id: id as MessageId, seq, body });
      });
    });
  }

  /** The id of a message that is an hour old: an owner may have to look it up (P13). */
  #idOfEarlierTime(): { readonly id: MessageId } {
    const { clock, random } = this.#process;
    return { id: uuidv7(clock.now() - OLD_ID_AGE_MS, random) };
  }

  /** Takes one random action. */
  act(): void {
    const { rng } = this.#options;
    const percent = rng.int(0, 99);
    if (percent < 46) this.send();
    else if (percent < 57) this.#change();
    else if (percent < 68) this.#manage();
    else if (percent < 76) this.#readUp();
    else if (percent < 82) this.#requestHistory();
    else if (percent < 88) this.#type();
    else if (percent < 92) this.#leave();
    else if (percent < 97) this.#joinAnother();
    else this.restart();
  }

  /** Kills the client process. A new one starts from the stored cursors. */
  restart(): void {
    const { trace, findings } = this.#options;
    trace.add(`restart ${this.id}`);
    const rooms = [...this.#handles];
    for (const [room, handle] of rooms) this.#cursors.set(room, handle.completeThrough);
    this.#process.exit();
    [this.#process, this.#parley] = this.#startProcess();
    for (const [room] of rooms) this.#join(room);
    findings.count("client resumed from its cursor");
    this.#process.run(() => this.#parley.connect());
  }

  #startProcess(): [SimulatedProcess, Parley] {
    this.#incarnation++;
    this.#open = 0;
    this.#handles = new Map();
    const process = this.#options.createProcess(
      `client-${this.id.replace("-", "")}x${this.#incarnation}` as ProcessId,
    );
    const { clock, random } = process;
    const open = (): SimulatedSocket => {
      const { socket, checker } = this.#options.connect(this);
      this.#socket = socket;
      this.#checkers.push(checker);
      return socket;
    };
    const webSocket = webSocketClass(open);
    const url = "ws://gateway.example/v1/ws";
    const parley = new Parley({ url, token: this.id, webSocket, clock, random });
    parley.on("note", () => this.#options.findings.count("note received"));
    return [process, parley];
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
          findings.violation(
            "K3",
            `the SDK delivered ${room} ${seq} instead of ${next} to ${this.id}`,
          );
        }
        next = seq + 1;
        this.delivered.push({ room, seq, id });
      });
      handle.on("removed", () => this.#dropped(handle));
      handle.on("status", (status) => {
        if (status === "left") this.#dropped(handle);
      });
      handle.on("reset", () => {
        findings.violation("I8", `${this.id}: ${room} was reset although no log was lost`);
      });
    });
  }

  /** The server ended the membership, or refused it. */
  #dropped(handle: RoomHandle): void {
    const room = handle.room as RoomId;
    if (this.#handles.get(room) !== handle) return;
    this.#cursors.set(room, handle.completeThrough);
    this.#handles.delete(room);
  }

  /** Creates a closed room, changes the members of an own one, or tries to join one. */
  #manage(): void {
    const { rng, closedRooms, users } = this.#options;
    const own = [...closedRooms].filter(([, owner]) => owner === this.id).map(([room]) => room);
    if (this.#created < CLOSED_ROOMS_MAX && rng.chance(0.4)) return this.#create();
    if (rng.chance(0.5)) return this.#enter();
    const isOwn = own.length > 0 && rng.chance(0.7);
    const room = rng.pick(isOwn ? own : [...closedRooms.keys()]);
    if (room === undefined) return;
    const handle = this.#handles.get(room);
    if (handle === undefined) return this.#join(room);
    const user = rng.pick(users.filter((other) => other !== this.id));
    if (user === undefined || closedRooms.get(room) !== this.id) return;
    const percent = rng.int(0, 99);
    this.#options.trace.add(`${this.id} changes ${user} in ${room}`);
    if (percent >= 85) return this.#setPace(handle);
    if (percent >= 55) return this.#makeInvite(handle);
    this.#follow(() => {
      if (percent < 25) return handle.invite(user, percent < 10 ? "reader" : "member");
      return percent < 48 ? handle.remove(user) : handle.ban(user);
    });
  }

  /** Makes an invite that all users know, and sometimes ends it at once. */
  #makeInvite(handle: RoomHandle): void {
    const { rng, invites } = this.#options;
    const secret = `secret-of-${this.id}-${++this.#secrets}`.padEnd(30, "x");
    const terms = { uses: rng.int(1, 3), ttl: rng.pick([5, 600, 600]) ?? 5, secret } as const;
    const isRevoked = rng.chance(0.2);
    this.#follow(() => {
      const invited = handle.createInvite(terms);
      invites.push([handle.room as RoomId, invited.token]);
      if (isRevoked) this.#follow(() => handle.revokeInvite(invited.id));
      return invited;
    });
  }

  #enter(): void {
    const { rng, invites, trace, findings } = this.#options;
    const others = invites.filter(([of]) => !this.#handles.has(of));
    const [room, token] = rng.pick(others.slice(-4)) ?? [];
    if (room === undefined || token === undefined) return;
    trace.add(`${this.id} enters ${room}`);
    this.#follow(
      () => this.#parley.enter(token),
      () => {
        findings.count("guest entered");
        if (!this.#handles.has(room)) this.#join(room);
      },
      () => findings.count("entry refused"),
    );
  }

  /** Sets a slow mode or an edit window, mostly a short one, or removes both. */
  #setPace(handle: RoomHandle): void {
    const { rng, findings } = this.#options;
    const seconds = this.#options.slowModes ? [0, 1, 2] : [0];
    const [slowMode, editWindow] = [rng.pick(seconds) ?? 0, rng.pick([0, 1, 5]) ?? 0];
    this.#follow(
      () => handle.update({ slowMode, editWindow }),
      () => {
        if (slowMode > 0) findings.count("slow mode set");
      },
    );
  }

  #create(): void {
    const { rng, closedRooms, users, trace, findings } = this.#options;
    const room = `closed-${++this.#created}-${this.id}` as RoomId;
    const others = users.filter((user) => user !== this.id && rng.chance(0.4));
    trace.add(`${this.id} creates ${room}`);
    const members = others.map((user) => ({ user }));
    this.#follow(
      () => this.#parley.createRoom(room, { kind: "closed", members }),
      () => {
        closedRooms.set(room, this.id);
        findings.count("closed room created");
        this.#join(room);
      },
    );
  }

  /** Counts a write as open until it has ended in this process. */
  #follow(
    write: () => Outgoing,
    onAcked: () => void = () => undefined,
    onRefused: () => void = () => undefined,
  ): void {
    const incarnation = this.#incarnation;
    this.#process.run(() => {
      this.#open++;
      void write().done.then(({ kind }) => {
        if (incarnation !== this.#incarnation) return;
        this.#open--;
        if (kind === "acked") onAcked();
        else onRefused();
      });
    });
  }

  /** Changes a message, mostly a recent one, or reads a page of messages. */
  #change(): void {
    const { rng, findings, trace } = this.#options;
    const handle = this.#handles.get(rng.pick([...this.#handles.keys()]) as RoomId);
    if (handle === undefined || handle.head === 0) return;
    const own = this.acked.filter(({ room }) => room === handle.room);
    const recent = Math.max(1, handle.head - rng.int(0, 12));
    const any = rng.chance(0.7) ? recent : rng.int(1, handle.head + 1);
    const target = rng.chance(0.5) ? (rng.pick(own)?.seq ?? any) : any;
    const percent = rng.int(0, 99);
    const text = `${this.id} edits ${target} ${"y".repeat(rng.int(0, 40))}`;
    const emoji = rng.pick(["👍", "🎉", ":ok:"]) ?? "👍";
    const { users } = this.#options;
    // Of the target and not of `rng`, so that the seeds keep their other choices.
    const named = [undefined, [], users.slice(target % users.length).slice(0, 1)][target % 3];
    const mentions = target % 8 === 7 ? "@room" : named;
    if (percent >= 85) return this.#view(handle, percent >= 95 ? target : undefined);
    trace.add(`${this.id} changes ${handle.room} ${target} (${percent})`);
    this.#follow(
      () => {
        if (percent < 30) return handle.edit(target, { text }, { mentions });
        if (percent < 50) return handle.react(target, emoji, rng.chance(0.7));
        if (percent < 60) return handle.pin(target, rng.chance(0.7));
        if (percent < 72) return handle.delete(target);
        return handle.send({ text }, { thread: target });
      },
      () => findings.count("message changed"),
      () => findings.count("change refused"),
    );
  }

  /** The content is checked on the wire; here the request must end (I14). */
  #view(handle: RoomHandle, thread: Seq | undefined): void {
    const { rng } = this.#options;
    const [limit, before] = [rng.int(1, 12), rng.int(1, handle.head + 1)];
    const list = { view: "messages", limit, ...(thread !== undefined && { thread }) } as const;
    const range = rng.chance(0.5) ? list : { ...list, before };
    const incarnation = this.#incarnation;
    const end = (): void => {
      if (incarnation === this.#incarnation) this.#open--;
    };
    this.#process.run(() => {
      this.#open++;
      handle.history(range).then(end, end);
    });
  }

  /** Says a position, asks for the room list, or changes the own membership in an open room. */
  #readUp(): void {
    const { rng, trace } = this.#options;
    const percent = rng.int(0, 99);
    if (percent < 35) return this.listRooms();
    const handle = this.#handles.get(rng.pick([...this.#handles.keys()]) as RoomId);
    if (handle === undefined) return;
    if (percent < 80) {
      const seq = rng.chance(0.5) ? handle.completeThrough : rng.int(1, handle.head + 1);
      trace.add(`${this.id} has read ${handle.room} up to ${seq}`);
      return this.#process.run(() => handle.markRead(seq));
    }
    const role = percent < 95 ? "member" : "none";
    trace.add(`${this.id} becomes ${role} of ${handle.room}`);
    if (!this.#options.closedRooms.has(handle.room as RoomId)) {
      this.#follow(() => handle.setMember(this.id, { role }));
    }
  }

  /** The content is checked on the wire; here the request must end (I14). */
  listRooms(): void {
    const { findings } = this.#options;
    const incarnation = this.#incarnation;
    const end = (): void => {
      if (incarnation === this.#incarnation) this.#open--;
    };
    this.#process.run(() => {
      this.#open++;
      this.#parley.rooms({ limit: 200 }).then(({ rooms }) => {
        end();
        if (rooms.some(({ unread }) => unread > 0)) findings.count("unread message counted");
      }, end);
    });
  }

  #leave(): void {
    const room = this.#options.rng.pick([...this.#handles.keys()]);
    const handle = room === undefined ? undefined : this.#handles.get(room);
    if (room === undefined || handle === undefined || this.#handles.size === 1) return;
    this.#options.trace.add(`${this.id} leaves ${room}`);
    this.#cursors.set(room, handle.completeThrough);
    this.#handles.delete(room);
    this.#process.run(() => handle.leave());
  }

  #joinAnother(): void {
    const { rooms, closedRooms } = this.#options;
    const candidates = [...rooms, ...closedRooms.keys()].filter((room) => !this.#handles.has(room));
    const room = this.#options.rng.pick(candidates);
    if (room === undefined) return;
    this.#options.trace.add(`${this.id} joins ${room}`);
    this.#join(room);
  }

  #type(): void {
    const handle = this.#handles.get(this.#options.rng.pick([...this.#handles.keys()]) as RoomId);
    this.#process.run(() => handle?.typing(true));
  }

  /** Requests history. Its content is checked on the wire; here the request must end (I14). */
  #requestHistory(): void {
    const { rng, findings } = this.#options;
    const handle = this.#handles.get(rng.pick([...this.#handles.keys()]) as RoomId);
    if (handle === undefined) return;
    const limit = rng.int(1, 30);
    const after = rng.int(0, Math.max(0, handle.head));
    const incarnation = this.#incarnation;
    const end = (): void => {
      if (incarnation === this.#incarnation) this.#open--;
    };
    this.#process.run(() => {
      this.#open++;
      handle.history({ after, limit }).then(
        ({ events }) => {
          end();
          if (events.length > limit)
            findings.violation("O12", `a page with limit ${limit} holds ${events.length} events`);
        },
        end, // A refused or unknown request has ended too.
      );
    });
  }
}
