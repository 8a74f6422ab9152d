// FakeGateway: the other end of the WebSocket class that a test passes to Parley. It answers hello,
// join and history, numbers each id once, and can keep silent. A join delivers `tail`.

interface Handler {
  (event: { readonly data?: string; readonly code?: number }): void;
}
interface ClientFrame {
  readonly t: string;
  readonly ref?: number;
  readonly room?: string;
  readonly id?: string;
  readonly body?: object;
}

export class FakeGateway {
  /** False: sends and pages get no answer. */
  isAnswering = true;
  readonly received: ClientFrame[] = [];
  /** The ids of general, by number. */
  readonly ids: string[] = [];
  /** The last events of general. */
  tail: readonly object[] = [];
  readonly sockets: FakeSocket[] = [];

  /** A class for the option `webSocket`. */
  get webSocket(): typeof WebSocket {
    return socketsOf(this);
  }

  /** Ends every connection, as a crash of the server would. */
  cut(): void {
    for (const socket of this.sockets.splice(0)) socket.emit("close", { code: 1006 });
  }

  take(socket: FakeSocket, frame: ClientFrame): void {
    this.received.push(frame);
    const { t, ref, room, id } = frame;
    if (t === "hello") {
      const limits = { frameBytes: 65_536, bodyBytes: 16_384, unansweredSends: 64, rooms: 256 };
      socket.deliver({ t: "welcome", session: "s", user: "ada", at: 1, pingMs: 25_000, limits });
    }
    if (t === "join") {
      const head = this.ids.length;
      const born = this.ids[0] ?? "";
      socket.deliver({
        t: "joined",
        ref,
        room,
        born,
        head,
        from: head + 1 - this.tail.length,
        role: "member",
        here: 1,
      });
      for (const event of this.tail) socket.deliver(event);
      socket.deliver({ t: "caught-up", room, seq: head });
    }
    if (!this.isAnswering) return;
    if (t === "ping") socket.deliver({ t: "pong", ref, at: 1 });
    if (t === "history") socket.deliver({ t: "page", ref, room, events: [], more: false });
    if (t === "send" && id !== undefined) {
      if (!this.ids.includes(id)) this.ids.push(id);
      socket.deliver({ t: "ack", id, room, seq: this.ids.indexOf(id) + 1, at: 1 });
    }
  }
}

class FakeSocket {
  readonly readyState = 1;
  readonly #gateway: FakeGateway;
  readonly #handlers = new Map<string, Handler>();

  constructor(gateway: FakeGateway) {
    this.#gateway = gateway;
    gateway.sockets.push(this);
    queueMicrotask(() => this.emit("open"));
  }

  addEventListener(name: string, handler: Handler): void {
    this.#handlers.set(name, handler);
  }
  emit(name: string, event: Parameters<Handler>[0] = {}): void {
    this.#handlers.get(name)?.(event);
  }
  deliver(frame: object): void {
    queueMicrotask(() => this.emit("message", { data: JSON.stringify(frame) }));
  }
  send(text: string): void {
    this.#gateway.take(this, JSON.parse(text) as ClientFrame);
  }
  close(): void {
    this.#gateway.sockets.splice(this.#gateway.sockets.indexOf(this), 1);
  }
}

function socketsOf(gateway: FakeGateway): typeof WebSocket {
  return class extends FakeSocket {
    constructor() {
      super(gateway);
    }
  } as unknown as typeof WebSocket;
}
