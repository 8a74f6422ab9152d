// ClientConnections: opens a socket from a client to a gateway and attaches a checker to it.
//
// Owns: the choice of the gateway, connection numbers, the check of memory bounds (I12). Does not
// own: faults of sockets (fault-injector.ts), the content of frames (connection-checker.ts).

import type { HistoryRecord } from "../checker/record.ts";
import type { SimulatedCluster } from "./cluster.ts";
import type { Findings } from "./findings.ts";
import type { SimulatedBroker, BrokerOptions } from "./broker.ts";
import type { Options } from "./options.ts";
import type { SimulatedUser } from "./user.ts";
import { Pipe } from "./pipe.ts";
import { BYTE_WEIGHT, SimulatedSocket } from "./socket.ts";
import { ConnectionChecker } from "./connection-checker.ts";

export interface ClientConnectionsOptions {
  readonly options: Options;
  readonly broker: SimulatedBroker;
  readonly cluster: SimulatedCluster;
  readonly findings: Findings;
  readonly records: HistoryRecord[];
}

/** The gateway's SOCKET_HIGH_BYTES, stated independently: above it a socket is no longer live. */
const HIGH_BYTES = 256 * 1_024;
/** The gateway's bounds of the unanswered commands of a lane and of its rings, also independent. */
const LANE_COMMANDS = 4_096 + 1_024;
const RING_BYTES = 64 * 1_024 * 1_024;
const BOUNDS_CHECK_MS = 250;
const HARD_BYTES = 16 * 1_024 * 1_024;
const FRAME_BYTES = 512 * 1_024 * BYTE_WEIGHT;

export class ClientConnections {
  readonly #options: ClientConnectionsOptions;
  readonly #parts: BrokerOptions;
  #sockets = 0;

  constructor(options: ClientConnectionsOptions) {
    this.#options = options;
    this.#parts = options.broker.options;
  }

  connect(user: SimulatedUser): { socket: SimulatedSocket; checker: ConnectionChecker } {
    const { scheduler, rng, trace } = this.#parts;
    const service = rng.pick(
      this.#options.cluster.of("gateway").filter(({ isLeaving }) => !isLeaving),
    );
    const checker = new ConnectionChecker({
      now: () => scheduler.now,
      findings: this.#options.findings,
      records: this.#options.records,
      client: user.id,
      conn: ++this.#sockets,
      gateway: service?.process.id ?? "none",
    });
    let wasFull = false;
    const socket = new SimulatedSocket({
      number: this.#sockets,
      scheduler,
      rng,
      trace,
      up: new Pipe(this.#parts),
      down: new Pipe(this.#parts),
      client: user.process,
      gateway: service?.process,
      accept: (client) => {
        if (service?.gateway === undefined)
          throw new Error("the socket has no gateway, but a connection was accepted");
        return service.gateway.accept(client);
      },
      observer: {
        onSent: (text) => checker.onSent(text),
        onReceived: (text) => checker.onReceived(text),
        onEnded: (code) => checker.onEnded(code),
        onBuffered: (bytes) => {
          if (bytes > HARD_BYTES + FRAME_BYTES) {
            this.#options.findings.violation("I12", `${bytes} bytes are buffered for one socket`);
          }
          if (bytes > HIGH_BYTES * 2 && !wasFull)
            this.#options.findings.count("slow reader demoted");
          wasFull ||= bytes > HIGH_BYTES * 2;
        },
      },
    });
    return { socket, checker };
  }

  /** I12: the gauges of every gateway stay within the bounds. */
  watchBounds(): void {
    this.#parts.scheduler.after(BOUNDS_CHECK_MS, () => {
      for (const { process, gateway } of this.#options.cluster.of("gateway")) {
        const { unanswered = 0, ringBytes = 0 } = gateway?.gauges ?? {};
        const isBounded =
          unanswered <= LANE_COMMANDS * this.#options.cluster.partitions && ringBytes <= RING_BYTES;
        if (isBounded) continue;
        const held = `${unanswered} commands and ${ringBytes} bytes`;
        this.#options.findings.violation("I12", `${process.id} holds ${held}`);
      }
      this.watchBounds();
    });
  }
}
