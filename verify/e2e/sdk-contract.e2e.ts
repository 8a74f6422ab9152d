// The recorded scenarios of client/contract: each is recorded again on a real cluster and compared.
// `WRITE=1` writes them instead.
//
// A recording keeps the frames in their order. Values of one run (ids, refs, times, sessions)
// become names or fixed values. Presence is left out: it depends on the moment.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { SCENARIOS } from "#client/contract/scenario.ts";
import type { CallStep, Fields, Step } from "#client/contract/scenario.ts";
import { devToken } from "#client/sdk/dev-token.ts";
import { Parley } from "#client/sdk/parley.ts";
import type { RoomHandle } from "#client/sdk/room-handle.ts";
import { startCluster } from "#infra/embedded/cluster.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";
import { until } from "#shared/testing/wait.ts";

const AT = 1_795_974_709_000;
const IGNORED = new Set(["ping", "pong", "presence", "typing"]);
const send = (as: string, text: string, more: object = {}): CallStep => ({
  call: "send",
  as,
  room: "general",
  body: { text },
  ...more,
});

interface Recording {
  readonly what: string;
  /** `cut`: the connection is lost. */
  readonly calls: readonly (CallStep | "cut")[];
}

const RECORDINGS: Readonly<Record<string, Recording>> = {
  "recorded-send": {
    what: "A message gets its number, and arrives as an event.",
    calls: [send("m1", "hello"), send("m2", "and again", { replyTo: 1 })],
  },
  "recorded-resume": {
    what: "After a lost connection the client resumes behind its last event.",
    calls: [send("m1", "before"), "cut", send("m2", "after")],
  },
  "recorded-changes": {
    what: "Edits, reactions and a deletion are events of their own.",
    calls: [
      send("m1", "a typo"),
      { call: "edit", as: "c1", room: "general", target: 1, body: { text: "no typo" } },
      { call: "react", as: "c2", room: "general", target: 1, emoji: "👍", on: true },
      send("m2", "a reply", { thread: 1 }),
      { call: "delete", as: "c3", room: "general", target: 1 },
    ],
  },
  "recorded-history": {
    what: "A page has the events before a number.",
    calls: [
      ...["one", "two", "three"].map((text) => send(text, text)),
      { call: "history", as: "p1", room: "general", before: 3, limit: 2 },
      { call: "history", as: "p2", room: "general", limit: 2 },
    ],
  },
  "recorded-refusals": {
    what: "What the owner refuses is the outcome of the write.",
    calls: [
      { call: "edit", as: "c1", room: "general", target: 9, body: { text: "of nothing" } },
      send("m1", "a reply to nothing", { replyTo: 7 }),
    ],
  },
};

/** The global WebSocket, with every text of both directions. */
function recorded(onText: (from: "client" | "server", text: string) => void): {
  webSocket: typeof WebSocket;
  cut: () => void;
} {
  const opened: WebSocket[] = [];
  class RecordedSocket extends WebSocket {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols);
      opened.push(this);
      this.addEventListener("message", ({ data }) => onText("server", String(data)));
    }
    override send(data: string): void {
      onText("client", data);
      super.send(data);
    }
  }
  return { webSocket: RecordedSocket, cut: () => opened.at(-1)?.close() };
}

class Recorder {
  readonly steps: Step[] = [];
  readonly #names = new Map<unknown, string>();
  #isCut = false;

  call(step: CallStep): void {
    this.steps.push(step);
  }

  cut(): void {
    this.steps.push({ close: 1012 });
    this.#isCut = true;
  }

