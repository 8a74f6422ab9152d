// Simulation: one run of one seed, from the first process to the result.
//
// Owns: the phases of a run. It builds the cluster, injects faults (safety phase), ends all faults,
// waits until the cluster has converged within a deadline, and compares everything. Does not own:
// the parts that these phases use.
//
//   simulation.1. A run depends only on its options: two runs have the same trace, byte for byte.
//   simulation.2. No code uses real time or randomness during a run (determinism-guard.ts).
//   simulation.3. The simulation finds every planted bug (planted-bugs.ts), and many seeds together
//                 reach all coverage events (findings.ts).

import type { HistoryRecord } from "../checker/record.ts";
import type { BusMessage } from "#shared/ports/bus.ts";
import type { ArchiveBatch } from "#shared/ports/archive.ts";
import type { Millis, Partition, RoomId, UserId } from "#shared/protocol/ids.ts";
import { SimulatedCluster } from "./cluster.ts";
import type { PlantedBug } from "./cluster.ts";
import { Database } from "./database.ts";
import { SeededRng, STREAMS } from "./seeded-rng.ts";
import { PAGE_KEPT_MS } from "../../services/persistence/adapters/page-cache.ts";
import { HttpCaller } from "./http-caller.ts";
import { FaultInjector } from "./fault-injector.ts";
import { Findings } from "./findings.ts";
import type { CoverageCounts, Finding } from "./findings.ts";
import { forbidNondeterminism } from "./determinism-guard.ts";
import { UNLOADED_MS } from "../../services/room/core/room-table.ts";
import { firstUnmetCondition } from "./convergence.ts";
import type { ConvergenceInput } from "./convergence.ts";
import { checkRun } from "./final-check.ts";
import type { RunTotals } from "./final-check.ts";
import { checkSessions } from "./session-check.ts";
import { ClientConnections } from "./client-connections.ts";
import { LogServer } from "./log-server.ts";
import { SimulatedBroker } from "./broker.ts";
import { optionsOf } from "./options.ts";
import type { Options } from "./options.ts";
import { SimulatedUser } from "./user.ts";
import type { ClosedRooms, InviteTokens } from "./user.ts";
import { LogFollower } from "./log-follower.ts";
import { RegionTerm } from "./region-term.ts";
import { Scheduler } from "./scheduler.ts";
import { Trace } from "./trace.ts";
import { withoutFaults } from "./conditions.ts";
import type { Conditions } from "./conditions.ts";

export interface RunResult extends RunTotals {
  readonly options: Options;
  readonly findings: readonly Finding[];
  readonly counts: CoverageCounts;
  /** The errors and close codes that clients received. */
  readonly shown: readonly string[];
  readonly fingerprint: string;
  readonly events: number;
  /** Virtual time from the end of all faults until the cluster had converged. */
  readonly convergedMs: Millis;
  /** What clients sent and received. */
  readonly records: readonly HistoryRecord[];
}

export interface RunOptions {
  readonly plantedBug?: PlantedBug | undefined;
  /** Receives every line of the trace. */
  readonly sink?: ((line: string) => void) | undefined;
  /** Called when the users have started. It acts in place of them. */
  readonly script?: ((stage: Stage) => void) | undefined;
}

/** What a script acts on. */
export interface Stage {
  readonly scheduler: Scheduler;
  readonly cluster: SimulatedCluster;
  readonly users: readonly SimulatedUser[];
  readonly rooms: readonly RoomId[];
}

/** How long the cluster runs before the users act and faults occur. */
const START_UP_MS = 1_500;
/** How often convergence is checked. */
const CONVERGENCE_CHECK_MS = 200;
/** The time limit for reading all history of all rooms. */
const READ_TIMEOUT_MS = 30_000;

export async function runSeed(seed: number, run: RunOptions = {}): Promise<RunResult> {
  return runSimulation(optionsOf(seed), run);
}

export async function runSimulation(options: Options, run: RunOptions = {}): Promise<RunResult> {
  const scheduler = new Scheduler();
  const allow = forbidNondeterminism(() => scheduler.isInside); // simulation.2
  try {
    return await new Simulation(scheduler, options, run).run();
  } finally {
    allow();
  }
}

