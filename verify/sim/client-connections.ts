// Lines: the sockets between people and gateways: who gets which gateway, and what is watched on them.
//
// Owns: the choice of a gateway, the number of a connection, the tap on each, the bounds (I12). Does
// not own: what happens to a socket (fault-injector.ts), what is said on it.

import type { HistoryRecord } from "../checker/record.ts";
import type { Cluster } from "./cluster.ts";
import type { Findings } from "./findings.ts";
import type { Net, NetOptions } from "./broker.ts";
import type { Options } from "./options.ts";
import type { Person } from "./user.ts";
import { Pipe } from "./pipe.ts";
import { BYTE_WEIGHT, Socket } from "./socket.ts";
import { WireTap } from "./connection-checker.ts";

export interface LinesOptions {
  readonly options: Options;
  readonly net: Net;
  readonly cluster: Cluster;
  readonly findings: Findings;
  readonly records: HistoryRecord[];
}

/** Where a socket stops being live (gateway's SOCKET_HIGH_BYTES), written down a second time. */
const HIGH_BYTES = 256 * 1_024;
/** The gateway's bounds of unanswered commands in a lane and of its rings, likewise. */
const LANE_COMMANDS = 4_096 + 1_024;
const RING_BYTES = 64 * 1_024 * 1_024;
const BOUNDS_LOOK_MS = 250;
const HARD_BYTES = 16 * 1_024 * 1_024;
const FRAME_BYTES = 512 * 1_024 * BYTE_WEIGHT;

export class Lines {
  readonly #options: LinesOptions;
  readonly #net: NetOptions;
  #sockets = 0;

  constructor(options: LinesOptions) {
    this.#options = options;
    this.#net = options.net.options;
  }

  connect(person: Person): { socket: Socket; tap: WireTap } {
    const { scheduler, dice, trace } = this.#net;
    const member = dice.pick(
      this.#options.cluster.of("gateway").filter(({ isLeaving }) => !isLeaving),
    );
    const tap = new WireTap({
      now: () => scheduler.now,
      findings: this.#options.findings,
      records: this.#options.records,
      client: person.user,
      conn: ++this.#sockets,
      gateway: member?.process.id ?? "none",
    });
    let wasFull = false;
    const socket = new Socket({
      number: this.#sockets,
      scheduler,
      dice,
      trace,
      up: new Pipe(this.#net),
      down: new Pipe(this.#net),
      client: person.process,
      gateway: member?.process,
      accept: (client) => {
        if (member?.gateway === undefined) throw new Error("a socket without a gateway");
        return member.gateway.accept(client);
      },
      watch: {
        onSent: (text) => tap.onSent(text),
        onReceived: (text) => tap.onReceived(text),
        onEnded: (code) => tap.onEnded(code),
        onBuffered: (bytes) => {
          if (bytes > HARD_BYTES + FRAME_BYTES) {
            this.#options.findings.broken("I12", `${bytes} bytes wait for one socket`);
          }
          if (bytes > HIGH_BYTES * 2 && !wasFull) this.#options.findings.saw("slow reader demoted");
          wasFull ||= bytes > HIGH_BYTES * 2;
        },
      },
    });
    return { socket, tap };
  }

  /** I12: what a process holds for others stays within its bounds. */
  watchBounds(): void {
    this.#net.scheduler.after(BOUNDS_LOOK_MS, () => {
      for (const { process, gateway } of this.#options.cluster.of("gateway")) {
        const { unanswered = 0, ringBytes = 0 } = gateway?.gauges ?? {};
        const isBounded =
          unanswered <= LANE_COMMANDS * this.#options.options.partitions && ringBytes <= RING_BYTES;
        if (isBounded) continue;
        const held = `${unanswered} commands and ${ringBytes} bytes`;
        this.#options.findings.broken("I12", `${process.id} holds ${held}`);
      }
      this.watchBounds();
    });
  }
}
