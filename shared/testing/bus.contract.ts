// Bus contract: the behaviour of every Bus: in memory, simulated, and on a real NATS server.

import { expect } from "chai";
import type { Bus, BusMessage, BusStatus } from "../ports/bus.ts";
import { BUS_PAYLOAD_BYTES_MAX } from "../protocol/limits.ts";
import { until, within } from "./wait.ts";

/** One broker; a test opens the connections that it needs. */
export interface BusBench extends AsyncDisposable {
  connect(): Promise<Bus>;
  /** Cuts all connections; resolves when each of them reports it. */
  cut(): Promise<void>;
  /** Allows reconnects; resolves when each connection is back. */
  heal(): Promise<void>;
}

/** Far longer than any step here takes, so that a slow machine fails no test. */
const SOON = 5_000;

export function busContract(name: string, open: () => Promise<BusBench>): void {
  describe(`Bus contract: ${name}`, () => {
    deliveryContract(open);
    requestContract(open);
    connectionContract(open);
  });
}

function deliveryContract(open: () => Promise<BusBench>): void {
  it("ports/bus.2: delivers one subject in publish order, to each subscriber", async () => {
    await using bench = await open();
    const [publisher, first, second] = [
      await bench.connect(),
      await bench.connect(),
      await bench.connect(),
    ];
    const seen = [await collect(first, "room.7"), await collect(second, "room.7")];
    const sent = Array.from({ length: 2_000 }, (_, i) => `message ${i}`);
    for (const text of sent) publisher.publish("room.7", text);
    for (const texts of seen) {
      await until(() => texts.length >= sent.length, { withinMs: SOON, what: "all messages" });
      expect(texts.map(textOf)).to.deep.equal(sent);
    }
  });

  it("ports/bus.2: payloads arrive unchanged, and stay unchanged while they are kept", async () => {
    await using bench = await open();
    const [publisher, subscriber] = [await bench.connect(), await bench.connect()];
    const seen = await collect(subscriber, "bytes");
    // Around the size of a socket's chunk, and several chunks long.
    const sizes = [0, 1, 255, 65_535, 65_536, 65_537, 300_000, 1, 200_000];
    const sent = sizes.map((size, n) => Uint8Array.from({ length: size }, (_, i) => (i + n) % 256));
    for (const bytes of sent) publisher.publish("bytes", bytes);
    await until(() => seen.length === sent.length, { withinMs: SOON, what: "all payloads" });
    for (const [n, bytes] of sent.entries()) {
      expect(Buffer.compare(seen[n]!.data, bytes), `payload ${n}`).to.equal(0);
    }
  });

  it("ports/bus.7: delivers the largest payload; refuses and counts one byte more", async () => {
    await using bench = await open();
    const [publisher, subscriber] = [await bench.connect(), await bench.connect()];
    const seen = await collect(subscriber, "large");
    const max = BUS_PAYLOAD_BYTES_MAX;
    const outcomes = [
      publisher.publish("large", new Uint8Array(max + 1)),
      publisher.publish("large", "x".repeat(max + 1)),
      publisher.publish("large", "é".repeat(max / 2 + 1)),
      publisher.publish("large", new Uint8Array(max)),
      publisher.publish("large", "é".repeat(max / 2)),
      publisher.publish("large", "after"),
    ];
    const refused = ["too-large", "too-large", "too-large"];
    expect(outcomes).to.deep.equal([...refused, "sent", "sent", "sent"]);
    await until(() => seen.length === 3, { withinMs: SOON, what: "the accepted messages" });
    expect(seen.map(({ data }) => data.length)).to.deep.equal([max, max, 5]);
    expect(publisher.counts).to.include({ tooLarge: 3, dropped: 0 });
    expect(publisher.status).to.equal("connected");
  });

  it("ports/bus.7: a request that is too large resolves at once, and nothing is sent", async () => {
    await using bench = await open();
    const [bus, service] = [await bench.connect(), await bench.connect()];
    const received = await collect(service, "large");
    const payload = "x".repeat(BUS_PAYLOAD_BYTES_MAX + 1);
    const outcome = bus.request("large", payload, { timeoutMs: 600_000 });
    expect(await within(outcome, { withinMs: SOON, what: "the refusal" })).to.deep.equal({
      kind: "too-large",
    });
    await settled(bus, [service]);
    expect(received).to.deep.equal([]);
    expect(bus.counts.tooLarge).to.equal(1);
  });

  it("ports/bus.2: a subscriber of a wildcard receives the subjects, and strings as UTF-8", async () => {
    await using bench = await open();
    const bus = await bench.connect();
    const [one, rest] = [await collect(bus, "a.*"), await collect(bus, "a.>")];
    for (const subject of ["a", "a.b", "a.b.c", "b.a"]) bus.publish(subject, "häppchen 🎉", "r");
    await bus.flush();
    await until(() => rest.length === 2, { withinMs: SOON, what: "both subjects" });
    expect(one.map((message) => message.subject)).to.deep.equal(["a.b"]);
    expect(rest.map((message) => message.subject)).to.deep.equal(["a.b", "a.b.c"]);
    expect(rest.map(textOf)).to.deep.equal(["häppchen 🎉", "häppchen 🎉"]);
    expect(rest.map((message) => message.reply)).to.deep.equal(["r", "r"]);
  });

  it("ports/bus.3: exactly one member of a queue group gets each message; other subscribers get all", async () => {
    await using bench = await open();
    const publisher = await bench.connect();
    const members = [await bench.connect(), await bench.connect(), await bench.connect()];
    const shares = await Promise.all(members.map((bus) => collect(bus, "work", "group")));
    const all = await collect(await bench.connect(), "work");
    const sent = Array.from({ length: 300 }, (_, i) => String(i));
    for (const text of sent) publisher.publish("work", text);
    const count = (): number => shares.reduce((sum, share) => sum + share.length, 0);
    await until(() => count() >= sent.length && all.length >= sent.length, {
      withinMs: SOON,
      what: "all work",
    });
    await settled(publisher, members);
    expect(shares.flat().map(textOf).sort()).to.deep.equal(sent.toSorted());
    expect(all.map(textOf)).to.deep.equal(sent);
    // Each member's share is in order, also when it is not the whole.
    for (const share of shares) {
      const numbers = share.map((message) => Number(textOf(message)));
      expect(numbers).to.deep.equal(numbers.toSorted((a, b) => a - b));
    }
  });

  it("ports/bus.6: delivers nothing after unsubscribe, also when a handler unsubscribes", async () => {
    await using bench = await open();
    const [publisher, subscriber] = [await bench.connect(), await bench.connect()];
    let calls = 0;
    const subscription = subscriber.subscribe("once", () => {
      calls++;
      subscription.unsubscribe();
    });
    await subscriber.flush();
    for (let i = 0; i < 100; i++) publisher.publish("once", "x");
    await settled(publisher, [subscriber]);
    expect(calls).to.equal(1);
  });

  it("ports/bus.8: a drain loses no request that the server gave to this subscriber", async () => {
    await using bench = await open();
    const [client, other, bus] = [
      await bench.connect(),
      await bench.connect(),
      await bench.connect(),
    ];
    const group = { queue: "group" };
    const answerWith = (by: Bus, text: string) => (message: BusMessage) =>
      void by.publish(message.reply ?? "", text);
    other.subscribe("drained", answerWith(other, "staying"), group);
    const answers: Promise<string>[] = [];
    const ask = (): void => {
      const answer = client.request("drained", "x", { timeoutMs: SOON });
      answers.push(answer.then((of) => (of.kind === "ok" ? decode(of.data) : of.kind)));
    };
    let late = 0;
    for (let round = 0; round < 20; round++) {
      let isDrained = false;
      const answer = answerWith(bus, "leaving");
      const leaving = bus.subscribe(
        "drained",
        (message) => {
          if (isDrained) late++;
          answer(message);
        },
        group,
      );
      await Promise.all([bus.flush(), other.flush()]);
      for (let i = 0; i < 50; i++) ask();
      // The server has given these requests to subscribers, and some are on their way.
      await client.flush();
      const drained = leaving.drain().then(() => (isDrained = true));
      for (let i = 0; i < 50; i++) ask();
      await drained;
    }
    expect(new Set(await Promise.all(answers))).to.deep.equal(new Set(["leaving", "staying"]));
    expect(late).to.equal(0);
  });

  it("ports/bus.8: a drain ends while there is no connection, and again after it ended", async () => {
    await using bench = await open();
    const bus = await bench.connect();
    const [first, second] = [bus.subscribe("a", () => {}), bus.subscribe("b", () => {})];
    await bus.flush();
    await first.drain();
    await within(first.drain(), { withinMs: SOON, what: "the second drain" });
    await bench.cut();
    await within(second.drain(), { withinMs: SOON, what: "the drain without a connection" });
    await bench.heal();
  });

  it("ports/bus.2: a handler that throws loses only its own message", async () => {
    await using bench = await open();
    const [publisher, subscriber] = [await bench.connect(), await bench.connect()];
    const seen: string[] = [];
    subscriber.subscribe("fragile", (message) => {
      const text = textOf(message);
      if (text === "bad") throw new Error("planted by the test");
      seen.push(text);
    });
    const other = await collect(subscriber, "other");
    for (const text of ["a", "bad", "b"]) publisher.publish("fragile", text);
    publisher.publish("other", "still here");
    await until(() => other.length === 1, { withinMs: SOON, what: "the message after the throw" });
    expect(seen).to.deep.equal(["a", "b"]);
  });
}

