// Gateway: connects the cores to the ports. The process (main.ts) and the simulation run this same
// code.
//
// Owns: which sockets are accepted, housekeeping, beats, the order of a drain. Does not own: the
// open connections and their checks (connections.ts), the server of the sockets, HTTP, the
// verification of tokens, the placement of partitions.
//
//   gateway.1. The time of an event loop stall of this process does not count against a client.
//   gateway.2. A drain accepts no new connection, closes those that it has
//        (gateway/connections.2), and then waits a moment for the leaves of the users to reach the
//        owners (S8).
//   gateway.3. A suspended gateway accepts no connection and closes those that it has, as in a
//        drain, until it is resumed. Its region may not serve meanwhile (T3).
//   gateway.4. A gateway without connections wakes up for its beats only. The checks of connections
//        begin with the first one.

import type { Rate } from "#shared/kit/gcra.ts";
import { Refusals } from "#shared/kit/refusals.ts";
import { MemoryAccount } from "#shared/kit/memory-account.ts";
import { uuidv7 } from "#shared/kit/uuid.ts";
import type { ArchiveReader } from "#shared/ports/archive.ts";
import type { Bus, Subscription } from "#shared/ports/bus.ts";
import type { RoomListReader } from "#shared/ports/room-lists.ts";
import type { NameReader } from "#shared/ports/names.ts";
import type { SearchReader } from "#shared/ports/search.ts";
import type { Clock, Random, Timer } from "#shared/ports/clock.ts";
import { CLOSE } from "#shared/protocol/close-codes.ts";
import type { RoomStatus } from "#shared/protocol/control.ts";
import type { Millis, ProcessId, UserId } from "#shared/protocol/ids.ts";
import { HELLO_TIMEOUT_MS, PING_MS } from "#shared/protocol/limits.ts";
import { BEAT_MS, encodeBeat } from "#shared/protocol/beat.ts";
import type { Beat } from "#shared/protocol/beat.ts";
import { PartitionMap } from "#shared/protocol/partition-map.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import { noTracer } from "#shared/ports/tracer.ts";
import type { Tracer } from "#shared/ports/tracer.ts";
import type { FileProofs } from "../core/attachments-port.ts";
import { Admission } from "../core/admission.ts";
import type { Action } from "../core/admission.ts";
import {
  LANES_BYTES_MAX,
  MEMORY_BYTES_MAX,
  POSITIONS_BYTES_MAX,
  REORDER_TOTAL_BYTES_MAX,
} from "../core/bounds.ts";
import { defaultPace } from "../core/pacing.ts";
import type { FlushPace } from "../core/pacing.ts";
import { SharedBound } from "../core/shared-bound.ts";
import { Sampling } from "../core/sampling.ts";
import { Shedding } from "../core/shedding.ts";
import type { Authenticator } from "#shared/ports/identity.ts";
import type { RoomApi } from "../core/room-api-port.ts";
import type { NamesApi } from "../core/names-port.ts";
import type { RoomListsApi } from "../core/room-lists-port.ts";
import type { SessionsApi } from "../core/sessions-port.ts";
import type { ClientSocket, FrameMaker, SocketHandlers } from "./client-socket.ts";
import { Connection } from "./connection.ts";
import type { ConnectionParts } from "./connection.ts";
import { Connections } from "./connections.ts";
import { GatewayStats } from "./gateway-stats.ts";
import { Intake } from "./intake.ts";
import { Lanes } from "./lanes.ts";
import { MessageTraces } from "./message-traces.ts";
import { Pages } from "./pages.ts";
import { ReadPositionsRunner } from "./read-positions-runner.ts";
import { SessionRegisterRunner } from "./session-register-runner.ts";
import { Sessions } from "./sessions.ts";
import { RoomLists } from "./room-lists.ts";
import { UserNames } from "./user-names.ts";
import { UserNotes } from "./user-notes.ts";
import type { Report } from "./report.ts";
import { SocketMemory } from "./socket-memory.ts";
import type { GatewayMemoryLine } from "./socket-memory.ts";
import { Rooms } from "./rooms.ts";
import { RangeReader } from "./range-reader.ts";
import { GatewayRoomApi } from "./room-api.ts";
import { FlushScheduler } from "./flush-scheduler.ts";

