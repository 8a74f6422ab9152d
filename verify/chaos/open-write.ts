// OpenWrite: the one write of a client that has no final answer yet.
//
// Owns: its id, and when it is sent again. Does not own: the client, and what follows from an
// answer (closed-room.ts).
//
//   open-write.1. A write keeps its id until it is acknowledged, or until the room decides against
//        it.

import { systemRandom } from "#shared/adapters/clock-system.ts";
import { uuidv7 } from "#shared/kit/uuid.ts";
import type { MessageId, RoomId, Seq } from "#shared/protocol/ids.ts";
import type { WireClientHooks } from "../wire-client/wire-client-options.ts";
import type { WireClient } from "../wire-client/wire-client.ts";

export interface WriteTerms {
  readonly onAcked?: (seq: Seq) => void;
  /** The number of the events that follow the first one. */
  readonly more?: number;
  /** The room may decide against it. */
  readonly mayBeRefused?: boolean;
}

interface Write extends WriteTerms {
  readonly frame: object;
  readonly id: MessageId;
  isInFlight: boolean;
  notBefore: number;
}

export class OpenWrite {
  readonly #room: RoomId;
  #write: Write | undefined;

  constructor(room: RoomId) {
    this.#room = room;
  }

  get isOpen(): boolean {
    return this.#write !== undefined;
  }

  /** For the client that sends the write. */
  get hooks(): Pick<WireClientHooks, "onAck" | "onRefused" | "onLost"> {
    return {
      onAck: (_, id, seq) => this.#onAck(id, seq),
      onRefused: ({ id, afterMs, isFinal }) => {
        if (isFinal && this.#write?.id === id) this.#write = undefined;
        else this.#again(id, performance.now() + afterMs);
      },
      onLost: (ids) => ids.forEach((id) => this.#again(id, 0)),
    };
  }

  /** Returns the id of the write. */
  begin(frame: object, terms: WriteTerms = {}): MessageId {
    const id = uuidv7(Date.now(), systemRandom);
    this.#write = { ...terms, frame, id, isInFlight: false, notBefore: 0 };
    return id;
  }

  /** Sends the write when it is due. */
  pump(client: WireClient, now: number): void {
    const write = this.#write;
    if (write === undefined || write.isInFlight || write.notBefore > now) return;
    if (!client.isWelcome) return;
    write.isInFlight = true;
    const { frame, id, more, mayBeRefused = false } = write;
    const further = more !== undefined && { more };
    client.change({ ...frame, room: this.#room, id, mayBeRefused, ...further });
  }

  #onAck(id: MessageId, seq: Seq): void {
    const write = this.#write;
    if (write?.id !== id) return;
    this.#write = undefined;
    write.onAcked?.(seq);
  }

  #again(id: MessageId, notBefore: number): void {
    if (this.#write?.id !== id) return;
    this.#write.isInFlight = false;
    this.#write.notBefore = notBefore;
  }
}