function requestContract(open: () => Promise<BusBench>): void {
  it("ports/bus.4: answers a publish with reply to a subject without subscribers, naming the subject", async () => {
    await using bench = await open();
    const bus = await bench.connect();
    const answers = await collect(bus, "my.answers");
    bus.publish("unserved.one", "x", "my.answers");
    bus.publish("unserved.two", "x", "my.answers");
    bus.publish("unserved.three", "x");
    await until(() => answers.length === 2, { withinMs: SOON, what: "both refusals" });
    await bus.flush();
    expect(answers.map((answer) => answer.noResponders)).to.deep.equal([
      "unserved.one",
      "unserved.two",
    ]);
    expect(answers.map((answer) => answer.data.length)).to.deep.equal([0, 0]);
  });

  it("ports/bus.4: an empty answer is not a refusal", async () => {
    await using bench = await open();
    const [bus, service] = [await bench.connect(), await bench.connect()];
    const answers = await collect(bus, "my.answers");
    service.subscribe("echo", (message) => service.publish(message.reply ?? "", message.data));
    await service.flush();
    bus.publish("echo", "", "my.answers");
    await until(() => answers.length === 1, { withinMs: SOON, what: "the empty answer" });
    expect(answers[0]).not.to.have.property("noResponders");
  });

  it("ports/bus.4: request distinguishes an answer, no responders, and a timeout", async () => {
    await using bench = await open();
    const [bus, service] = [await bench.connect(), await bench.connect()];
    service.subscribe("upper", (message) => {
      service.publish(message.reply ?? "", textOf(message).toUpperCase());
    });
    service.subscribe("silence", () => {});
    await service.flush();
    const answers = await Promise.all(
      ["a", "b", "c"].map((text) => bus.request("upper", text, { timeoutMs: SOON })),
    );
    expect(answers.map((answer) => answer.kind === "ok" && decode(answer.data))).to.deep.equal([
      "A",
      "B",
      "C",
    ]);
    expect(await bus.request("no-responders", "", { timeoutMs: SOON })).to.deep.equal({
      kind: "no-responders",
    });
    expect(await bus.request("silence", "", { timeoutMs: 30 })).to.deep.equal({ kind: "timeout" });
  });

  it("ports/bus.5: after flush, another connection's publish reaches the new subscription", async () => {
    await using bench = await open();
    const [publisher, subscriber] = [await bench.connect(), await bench.connect()];
    for (let round = 0; round < 20; round++) {
      const seen: BusMessage[] = [];
      subscriber.subscribe(`flush.${round}`, (message) => seen.push(message));
      expect(await subscriber.flush()).to.equal(true);
      publisher.publish(`flush.${round}`, "x");
      await until(() => seen.length === 1, { withinMs: SOON, what: `round ${round}` });
    }
  });
}