export interface GatewayOptions {
  readonly id: ProcessId;
  /** The number of partitions when the cluster was created. */
  readonly partitions: number;
  readonly version: string;
  readonly region?: string | undefined;
  /** False with LIMITS=off: no rate limits and no caps on connections. */
  readonly limits: boolean;
  /**
   * The share of sends that are traced; default 0. A send with the sampled flag is traced at any
   * share.
   */
  readonly traceRatio?: number;
  /** Bytes that sockets and rings hold. Beyond it the largest connection is closed (L9). */
  readonly memoryBytesMax?: number;
  /** Connections of this process. Beyond it: close 1013. */
  readonly connectionsMax?: number;
  readonly pingMs?: number;
  readonly helloTimeoutMs?: number;
}

export interface GatewayPorts {
  readonly bus: Bus;
  readonly archive: ArchiveReader & RoomListReader & SearchReader & NameReader;
  readonly clock: Clock;
  readonly random: Random;
  readonly auth: Authenticator;
  readonly frames: FrameMaker;
  readonly report: Report;
  readonly tracer?: Tracer;
  /** Default: no message may have files. */
  readonly proofs?: Pick<FileProofs, "isValid"> | undefined;
}

export interface GatewayGauges {
  readonly connections: number;
  /** Connections before their welcome. */
  readonly greeting: number;
  readonly rooms: number;
  /** Members that are behind: they joined, resumed or are slow. */
  readonly readers: number;
  readonly ringBytes: number;
  /** Unanswered commands of all lanes. */
  readonly unanswered: number;
  /** Read positions that the archive does not have yet, and those that were dropped. */
  readonly positions: number;
  readonly positionsDropped: number;
}

const MEMORY_LINES = ["sockets", "rings", "held", "lanes", "reads", "notes", "files"] as const;
const CONNECTIONS_MAX = 50_000;
const HOUSEKEEPING_MS = 250;
/** Without connections: together with the beats. */
const REST_HOUSEKEEPING_MS = BEAT_MS;
/** A housekeeping run that is this late shows a stall of this process, not slow clients. */
const EVENT_LOOP_STALL_MS = 750;
/** gateway.2. */
const LEAVES_MS = 50;

export class Gateway {
  readonly stats = new GatewayStats();
  readonly sampling: Sampling;
  readonly pace: FlushPace = defaultPace();
  readonly memory: MemoryAccount<GatewayMemoryLine>;
  readonly shedding: Shedding;
  readonly #socketMemory: SocketMemory;
  readonly #options: GatewayOptions;
  readonly #ports: GatewayPorts;
  readonly #scheduler: FlushScheduler;
  readonly #intake: Intake;
  readonly #lanes: Lanes;
  readonly #rooms: Rooms;
  readonly #roomApi: GatewayRoomApi;
  readonly #positions: ReadPositionsRunner;
  readonly #lists: RoomLists;
  readonly #names: UserNames;
  readonly #notes: UserNotes;
  readonly #sessions: Sessions;
  readonly #register: SessionRegisterRunner;
  readonly #admission: Admission;
  readonly #connections: Connections;
  readonly #parts: ConnectionParts;
  readonly #stops: (Timer | Subscription)[] = [];
  #housekeeping: { readonly periodMs: Millis; readonly timers: readonly Timer[] } | undefined;
  #housekeepingAt = 0;

