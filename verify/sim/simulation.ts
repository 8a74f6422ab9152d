// World: one run of one seed, from the first process to the verdict.
//
// Owns: the order of things: build, let it go wrong (safety phase), heal, wait until it is whole
// again within a budget, compare everything. Does not own: any single one of these.
//
//   simulation.1. A run is a function of its options: two runs have the same trace, byte by byte.
//   simulation.2. Nobody real is asked while it runs (determinism-guard.ts).
//   simulation.3. It finds what is wrong: planted bugs (planted-bugs.ts), and only after having met what is interesting.

import type { HistoryRecord } from "../checker/record.ts";
import type { BusMessage } from "#shared/ports/bus.ts";
import type { ArchiveBatch } from "#shared/ports/archive.ts";
import type { Millis, Partition, RoomId, UserId } from "#shared/protocol/ids.ts";
import { Cluster } from "./cluster.ts";
import type { Plant } from "./cluster.ts";
import { Database } from "./database.ts";
import { Dice } from "./seeded-rng.ts";
import { HttpCaller } from "./http-caller.ts";
import { Faults } from "./fault-injector.ts";
import { Findings } from "./findings.ts";
import type { Counts, Finding } from "./findings.ts";
import { forbidReality } from "./determinism-guard.ts";
import { judge, whatIsMissing } from "./convergence.ts";
import type { Scene, Verdict } from "./convergence.ts";
import { Lines } from "./client-connections.ts";
import { LogServer } from "./log-server.ts";
import { Net } from "./broker.ts";
import { optionsOf } from "./options.ts";
import type { Options } from "./options.ts";
import { Person } from "./user.ts";
import { RawLog } from "./log-follower.ts";
import { Scheduler } from "./scheduler.ts";
import { Trace } from "./trace.ts";
import { calm } from "./conditions.ts";
import type { Weather } from "./conditions.ts";

export interface RunResult extends Verdict {
  readonly options: Options;
  readonly findings: readonly Finding[];
  readonly counts: Counts;
  /** Errors and closes that clients were shown. */
  readonly shown: readonly string[];
  readonly hash: string;
  readonly events: number;
  /** Virtual time from the heal until everything was whole. */
  readonly healedMs: Millis;
}

export interface RunOptions {
  readonly plant?: Plant | undefined;
  readonly sink?: ((line: string) => void) | undefined;
}

const LISTEN_MS = 1_500;
const LOOK_MS = 200;
/** All pages of all rooms are read within this. */
const READ_MS = 30_000;
export async function runSeed(seed: number, run: RunOptions = {}): Promise<RunResult> {
  return runWorld(optionsOf(seed), run);
}

export async function runWorld(options: Options, run: RunOptions = {}): Promise<RunResult> {
  const scheduler = new Scheduler();
  const allow = forbidReality(() => scheduler.isInside); // simulation.2
  try {
    return await new World(scheduler, options, run).play();
  } finally {
    allow();
  }
}

class World {
  readonly #options: Options;
  readonly #findings = new Findings();
  readonly #records: HistoryRecord[] = [];
  readonly #scheduler: Scheduler;
  readonly #trace: Trace;
  readonly #weather: Weather = calm();
  readonly #logs: LogServer;
  readonly #database: Database;
  readonly #net: Net;
  readonly #cluster: Cluster;
  readonly #people: Person[] = [];
  readonly #faults: Faults;
  readonly #httpCaller: HttpCaller;
  readonly #lines: Lines;
  readonly #raw = new RawLog(this.#findings);
  readonly #archivedTo = new Map<Partition, number>();
  readonly #archived = new Map<RoomId, Map<number, string>>();
  readonly #rooms: readonly RoomId[];
  readonly #dice: Dice;

