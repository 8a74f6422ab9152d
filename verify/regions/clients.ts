// Clients: what the clients of the region drill do. It runs as a process in one namespace.
//
//   clients.1. Every client sends one message in each period, whatever the servers do, and sends it
//        again until it is acknowledged.
//   clients.2. A client whose connection is silent for as long as the SDK allows connects to the
//        next URL of its list. Half of the clients are SDKs, the others are wire clients.
//   clients.3. All records are in the file before the process exits.

import { closeSync, openSync, writeSync } from "node:fs";
import { ANSWER_SILENCE_MS } from "#client/sdk/core/bounds.ts";
import type { RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import { runNow } from "../chaos/run-clock.ts";
import { encodeRecord } from "../checker/record.ts";
import type { HistoryRecord } from "../checker/record.ts";
import { ResendingClient } from "../wire-client/resending-client.ts";
import { inTurn } from "../wire-client/wire-client-options.ts";
import type { Endpoint } from "../wire-client/wire-client-options.ts";
import { SdkClient } from "./sdk-client.ts";

export interface ClientsOptions {
  readonly clients: readonly {
    readonly user: UserId;
    readonly token: string;
    readonly room: RoomId;
    readonly isSdk: boolean;
  }[];
  /** In the order in which a client tries them. The name of an endpoint is its region. */
  readonly endpoints: readonly Endpoint[];
  /** One message of each client. */
  readonly periodMs: number;
  /** The records. */
  readonly file: string;
}

export type ClientsCommand =
  | { readonly kind: "open"; readonly options: ClientsOptions }
  /** No new messages. */
  | { readonly kind: "finish" }
  | { readonly kind: "close" };

export interface ClientsState {
  readonly acked: number;
  /** Messages without an acknowledgement. */
  readonly pending: number;
  readonly isJoined: boolean;
  /** Of each client: its last acknowledgement, and the endpoint of its connection then. */
  readonly backs: readonly { readonly at: number; readonly via: string }[];
  /** Of each client: its last received event. */
  readonly seen: readonly (readonly [RoomId, Seq])[];
  readonly surprises: readonly string[];
}

const REPORT_EVERY_MS = 100;
const FLUSH_EVERY_MS = 50;
const SURPRISES_MAX = 20;
const OUTBOX = {
  inFlightMax: 60, // The protocol allows 64. The margin is for answers under way.
  sizeMax: 1_000,
  oldIdEvery: 0,
  repeatableMax: 1,
} as const;

interface Opening {
  readonly user: UserId;
  readonly token: string;
  readonly room: RoomId;
  readonly endpoints: readonly Endpoint[];
  readonly onAck: (via: string) => void;
}

let group: Clients | undefined;
process.on("message", (command: ClientsCommand) => {
  if (command.kind === "open") group = new Clients(command.options);
  if (command.kind === "finish") group?.finish();
  if (command.kind !== "close") return;
  group?.close();
  // The channel to the drill would keep the process running.
  process.exit(0);
});
process.on("disconnect", () => process.exit(1)); // The drill exited.

/** What the drill needs of a client of either kind. */
interface DrillClient {
  readonly pending: number;
  readonly isJoined: boolean;
  readonly seen: Seq;
  send(text: string): void;
  close(): void;
}

class Clients {
  readonly #clients: DrillClient[] = [];
  readonly #backs: { at: number; via: string }[] = [];
  readonly #rooms: readonly RoomId[];
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #sending: NodeJS.Timeout[] = [];
  readonly #surprises: string[] = [];
  readonly #file: number;
  #lines: string[] = [];
  #acked = 0;
  #sent = 0;

  constructor({ clients, endpoints, periodMs, file }: ClientsOptions) {
    this.#file = openSync(file, "a");
    this.#rooms = clients.map(({ room }) => room);
    for (const [index, client] of clients.entries()) {
      const back = { at: 0, via: "" };
      this.#backs.push(back);
      const onAck = (via: string): void => {
        this.#acked++;
        back.at = runNow();
        back.via = via;
      };
      const { user } = client;
      const open = client.isSdk ? this.#openSdk : this.#openWire;
      const opened = open({ ...client, endpoints, onAck });
      this.#clients.push(opened);
      const send = (): void => opened.send(`message ${++this.#sent} of ${user}`);
      const start = (): void => void this.#sending.push(setInterval(send, periodMs)); // clients.1
      this.#sending.push(setTimeout(start, (index * periodMs) / clients.length));
    }
    this.#timers.push(setInterval(() => this.#flush(), FLUSH_EVERY_MS));
    this.#timers.push(setInterval(() => process.send?.(this.#state()), REPORT_EVERY_MS));
  }

  finish(): void {
    for (const timer of this.#sending) clearInterval(timer);
  }

  close(): void {
    this.finish();
    for (const timer of this.#timers) clearInterval(timer);
    for (const client of this.#clients) client.close();
    this.#flush();
    closeSync(this.#file);
  }

  readonly #openWire = ({ user, token, room, endpoints, onAck }: Opening): DrillClient => {
    let via = "";
    const client = new ResendingClient({
      user,
      token,
      endpoint: inTurn(endpoints),
      rooms: [{ room }],
      silenceMs: ANSWER_SILENCE_MS, // clients.2
      now: runNow,
      outbox: OUTBOX,
      hooks: {
        onRecord: (record) => {
          if (record.op === "open") via = record.via;
          this.#onRecord(record);
        },
        onAck: () => onAck(via),
        onSurprise: this.#onSurprise,
      },
    });
    const { wire } = client;
    wire.connect();
    return {
      get pending() {
        return client.pending;
      },
      get isJoined() {
        return wire.isJoined;
      },
      get seen() {
        return wire.seen(room);
      },
      send: (text) => client.send(room, { text }),
      close: () => wire.terminate(),
    };
  };

  readonly #openSdk = (opening: Opening): DrillClient => {
    const [onRecord, onSurprise] = [this.#onRecord, this.#onSurprise];
    const client = new SdkClient({ ...opening, now: runNow, onRecord, onSurprise });
    client.connect();
    return client;
  };

  readonly #onRecord = (record: HistoryRecord): void => {
    this.#lines.push(`${encodeRecord(record)}\n`);
  };

  readonly #onSurprise = (what: string): void => {
    if (this.#surprises.length < SURPRISES_MAX) this.#surprises.push(what);
  };

  #state(): ClientsState {
    return {
      acked: this.#acked,
      pending: this.#clients.reduce((sum, { pending }) => sum + pending, 0),
      isJoined: this.#clients.every(({ isJoined }) => isJoined),
      backs: this.#backs,
      seen: this.#clients.map(({ seen }, index) => [this.#rooms[index] as RoomId, seen]),
      surprises: this.#surprises,
    };
  }

  #flush(): void {
    if (this.#lines.length === 0) return;
    writeSync(this.#file, this.#lines.splice(0).join(""));
  }
}