class Simulation {
  readonly #options: Options;
  readonly #findings = new Findings();
  readonly #records: HistoryRecord[] = [];
  readonly #scheduler: Scheduler;
  readonly #trace: Trace;
  readonly #conditions: Conditions = withoutFaults();
  readonly #logs: LogServer;
  readonly #database: Database;
  readonly #broker: SimulatedBroker;
  readonly #cluster: SimulatedCluster;
  readonly #users: SimulatedUser[] = [];
  readonly #injector: FaultInjector;
  readonly #httpCaller: HttpCaller;
  readonly #connections: ClientConnections;
  readonly #logFollower = new LogFollower(this.#findings);
  readonly #archivedTo = new Map<Partition, number>();
  readonly #archived = new Map<RoomId, Map<number, string>>();
  readonly #rooms: readonly RoomId[];
  readonly #closedRooms: ClosedRooms = new Map();
  readonly #invites: InviteTokens = [];
  readonly #rng: SeededRng;
  readonly #script: RunOptions["script"];

  constructor(
    scheduler: Scheduler,
    options: Options,
    { plantedBug = (_, ports) => ports, sink, script }: RunOptions,
  ) {
    this.#options = options;
    this.#script = script;
    const { seed, partitions } = options;
    this.#scheduler = scheduler;
    const conditions = this.#conditions;
    const findings = this.#findings;
    this.#trace = new Trace(() => scheduler.now, sink);
    const trace = this.#trace;
    this.#rng = new SeededRng(seed, STREAMS.workload);
    this.#rooms = Array.from({ length: options.rooms }, (_, i) => `room-${i}` as RoomId);
    const onTrim = (p: Partition, upTo: number): void => this.#onTrim(p, upTo);
    this.#logs = new LogServer({ partitions, conditions, trace, onTrim });
    const common = { scheduler, conditions, trace, findings };
    const onStored = (batch: ArchiveBatch): void => this.#onStored(batch);
    this.#database = new Database({
      ...common,
      rng: new SeededRng(seed, STREAMS.database),
      onStored,
    });
    const onRouted = (message: BusMessage): void => this.#onRouted(message);
    this.#broker = new SimulatedBroker({
      ...common,
      rng: new SeededRng(seed, STREAMS.broker),
      onRouted,
    });
    const term = new RegionTerm(seed, scheduler, findings);
    const skewRng = new SeededRng(seed, STREAMS.skew);
    const maxMs = options.faults.includes("skew") ? 3 * 3_600_000 : 0;
    this.#cluster = new SimulatedCluster({
      options,
      broker: this.#broker,
      logs: this.#logs,
      database: this.#database,
      findings,
      // A script decides when something happens: the setting then arrives at once.
      ...(script === undefined && { rng: new SeededRng(seed, STREAMS.split) }),
      skewMs: () => skewRng.int(-maxMs, maxMs),
      term: options.faults.includes("term-lapse") ? term : undefined,
      plantedBug,
    });
    this.#connections = new ClientConnections({
      options,
      broker: this.#broker,
      cluster: this.#cluster,
      findings,
      records: this.#records,
    });
    this.#httpCaller = new HttpCaller({
      cluster: this.#cluster,
      rng: new SeededRng(seed, STREAMS.httpCaller),
      records: this.#records,
      findings,
      now: () => scheduler.now,
    });
    this.#injector = new FaultInjector({
      ...common,
      options,
      rng: new SeededRng(seed, STREAMS.faults),
      findings,
      cluster: this.#cluster,
      users: this.#users,
      term,
    });
  }

  async run(): Promise<RunResult> {
    const options = this.#options;
    await this.#build();
    this.#injector.begin();
    await this.#scheduler.runUntil(this.#scheduler.now + options.safetyMs);
    const healedAt = this.#scheduler.now;
    this.#scheduler.after(0, () => this.#heal());
    await this.#converge(healedAt);
    const convergedMs = this.#scheduler.now - healedAt;
    await this.#decideTheRest();
    const runTotals = await this.#check();
    const { list: findings, counts, shown } = this.#findings;
    const { fingerprint } = this.#trace;
    const { events } = this.#scheduler;
    const outcome = { findings, counts, shown, fingerprint, events, convergedMs };
    return { ...runTotals, ...outcome, options, records: this.#records };
  }

  /** Ends all faults, and starts a service of each kind that has none. */
  #heal(): void {
    this.#injector.heal();
    for (const kind of ["gateway", "room", "persistence"] as const) {
      if (this.#cluster.of(kind).every(({ isLeaving }) => isLeaving)) this.#cluster.start(kind);
    }
    // New sends prove that every room works again.
    for (const user of this.#users) for (const room of user.handles.keys()) user.send(room);
  }

  async #build(): Promise<void> {
    this.#scheduler.after(0, () => this.#begin());
    await this.#scheduler.runUntil(START_UP_MS);
    const until = START_UP_MS + this.#options.safetyMs;
    if (this.#script !== undefined) {
      const [scheduler, cluster, users, rooms] = [
        this.#scheduler,
        this.#cluster,
        this.#users,
        this.#rooms,
      ];
      scheduler.after(0, () => this.#script?.({ scheduler, cluster, users, rooms }));
      return;
    }
    for (const user of this.#users) this.#scheduleAction(user, until);
    this.#scheduleRepeat(until);
  }

  #begin(): void {
    const options = this.#options;
    for (let i = 0; i < options.gateways; i++) this.#cluster.start("gateway");
    for (let i = 0; i < options.roomNodes; i++) this.#cluster.start("room");
    for (let i = 0; i < options.persistence; i++) this.#cluster.start("persistence");
    for (let i = 0; i < options.users; i++) this.#users.push(this.#createUser(i));
    for (const user of this.#users) user.start();
    this.#connections.watchBounds();
  }

  #createUser(index: number): SimulatedUser {
    const id = `user-${index}` as UserId;
    return new SimulatedUser({
      id,
      rooms: this.#rooms,
      closedRooms: this.#closedRooms,
      invites: this.#invites,
      slowModes: this.#options.slowModes !== false,
      users: Array.from({ length: this.#options.users }, (_, i) => `user-${i}` as UserId),
      rng: new SeededRng(this.#options.seed, id),
      trace: this.#trace,
      findings: this.#findings,
      createProcess: (processId) => this.#cluster.createProcess("client", processId),
      connect: (user) => this.#connections.connect(user),
    });
  }

  /** The user takes actions until `until`. */
  #scheduleAction(user: SimulatedUser, until: Millis): void {
    const delay = this.#rng.between(0, this.#options.thinkMs * 2);
    this.#scheduler.after(delay, () => {
      if (this.#scheduler.now > until) return;
      user.act();
      this.#scheduleAction(user, until);
    });
  }

  /** An HTTP client repeats an acknowledged send through any gateway (I6). */
  #scheduleRepeat(until: Millis): void {
    this.#scheduler.after(this.#rng.between(0, this.#options.thinkMs * 6), () => {
      if (this.#scheduler.now > until) return;
      const user = this.#rng.pick(this.#users);
      const acked = user === undefined ? undefined : this.#rng.pick(user.acked);
      if (user !== undefined && acked !== undefined) this.#httpCaller.repeat(user.id, acked);
      this.#scheduleRepeat(until);
    });
  }

  async #converge(healedAt: Millis): Promise<void> {
    const end = healedAt + this.#options.convergeMs;
    let unmet: string | undefined = "not checked";
    while (unmet !== undefined && this.#scheduler.now < end) {
      await this.#scheduler.runUntil(this.#scheduler.now + CONVERGENCE_CHECK_MS);
      unmet = firstUnmetCondition(this.#convergenceInput());
    }
    if (unmet === undefined)
      this.#records.push({ t: this.#scheduler.now, op: "mark", what: "end" });
    else this.#findings.violation("I13", `the cluster has not converged: ${unmet}`);
  }

  /**
   * An owner can still decide a command whose client and gateway have given up, while its room
   * waits for the archive (room-table.2).
   */
  async #decideTheRest(): Promise<void> {
    await this.#scheduler.runUntil(this.#scheduler.now + UNLOADED_MS);
    await this.#converge(this.#scheduler.now);
  }

  #convergenceInput(): ConvergenceInput {
    this.#readLogs();
    return {
      logFollower: this.#logFollower,
      partitions: this.#logs.partitions,
      users: this.#users,
      cluster: this.#cluster,
      logs: this.#logs,
      archivedTo: this.#archivedTo,
      openCalls: this.#httpCaller.open,
    };
  }

  #readLogs(): void {
    for (let p = 0; p < this.#logs.partitions; p++)
      this.#logFollower.follow(p, this.#logs.written(p));
  }

  async #check(): Promise<RunTotals> {
    // Reads of rooms use the replica, and a page cache keeps a page for a while (C6).
    const { now } = this.#scheduler;
    await this.#scheduler.runUntil(Math.max(now, this.#database.replicaAt) + PAGE_KEPT_MS);
    await this.#listRooms(); // It stores the positions that were said last …
    await this.#listRooms(); // … which the replica then has, too.
    this.#readLogs();
    let pages: readonly string[] | undefined;
    void this.#httpCaller.readAll([...this.#logFollower.rooms]).then((lines) => (pages = lines));
    const end = this.#scheduler.now + READ_TIMEOUT_MS;
    await this.#scheduler.runUntil(end, () => pages !== undefined);
    if (pages === undefined)
      this.#findings.violation("I13", "the history could not be read within the time limit");
    const [records, logFollower, archive, users] = [
      this.#records,
      this.#logFollower,
      this.#linesNow(),
      this.#users,
    ];
    checkSessions(this.#cluster.sessionEvents, this.#findings);
    return checkRun({ records, logFollower, archive, pages, users }, this.#findings);
  }

  /** Every user asks for the room list (checker/lists.3). */
  async #listRooms(): Promise<void> {
    const end = this.#scheduler.now + READ_TIMEOUT_MS;
    this.#scheduler.after(0, () => {
      for (const user of this.#users) user.listRooms();
    });
    await this.#scheduler.runUntil(this.#scheduler.now + 1);
    await this.#scheduler.runUntil(end, () => this.#users.every(({ open }) => open === 0));
    await this.#scheduler.runUntil(Math.max(this.#scheduler.now, this.#database.replicaAt) + 1);
  }

  /** The archived lines as they are now: a deletion has made tombstones of some. */
  #linesNow(): Map<RoomId, Map<number, string>> {
    const { primary } = this.#database;
    const linesOf = (room: RoomId, lines: ReadonlyMap<number, string>): Map<number, string> =>
      new Map([...lines].map(([seq, line]) => [seq, primary.lineOf(room, seq) ?? line]));
    return new Map([...this.#archived].map(([room, lines]) => [room, linesOf(room, lines)]));
  }

  #onStored({ p, to, events }: ArchiveBatch): void {
    this.#archivedTo.set(p, to);
    for (const { room, seq, line } of events) {
      const stored = this.#archived.get(room) ?? new Map<number, string>();
      this.#archived.set(room, stored);
      if (stored.has(seq)) {
        if (stored.get(seq) !== line)
          this.#findings.violation("D3", `${room} ${seq} was stored with two different lines`);
        continue;
      }
      stored.set(seq, line);
    }
  }

  /** D5: a trim removes only archived entries. */
  #onTrim(p: Partition, upTo: number): void {
    const archived = this.#archivedTo.get(p) ?? 0;
    if (upTo <= archived) return;
    this.#findings.violation(
      "D5",
      `partition ${p} was trimmed up to ${upTo} and is archived up to ${archived}`,
    );
  }

  #onRouted({ subject, data }: BusMessage): void {
    if (subject.startsWith("cmd.") && includes(data, RANGE)) this.#findings.count("gap repaired");
    else if (subject.startsWith("gw.") && includes(data, RESYNC)) {
      this.#findings.count("lane resynchronised");
    } else if (subject.startsWith("hist.") && includes(data, LOOKUP)) {
      this.#findings.count("id looked up in the archive");
    }
  }
}

const RANGE = Buffer.from('"op":"range"');
const RESYNC = Buffer.from('"resync"');
const LOOKUP = Buffer.from('"op":"lookup"');

function includes(data: Uint8Array, part: Buffer): boolean {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).includes(part);
}
