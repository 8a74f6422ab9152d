// SdkClient: one client of the region drill that uses the SDK, with a list of addresses.
//
// Owns: the SDK, and the records of its sockets. Does not own: which messages to send and when
// (clients.ts).
//
//   sdk-client.1. The records have what crossed the wire, not what the SDK made of it. A socket
//        that the SDK has dropped adds no record.

import { Parley } from "#client/sdk/parley.ts";
import type { RoomHandle } from "#client/sdk/room-handle.ts";
import type { RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import type { HistoryRecord } from "../checker/record.ts";
import { ConnectionChecker } from "../sim/connection-checker.ts";
import { Findings } from "../sim/findings.ts";
import type { Endpoint } from "../wire-client/wire-client-options.ts";

export interface SdkClientOptions {
  readonly user: UserId;
  readonly token: string;
  readonly room: RoomId;
  readonly endpoints: readonly Endpoint[];
  readonly now: () => number;
  readonly onRecord: (record: HistoryRecord) => void;
  /** `via`: the name of the endpoint that answered. */
  readonly onAck: (via: string) => void;
  readonly onSurprise: (what: string) => void;
}

/** The close code of a connection that was lost without a closing handshake. */
const LOST_CODE = 1006;

export class SdkClient {
  readonly #options: SdkClientOptions;
  readonly #parley: Parley;
  readonly #room: RoomHandle;
  readonly #findings = new Findings();
  #conns = 0;
  #via = "";
  #pending = 0;

  constructor(options: SdkClientOptions) {
    const { token, room, endpoints, onSurprise } = options;
    this.#options = options;
    this.#parley = new Parley({
      url: endpoints.map(({ url }) => url),
      token,
      webSocket: this.#recordedSocket(),
    });
    this.#parley.on("error", (fault) => onSurprise(JSON.stringify(fault)));
    this.#room = this.#parley.join(room, { after: 0 });
  }

  connect(): void {
    this.#parley.connect();
  }

  send(text: string): void {
    this.#pending++;
    void this.#room.send({ text }).done.then((result) => {
      this.#pending--;
      if (result.kind === "acked") this.#options.onAck(this.#via);
      else this.#options.onSurprise(JSON.stringify(result));
    });
  }

  /** Messages without an outcome. */
  get pending(): number {
    return this.#pending;
  }

  get isJoined(): boolean {
    return this.#room.status === "live";
  }

  get seen(): Seq {
    return this.#room.completeThrough;
  }

  close(): void {
    this.#parley.close();
    for (const { detail } of this.#findings.list.splice(0)) this.#options.onSurprise(detail);
  }

  /** A WebSocket class whose frames are recorded before the SDK handles them. */
  #recordedSocket(): typeof WebSocket {
    const open = (url: string): ConnectionChecker => {
      const { user, now, onRecord, endpoints } = this.#options;
      const gateway = endpoints.find((endpoint) => endpoint.url === url)?.name ?? url;
      this.#via = gateway;
      const records = { push: onRecord };
      const conn = ++this.#conns;
      return new ConnectionChecker({
        now,
        findings: this.#findings,
        records,
        client: user,
        conn,
        gateway,
      });
    };
    return class RecordedSocket extends WebSocket {
      readonly #checker: ConnectionChecker;
      #isDropped = false;

      constructor(url: string | URL, protocols?: string | string[]) {
        super(url, protocols);
        this.#checker = open(String(url));
        this.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
          if (!this.#isDropped && typeof data === "string") this.#checker.onReceived(data);
        });
        this.addEventListener("close", ({ code }) => this.#end(code));
      }

      override send(text: string): void {
        this.#checker.onSent(text);
        super.send(text);
      }

      override close(): void {
        this.#end(LOST_CODE); // sdk-client.1
        super.close();
      }

      #end(code: number): void {
        if (!this.#isDropped) this.#checker.onEnded(code);
        this.#isDropped = true;
      }
    };
  }
}