  constructor(
    scheduler: Scheduler,
    options: Options,
    { plant = (_, ports) => ports, sink }: RunOptions,
  ) {
    this.#options = options;
    const { seed, partitions } = options;
    this.#scheduler = scheduler;
    const weather = this.#weather;
    const findings = this.#findings;
    this.#trace = new Trace(() => scheduler.now, sink);
    const trace = this.#trace;
    this.#dice = new Dice(seed, "world");
    this.#rooms = Array.from({ length: options.rooms }, (_, i) => `room-${i}` as RoomId);
    const onTrim = (p: Partition, upTo: number): void => this.#onTrim(p, upTo);
    this.#logs = new LogServer({ partitions, weather, trace, onTrim });
    const common = { scheduler, weather, trace, findings };
    const onStored = (batch: ArchiveBatch): void => this.#onStored(batch);
    this.#database = new Database({ ...common, dice: new Dice(seed, "database"), onStored });
    const onRouted = (_: unknown, message: BusMessage): void => this.#onRouted(message);
    this.#net = new Net({ ...common, dice: new Dice(seed, "net"), onRouted });
    const skewDice = new Dice(seed, "skew");
    const maxMs = options.faults.includes("skew") ? 3 * 3_600_000 : 0;
    this.#cluster = new Cluster({
      options,
      net: this.#net,
      logs: this.#logs,
      database: this.#database,
      findings,
      skewMs: () => skewDice.int(-maxMs, maxMs),
      plant,
    });
    this.#lines = new Lines({
      options,
      net: this.#net,
      cluster: this.#cluster,
      findings,
      records: this.#records,
    });
    this.#httpCaller = new HttpCaller({
      cluster: this.#cluster,
      dice: new Dice(seed, "door"),
      records: this.#records,
      findings,
      now: () => scheduler.now,
    });
    this.#faults = new Faults({
      ...common,
      options,
      dice: new Dice(seed, "faults"),
      findings,
      cluster: this.#cluster,
      people: this.#people,
    });
  }

  async play(): Promise<RunResult> {
    const { options } = this;
    await this.#build();
    this.#faults.begin();
    await this.#scheduler.runUntil(this.#scheduler.now + options.safetyMs);
    const healedAt = this.#scheduler.now;
    this.#scheduler.after(0, () => this.#heal());
    await this.#converge(healedAt);
    const healedMs = this.#scheduler.now - healedAt;
    const verdict = await this.#verdict();
    const { list: findings, counts, shown } = this.#findings;
    const { hash } = this.#trace;
    const { events } = this.#scheduler;
    return { ...verdict, options, findings, counts, shown, hash, events, healedMs };
  }

  #heal(): void {
    this.#faults.heal();
    for (const kind of ["gateway", "room", "persistence"] as const) {
      if (this.#cluster.of(kind).every(({ isLeaving }) => isLeaving)) this.#cluster.start(kind);
    }
    // Fresh sends show that every room works again, not only that it looks whole.
    for (const person of this.#people) for (const room of person.handles.keys()) person.say(room);
  }

  get options(): Options {
    return this.#options;
  }

  async #build(): Promise<void> {
    this.#scheduler.after(0, () => this.#begin());
    await this.#scheduler.runUntil(LISTEN_MS);
    const until = LISTEN_MS + this.#options.safetyMs;
    for (const person of this.#people) this.#think(person, until);
    this.#retry(until);
  }

  #begin(): void {
    const { options } = this;
    for (let i = 0; i < options.gateways; i++) this.#cluster.start("gateway");
    for (let i = 0; i < options.roomNodes; i++) this.#cluster.start("room");
    for (let i = 0; i < options.persistence; i++) this.#cluster.start("persistence");
    for (let i = 0; i < options.people; i++) this.#people.push(this.#person(i));
    for (const person of this.#people) person.enter();
    this.#lines.watchBounds();
  }

  #person(index: number): Person {
    const user = `user-${index}` as UserId;
    return new Person({
      user,
      rooms: this.#rooms,
      dice: new Dice(this.#options.seed, user),
      scheduler: this.#scheduler,
      trace: this.#trace,
      findings: this.#findings,
      createProcess: (id) => this.#cluster.createProcess("client", id),
      connect: (person) => this.#lines.connect(person),
    });
  }

  /** A person goes on talking until `until`. */
  #think(person: Person, until: Millis): void {
    const delay = this.#dice.between(0, this.#options.thinkMs * 2);
    this.#scheduler.after(delay, () => {
      if (this.#scheduler.now > until) return;
      person.act();
      this.#think(person, until);
    });
  }

  /** Somebody says again what was acknowledged long ago, through any gateway (I6). */
  #retry(until: Millis): void {
    this.#scheduler.after(this.#dice.between(0, this.#options.thinkMs * 6), () => {
      if (this.#scheduler.now > until) return;
      const person = this.#dice.pick(this.#people);
      const acked = person === undefined ? undefined : this.#dice.pick(person.acked);
      if (person !== undefined && acked !== undefined) this.#httpCaller.repeat(person.user, acked);
      this.#retry(until);
    });
  }

  async #converge(healedAt: Millis): Promise<void> {
    const end = healedAt + this.#options.convergeMs;
    let missing: string | undefined = "nothing looked yet";
    while (missing !== undefined && this.#scheduler.now < end) {
      await this.#scheduler.runUntil(this.#scheduler.now + LOOK_MS);
      missing = whatIsMissing(this.#scene());
    }
    if (missing === undefined)
      this.#records.push({ t: this.#scheduler.now, op: "mark", what: "end" });
    else this.#findings.broken("I13", `not whole again: ${missing}`);
  }

  #scene(): Scene {
    this.#follow();
    return {
      raw: this.#raw,
      partitions: this.#options.partitions,
      people: this.#people,
      cluster: this.#cluster,
      logs: this.#logs,
      archivedTo: this.#archivedTo,
      openCalls: this.#httpCaller.open,
    };
  }

  #follow(): void {
    for (let p = 0; p < this.#options.partitions; p++) this.#raw.follow(p, this.#logs.written(p));
  }

  async #verdict(): Promise<Verdict> {
    this.#follow();
    let pages: readonly string[] | undefined;
    void this.#httpCaller.readAll([...this.#raw.rooms]).then((lines) => (pages = lines));
    const end = this.#scheduler.now + READ_MS;
    await this.#scheduler.runUntil(end, () => pages !== undefined);
    if (pages === undefined) this.#findings.broken("I13", "history could not be read");
    const [records, raw, archive, people] = [
      this.#records,
      this.#raw,
      this.#archived,
      this.#people,
    ];
    return judge({ records, raw, archive, pages, people }, this.#findings);
  }

  #onStored({ p, to, events }: ArchiveBatch): void {
    this.#archivedTo.set(p, to);
    for (const { room, seq, line } of events) {
      const stored = this.#archived.get(room) ?? new Map<number, string>();
      this.#archived.set(room, stored);
      if (stored.has(seq)) {
        if (stored.get(seq) !== line) this.#findings.broken("D3", `${room} ${seq} stored twice`);
        continue;
      }
      stored.set(seq, line);
    }
  }

  /** D5: nothing leaves the log that is not archived. */
  #onTrim(p: Partition, upTo: number): void {
    const archived = this.#archivedTo.get(p) ?? 0;
    if (upTo <= archived) return;
    this.#findings.broken("D5", `partition ${p} was trimmed to ${upTo}, archived to ${archived}`);
  }

  #onRouted({ subject, data }: BusMessage): void {
    if (subject.startsWith("cmd.") && includes(data, RANGE)) this.#findings.saw("hole repaired");
    else if (subject.startsWith("gw.") && includes(data, RESYNC)) {
      this.#findings.saw("lane out of step");
    } else if (subject.startsWith("hist.") && includes(data, LOOKUP)) {
      this.#findings.saw("id looked up in the archive");
    }
  }
}

const RANGE = Buffer.from('"op":"range"');
const RESYNC = Buffer.from('"resync"');
const LOOKUP = Buffer.from('"op":"lookup"');

function includes(data: Uint8Array, part: Buffer): boolean {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).includes(part);
}
