// Chat: the shared code of the k6 scenarios: a gateway, tokens, ids, a session.
//
// k6 runs scenarios with thresholds. `make bench` measures a hundred thousand deliveries a second.
// Latencies here count from the send.

import http from "k6/http";
import { WebSocket } from "k6/websockets";
import { Counter, Trend } from "k6/metrics";

export const GATEWAY = (__ENV.GATEWAY || "http://localhost:8080").replace(/\/$/, "");
export const SECONDS = Number(__ENV.SECONDS || 20);
/** For larger machines: SCALE=5 multiplies every rate and number of clients by five. */
export const SCALE = Number(__ENV.SCALE || 1);

export const ackMs = new Trend("parley_ack_ms", true);
export const deliveryMs = new Trend("parley_delivery_ms", true);
export const joinMs = new Trend("parley_join_ms", true);
export const refused = new Counter("parley_refused");
export const gaps = new Counter("parley_gaps");
export const unanswered = new Counter("parley_unanswered");

/** Thresholds of every scenario. */
export const SOUND = {
  parley_refused: ["count==0"],
  parley_gaps: ["count==0"],
  parley_unanswered: ["count==0"],
  dropped_iterations: ["count==0"],
};

const HEADERS = { "content-type": "application/json" };
let tokens = {};

export function tokenFor(user) {
  if (tokens[user] === undefined) {
    const answer = http.post(`${GATEWAY}/v1/dev/token`, JSON.stringify({ user }), {
      headers: HEADERS,
    });
    tokens[user] = answer.json("token");
  }
  return tokens[user];
}

/** A UUIDv7: 48 bits of time, then random bits. */
export function newId() {
  const time = Date.now().toString(16).padStart(12, "0");
  const chance = () =>
    Math.floor(Math.random() * 0x10000)
      .toString(16)
      .padStart(4, "0");
  const variant = (0x8000 | Math.floor(Math.random() * 0x4000)).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${chance().slice(1)}-${variant}-${chance()}${chance()}${chance()}`;
}

/** One connection that has joined a room. It counts every gap in the sequence numbers. */
class Session {
  constructor({ user, room, tail = 0, after, onReady, onEvent }) {
    this.room = room;
    this.onReady = onReady;
    this.onEvent = onEvent;
    this.sentAt = new Map();
    this.last = undefined;
    this.startedAt = Date.now();
    const token = tokenFor(user);
    this.socket = new WebSocket(`${GATEWAY.replace(/^http/, "ws")}/v1/ws`, "parley.v1");
    this.socket.addEventListener("open", () => {
      const join = { t: "join", ref: 1, room, ...(after === undefined ? { tail } : { after }) };
      this.socket.send(`${JSON.stringify({ t: "hello", token })}\n${JSON.stringify(join)}`);
    });
    this.socket.addEventListener("message", ({ data }) => {
      for (const line of data.split("\n")) this.onFrame(JSON.parse(line));
    });
  }

  send(text) {
    const id = newId();
    this.sentAt.set(id, Date.now());
    const body = { text, at: Date.now() };
    this.socket.send(JSON.stringify({ t: "send", room: this.room, id, body }));
  }

  close() {
    unanswered.add(this.sentAt.size);
    this.socket.close();
  }

  onFrame(frame) {
    switch (frame.t) {
      case "joined":
        this.last = frame.from - 1;
        return;
      case "caught-up":
        joinMs.add(Date.now() - this.startedAt);
        if (this.onReady) this.onReady(this);
        return;
      case "msg":
        if (frame.seq !== this.last + 1) gaps.add(1);
        this.last = frame.seq;
        if (frame.body.at !== undefined && this.ready) deliveryMs.add(Date.now() - frame.body.at);
        if (this.onEvent) this.onEvent(frame);
        return;
      case "ack":
        ackMs.add(Date.now() - this.sentAt.get(frame.id));
        this.sentAt.delete(frame.id);
        return;
      case "error":
        refused.add(1, { name: frame.name });
        this.sentAt.delete(frame.id);
    }
  }
}

/** Opens a session, which passes received frames to the callbacks. */
export function openSession(options) {
  return new Session(options);
}