function connectionContract(open: () => Promise<BusBench>): void {
  it("ports/bus.1: a publish while disconnected is lost, and nothing arrives twice", async () => {
    await using bench = await open();
    const [publisher, subscriber] = [await bench.connect(), await bench.connect()];
    const seen = await collect(subscriber, "room.1");
    publisher.publish("room.1", "before");
    await until(() => seen.length === 1, { withinMs: SOON, what: "the first message" });
    await bench.cut();
    expect([publisher.status, subscriber.status]).to.deep.equal(["disconnected", "disconnected"]);
    expect(publisher.publish("room.1", "while cut")).to.equal("dropped");
    expect(publisher.counts.dropped).to.equal(1);
    expect(await publisher.flush()).to.equal(false);
    await bench.heal();
    await subscriber.flush();
    publisher.publish("room.1", "after");
    await until(() => seen.length >= 2, { withinMs: SOON, what: "the message after the outage" });
    await settled(publisher, [subscriber]);
    expect(seen.map(textOf)).to.deep.equal(["before", "after"]);
  });

  it("ports/bus.1: reports every change of status", async () => {
    await using bench = await open();
    const bus = await bench.connect();
    const [changes, afterUnsubscribe]: [BusStatus[], BusStatus[]] = [[], []];
    bus.onStatus((status) => changes.push(status));
    bus.onStatus((status) => afterUnsubscribe.push(status)).unsubscribe();
    expect(bus.status).to.equal("connected");
    await bench.cut();
    await bench.heal();
    await bench.cut();
    await bench.heal();
    expect(changes).to.deep.equal(["disconnected", "connected", "disconnected", "connected"]);
    expect(afterUnsubscribe).to.deep.equal([]);
  });

  it("ports/bus.1: answers an open request at once when the connection is lost", async () => {
    await using bench = await open();
    const [bus, service] = [await bench.connect(), await bench.connect()];
    const received = await collect(service, "silence");
    const outcome = bus.request("silence", "", { timeoutMs: 600_000 });
    await until(() => received.length === 1, { withinMs: SOON, what: "the request to arrive" });
    await bench.cut();
    const options = { withinMs: SOON, what: "the request to end" };
    expect(await within(outcome, options)).to.deep.equal({ kind: "timeout" });
    expect(await bus.request("silence", "", { timeoutMs: 600_000 })).to.deep.equal({
      kind: "timeout",
    });
    await bench.heal();
  });

  it("ports/bus.5: close delivers earlier publishes, and causes no error", async () => {
    await using bench = await open();
    const [publisher, subscriber] = [await bench.connect(), await bench.connect()];
    const seen = await collect(subscriber, "before.close");
    publisher.publish("before.close", "last");
    await publisher.close();
    await until(() => seen.length === 1, { withinMs: SOON, what: "the message before close" });
    expect(publisher.status).to.equal("disconnected");
    publisher.publish("before.close", "after close");
    expect(await publisher.flush()).to.equal(false);
    await publisher.close();
    await subscriber.flush();
    expect(seen.map(textOf)).to.deep.equal(["last"]);
  });
}

/** All messages of a subject from now on. */
async function collect(bus: Bus, subject: string, queue?: string): Promise<BusMessage[]> {
  const seen: BusMessage[] = [];
  bus.subscribe(subject, (message) => seen.push(message), queue === undefined ? {} : { queue });
  await bus.flush();
  return seen;
}

/** Resolves when everything that `publisher` has sent has reached `subscribers`. */
async function settled(publisher: Bus, subscribers: readonly Bus[]): Promise<void> {
  const arrived = await Promise.all(subscribers.map((bus, n) => collect(bus, `settled.${n}`)));
  for (const n of arrived.keys()) publisher.publish(`settled.${n}`, "");
  await until(() => arrived.every((markers) => markers.length > 0), {
    withinMs: SOON,
    what: "the markers behind the messages",
  });
}

function textOf(message: BusMessage): string {
  return decode(message.data);
}

function decode(data: Uint8Array): string {
  return new TextDecoder().decode(data);
}
