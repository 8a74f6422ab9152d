// Direct reads: reads the messages of a stream in batches, without a consumer.
//
// The creator of a consumer could make the NATS server publish to any subject (X5). A direct read
// needs one right to one stream. A lagging replica can answer it with an older state.
//
//   nats-direct-reads.1. All reads of a bus share one subscription, made by the first of them. A
//        subscription for each read would cost the server more than the read.
//   nats-direct-reads.2. An open read ends after TIMEOUT_MS. Messages that come later are ignored.

import { createInbox } from "@nats-io/transport-node";
import type { Msg } from "@nats-io/transport-node";
import type { ReplyHost } from "./nats-replies.ts";

const TIMEOUT_MS = 2_000;
const BATCH_ENTRIES = 512;
const BATCH_BYTES = 1_024 * 1_024;

/** The inbox of each bus, and the open reads by the last part of their reply subject. */
const inboxes = new WeakMap<ReplyHost, Inbox>();

interface Inbox {
  readonly prefix: string;
  readonly open: Map<string, (message: Msg) => void>;
  reads: number;
}

/** Empty behind the last message; undefined after an error, a timeout or a lost message. */
export function readBatch(
  bus: ReplyHost,
  stream: string,
  { from, filter }: { readonly from: number; readonly filter: string },
): Promise<readonly Msg[] | undefined> {
  return new Promise((resolve) => {
    const inbox = inboxOf(bus);
    const name = (inbox.reads++).toString(36);
    const messages: Msg[] = [];
    let last = 0;
    const end = (result: readonly Msg[] | undefined): void => {
      clearTimeout(timer);
      inbox.open.delete(name);
      resolve(result);
    };
    const timer = setTimeout(() => end(undefined), TIMEOUT_MS);
    inbox.open.set(name, (message) => {
      const code = message.headers?.code ?? 0;
      if (code === 404 || code === 204) return end(messages);
      const before = Number(message.headers?.get("Nats-Last-Sequence"));
      if (code !== 0 || before !== last) return end(undefined);
      last = Number(message.headers?.get("Nats-Sequence"));
      messages.push(message);
    });
    const bounds = { batch: BATCH_ENTRIES, max_bytes: BATCH_BYTES };
    const request = JSON.stringify({ seq: from, next_by_subj: filter, ...bounds });
    const reply = `${inbox.prefix}.${name}`;
    bus.connection.publish(`$JS.API.DIRECT.GET.${stream}`, request, { reply });
  });
}

/** nats-direct-reads.1. */
function inboxOf(bus: ReplyHost): Inbox {
  const known = inboxes.get(bus);
  if (known !== undefined) return known;
  const prefix = createInbox(bus.inboxPrefix);
  const inbox: Inbox = { prefix, open: new Map(), reads: 0 };
  bus.connection.subscribe(`${prefix}.*`, {
    callback: bus.guard((message) => {
      inbox.open.get(message.subject.slice(prefix.length + 1))?.(message);
    }),
  });
  inboxes.set(bus, inbox);
  return inbox;
}

/** A hundred thousand messages. */
const BATCHES_MAX = 200;

/** All messages of a filter, in order; undefined when they were not read completely. */
export async function readAll(
  bus: ReplyHost,
  stream: string,
  filter: string,
): Promise<readonly Msg[] | undefined> {
  const all: Msg[] = [];
  for (let batch = 0, from = 1; batch < BATCHES_MAX; batch++) {
    const messages = await readBatch(bus, stream, { from, filter });
    if (messages === undefined) return undefined;
    for (const message of messages) all.push(message);
    const last = all.at(-1)?.headers;
    if (messages.length === 0 || last?.get("Nats-Num-Pending") === "0") return all;
    from = Number(last?.get("Nats-Sequence")) + 1;
  }
  return undefined;
}