  take(from: "client" | "server", text: string): void {
    for (const line of text.split("\n")) {
      const frame = JSON.parse(line) as Fields & { t: string };
      if (IGNORED.has(frame.t)) continue;
      if (frame.t === "hello") this.#isCut = false;
      if (this.#isCut) continue; // An answer to the lost connection.
      if (from === "client") this.steps.push({ expect: this.#named(frame) });
      else {
        this.steps.push({ frame: this.#named(frame) });
        const { t, room, seq } = frame;
        if ("id" in frame && "from" in frame) this.steps.push({ event: { t, room, seq } });
      }
    }
  }

  /** A known value of one run becomes its name. */
  #named(frame: Fields): Fields {
    const fields = frame["t"] === "hello" ? { t: "hello" } : frame;
    return JSON.parse(JSON.stringify(fields), (key, value: unknown) => {
      if (key === "id" || key === "born") return value === "" ? "" : this.#name(value, "id");
      if (key === "ref") return this.#name(`ref ${String(value)}`, "ref");
      if (key === "session") return "s1";
      return key === "at" ? AT : value;
    }) as Fields;
  }

  #name(value: unknown, kind: string): string {
    const name = this.#names.get(value) ?? `$${kind}${this.#names.size + 1}`;
    this.#names.set(value, name);
    return name;
  }
}

describe("The recorded contract of an SDK", function () {
  this.timeout(180_000);

  let cluster: Cluster;
  const dataDir = mkdtempSync(join(tmpdir(), "parley-contract-"));

  before(async () => {
    cluster = await startCluster({ dataDir, port: 0, partitions: 4, say: () => undefined });
  });
  after(async () => {
    await cluster.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  for (const [name, { what, calls }] of Object.entries(RECORDINGS)) {
    it(`${name}: ${what}`, async () => {
      const room = name;
      const recorder = new Recorder();
      const { webSocket, cut } = recorded((from, text) =>
        recorder.take(from, text.replaceAll(`"${room}"`, '"general"')),
      );
      const url = `${cluster.url.replace("http", "ws")}/v1/ws`;
      const parley = new Parley({ url, token: () => devToken(cluster.url, "ada"), webSocket });
      const handle = parley.join(room);
      recorder.call({ call: "join", room: "general" });
      recorder.call({ call: "connect" });
      parley.connect();
      await handle.live();
      for (const call of calls) {
        if (call === "cut") {
          recorder.cut();
          cut();
          await until(() => handle.status !== "live", { withinMs: 20_000, what: "the loss" });
          await handle.live();
        } else {
          recorder.call(call);
          recorder.steps.push(await outcomeOf(handle, call));
        }
      }
      parley.close();
      const steps = inOrder(recorder.steps);
      const file = new URL(`${name}.json`, SCENARIOS);
      const lines = steps.map((step) => `    ${JSON.stringify(step)}`);
      const text = `{\n  "what": ${JSON.stringify(what)},\n  "steps": [\n${lines.join(",\n")}\n  ]\n}\n`;
      if (process.env["WRITE"] === "1") writeFileSync(file, text);
      const stored = JSON.parse(readFileSync(file, "utf8")) as { steps: Step[] };
      expect(steps, "run this test with WRITE=1 and commit the result").to.deep.equal(stored.steps);
    });
  }
});

async function outcomeOf(room: RoomHandle, call: CallStep): Promise<Step> {
  const { as = "", body = { text: "" }, target = 0, emoji = "", on, limit = 1, ...rest } = call;
  if (call.call === "history") {
    const { before } = rest;
    const range = before === undefined ? { limit } : { limit, before };
    const { events, more } = await room.history(range);
    return { page: as, seqs: events.map(({ seq }) => seq), more } as Step;
  }
  const outgoing =
    call.call === "edit"
      ? room.edit(target, body)
      : call.call === "react"
        ? room.react(target, emoji, on)
        : call.call === "delete"
          ? room.delete(target)
          : room.send(body, rest);
  const result = await outgoing.done;
  if (result.kind === "refused")
    return { result: as, kind: "refused", error: result.error } as Step;
  const isDelivered = (): boolean => room.completeThrough >= result.seq;
  await until(isDelivered, { withinMs: 20_000, what: "the own event" });
  return { result: as, kind: "acked", seq: result.seq } as Step;
}

/** The ack and the event of a write come in any order: the recording has the ack first. */
function inOrder(steps: readonly Step[]): readonly Step[] {
  const ordered = [...steps];
  for (const [index, step] of ordered.entries()) {
    const isAck = "frame" in step && step.frame["t"] === "ack";
    const before = ordered.slice(0, index).findLastIndex((one) => "expect" in one);
    if (!isAck || before < 0) continue;
    ordered.splice(index, 1);
    ordered.splice(before + 1, 0, step);
  }
  return ordered;
}