  constructor(options: GatewayOptions, ports: GatewayPorts) {
    const { id, partitions, limits } = options;
    const { bus, clock, archive } = ports;
    const { stats } = this;
    const sampling = (this.sampling = new Sampling(ports.random, options.traceRatio));
    const traces = new MessageTraces({ tracer: noTracer, ...ports, sampling, stats });
    this.#options = options;
    this.#ports = ports;
    const { memoryBytesMax = MEMORY_BYTES_MAX, pingMs = PING_MS } = options;
    const { helloTimeoutMs = HELLO_TIMEOUT_MS } = options;
    this.#connections = new Connections({ ...ports, pingMs, helloTimeoutMs });
    this.memory = new MemoryAccount<GatewayMemoryLine>(MEMORY_LINES, memoryBytesMax);
    this.#socketMemory = new SocketMemory(this.memory);
    this.#scheduler = new FlushScheduler(clock);
    this.#intake = new Intake(clock, stats);
    this.#admission = new Admission(limits);
    this.shedding = new Shedding(ports.random, limits);
    const refusals = new Refusals(ports.report, clock);
    const map = new PartitionMap(partitions);
    this.#lanes = new Lanes({
      ...ports,
      stats,
      refusals,
      gw: id,
      map,
      scheduler: this.#scheduler,
      total: this.#boundOf("lanes", LANES_BYTES_MAX),
      localRooms: (p) => this.#rooms.localRooms(p),
      onSplit: (split) => this.#rooms.onSplit(split),
      onHeads: (heads) => this.#rooms.onHeads(heads),
    });
    const ranges = new RangeReader(this.#lanes, archive, map);
    this.#rooms = new Rooms({
      ...ports,
      stats,
      refusals,
      traces,
      pace: this.pace,
      reorderTotal: this.#boundOf("held", REORDER_TOTAL_BYTES_MAX),
      memory: this.memory,
      map,
      scheduler: this.#scheduler,
      ranges,
      lanes: this.#lanes,
    });
    const pages = new Pages({
      lanes: this.#lanes,
      rooms: this.#rooms,
      ranges,
      archive,
      map,
      clock,
    });
    this.#roomApi = new GatewayRoomApi({ ...ports, lanes: this.#lanes, pages, stats, traces });
    const total = this.#boundOf("reads", POSITIONS_BYTES_MAX);
    const rooms = this.#rooms;
    this.#positions = new ReadPositionsRunner({ bus, clock, archive, map, rooms, total });
    this.#lists = new RoomLists({ archive, map, positions: this.#positions, clock });
    this.#names = new UserNames({ archive, map, clock });
    this.#sessions = new Sessions({ bus, clock });
    this.#register = new SessionRegisterRunner({
      ...ports,
      id,
      refusals,
      announce: () => this.#connections.announce(),
      onNotice: (notice) => this.#connections.endSessions(notice),
    });
    this.#notes = new UserNotes({ ...ports, refusals, stats, total: this.#boundOf("notes") });
    this.#parts = this.#partsOfConnections(pingMs);
  }

  #partsOfConnections(pingMs: Millis): ConnectionParts {
    const { clock, auth, report } = this.#ports;
    return {
      clock,
      auth,
      report,
      pingMs,
      stats: this.stats,
      admission: this.#admission,
      shedding: this.shedding,
      scheduler: this.#scheduler,
      intake: this.#intake,
      memory: this.#socketMemory,
      rooms: this.#rooms,
      roomApi: this.#roomApi,
      lists: this.#lists,
      positions: this.#positions,
      notes: this.#notes,
      names: this.#names,
      register: this.#register,
      expiries: this.#connections.expiries,
      onEnd: (connection, user) => this.#onEnd(connection, user),
    };
  }

  #boundOf(line: GatewayMemoryLine, bytesMax = Infinity): SharedBound {
    return new SharedBound(bytesMax, (bytes) => this.memory.add(line, bytes));
  }

  /** The port of the HTTP side. */
  get roomApi(): RoomApi {
    return this.#roomApi;
  }

  /** The port of the HTTP side. */
  get roomLists(): RoomListsApi {
    return this.#lists;
  }

  /** The port of the HTTP side. */
  get names(): NamesApi {
    return this.#names;
  }

  /** The port of the HTTP side. */
  get sessions(): SessionsApi {
    return this.#sessions;
  }

  setRate(action: Action, rate: Rate): void {
    this.#admission.setRate(action, rate);
  }

  /**
   * Closes a user's connections with 4501, except those whose token was issued later than
   * `issuedUpTo`. Returns their number.
   */
  kick(user: UserId, issuedUpTo?: Millis): number {
    return this.#connections.kick(user, issuedUpTo);
  }

  /** The rooms here, the largest first, and the number of omitted rooms. */
  rooms(max: number): { readonly rooms: readonly RoomStatus[]; readonly more: number } {
    const all = this.#rooms.statuses().toSorted(([, a], [, b]) => b - a);
    return { rooms: all.slice(0, max), more: Math.max(0, all.length - max) };
  }

  /** The current values, for a scrape. */
  get gauges(): GatewayGauges {
    return {
      connections: this.#connections.size,
      greeting: this.#connections.greeting,
      rooms: this.#rooms.count,
      readers: this.#rooms.readers,
      ringBytes: this.#rooms.ringBytes,
      unanswered: this.#lanes.unanswered,
      positions: this.#positions.size,
      positionsDropped: this.#positions.dropped,
    };
  }

  start(): void {
    const { bus, clock } = this.#ports;
    this.#lanes.start();
    this.#positions.start();
    this.#register.start();
    this.#armHousekeeping(REST_HOUSEKEEPING_MS);
    this.#stops.push(
      bus.onStatus((status) => {
        this.#ports.report("bus status changed", { status });
        if (status === "connected") this.#lanes.onReconnected();
      }),
      clock.every(BEAT_MS, () => this.#beat("live")),
    );
    this.#beat("live");
  }

  /** Accepts a socket. The caller passes its events to the returned handlers. */
  accept(socket: ClientSocket): SocketHandlers {
    const { clock, random } = this.#ports;
    const { address } = socket;
    const connection = new Connection(this.#parts, socket, uuidv7(clock.now(), random));
    const arrival = this.#admission.arrive(address, clock.monotonic());
    connection.isCounted = arrival.ok && this.#hasPlace() && this.#admission.connect(address);
    this.#connections.add(connection);
    if (this.#housekeeping !== undefined) this.#armHousekeeping(HOUSEKEEPING_MS);
    if (!arrival.ok) connection.onTooMany(arrival.afterMs); // S14
    else if (!connection.isCounted) connection.close(CLOSE.overload);
    return connection;
  }

  /**
   * gateway.2. Resolves when every connection is closed and the owners have the leaves. Never
   * rejects.
   */
  async drain(): Promise<void> {
    if (this.#roomApi.isDraining) return;
    this.#roomApi.isDraining = true;
    const { clock, bus } = this.#ports;
    await this.#connections.closeAll();
    await new Promise<void>((run) => clock.after(LEAVES_MS, run));
    await Promise.all([this.#positions.leave(), this.#register.leave()]);
    this.#beat("leaving");
    await bus.flush();
    this.#stop();
  }

  /** gateway.3. The caller does not wait for the closes. */
  suspend(): void {
    if (this.#roomApi.isAway) return;
    this.#roomApi.isAway = true;
    void this.#connections.closeAll();
  }

  /** Sockets that still close after `suspend` continue to close. */
  resume(): void {
    this.#roomApi.isAway = false;
  }

  #stop(): void {
    for (const stop of this.#stops) {
      if ("cancel" in stop) stop.cancel();
      else stop.unsubscribe();
    }
    for (const timer of this.#housekeeping?.timers ?? []) timer.cancel();
    this.#housekeeping = undefined;
    this.#positions.stop();
    this.#register.stop();
    this.#notes.stop();
    this.#lanes.stop();
    this.#rooms.stop();
  }

  #hasPlace(): boolean {
    const { connectionsMax = CONNECTIONS_MAX } = this.#options;
    const { isDraining, isAway } = this.#roomApi;
    return !isDraining && !isAway && this.#connections.size < connectionsMax;
  }

  #onEnd(connection: Connection, user: UserId | undefined): void {
    this.#connections.remove(connection);
    if (!connection.isCounted) return;
    this.#admission.disconnect(connection.address);
    if (user !== undefined) this.#admission.exit(user);
  }

  #beat(state: Beat["state"]): void {
    const { id, version, region } = this.#options;
    const beat = encodeBeat({ id, state, version, ...(region && { region }) });
    this.#ports.bus.publish(subjects.beat("gateway"), beat);
  }

  /** gateway.4. */
  #armHousekeeping(periodMs: Millis): void {
    if (this.#housekeeping?.periodMs === periodMs) return;
    for (const timer of this.#housekeeping?.timers ?? []) timer.cancel();
    const { clock } = this.#ports;
    this.#housekeepingAt = clock.monotonic();
    const timers = [clock.every(periodMs, () => this.#onHousekeeping(periodMs))];
    if (periodMs === HOUSEKEEPING_MS) timers.push(this.#connections.start());
    this.#housekeeping = { periodMs, timers };
  }

  #onHousekeeping(periodMs: Millis): void {
    const now = this.#ports.clock.monotonic();
    const lateMs = Math.max(0, now - this.#housekeepingAt - periodMs);
    this.#housekeepingAt = now;
    if (this.#connections.size === 0) this.#armHousekeeping(REST_HOUSEKEEPING_MS);
    this.#measureDelay(lateMs, now);
    // gateway.1. Frames that clients sent meanwhile are still unread.
    if (lateMs > EVENT_LOOP_STALL_MS) return;
    this.#connections.expire();
    this.#rooms.sweep(now);
    this.#socketMemory.recount();
    this.#rooms.shed();
  }

  /** Before the check for a stall, which is a delay too. */
  #measureDelay(lateMs: Millis, now: Millis): void {
    const changes = this.shedding.sample(lateMs + this.#intake.waitedMs(now), now);
    for (const { work, isShed, delayMs } of changes) {
      const event = isShed ? "shedding began" : "shedding ended";
      this.#ports.report(event, { work, delayMs: Math.round(delayMs) });
    }
  }
}
