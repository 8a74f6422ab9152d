// Planted bugs: errors that are put into the product on purpose. The simulation must find each of
// them; otherwise a run without findings proves nothing.
//
// A planted bug wraps the ports of one kind of process, so the product needs no hook for it. A port
// that behaves wrongly stands for a core with the same error.
//
//   skip-fence         an owner appends at whatever sequence the log expects
//   ack-before-commit  an owner treats an append as stored before the log has it
//   forget-dedupe      a room is loaded from the archive without its message ids
//   out-of-order       a gateway writes the lines of a flush in reverse order
//   trim-too-far       persistence trims above its watermark
//   close-gap          a gateway closes a gap by renumbering the events behind it
//   lose-batch         persistence reports a batch as written and omits an event of it
//   ignore-lanes       an owner accepts any batch of a lane, in any order
//   forget-refusal     an owner refuses a send temporarily and accepts the sends behind it
//   early-watermark    persistence reports a watermark above the real one
//   serve-both-halves  the owner of a split partition forgets the split and serves all of its rooms
//   line-after-removal a gateway does not recognise the line that removes a member
//   edit-by-stranger   an owner accepts the edit of another message than the one that it judged
//   log-slower-mode    an owner decides by a shorter slow mode than the one that it logs
//   log-fewer-uses     an owner lets more guests enter than the invite that it logs
//   fold-twice         persistence folds each reply in a thread twice
//   hide-mentions      persistence shows messages without whom they mention
//   position-falls     persistence stores the newest position in place of the highest one
//   unread-counts-edits persistence counts edits as unread messages
//   serve-without-term a room node serves although the right of its region has ended

import { COMMAND_VERSION, isWrite } from "#shared/protocol/commands.ts";
import type { RegionRight } from "#shared/process/region-grants.ts";
import type { CommandBatch } from "#shared/protocol/commands.ts";
import type { ResultBatch } from "#shared/protocol/results.ts";
import { decodeOut } from "#shared/protocol/lines.ts";
import type { Bus, BusMessage } from "#shared/ports/bus.ts";
import type { PartitionLog } from "#shared/ports/log.ts";
import { overBus } from "./over-bus.ts";
import type { PlantedBug, Ports, ServiceKind } from "./cluster.ts";

type Bug = { readonly kind: ServiceKind; readonly wrap: (ports: Ports) => Partial<Ports> };

/** A right that never changes after its first report. */
const ALLOWS_EVERYTHING: RegionRight = {
  grant: undefined,
  allows: () => "everything",
  rightOf: () => undefined,
  takesClients: () => true,
  onChange: (handler: () => void) => {
    queueMicrotask(handler);
    return { unsubscribe: () => undefined };
  },
};

const decoder = new TextDecoder();
const encoder = new TextEncoder();

const BUGS: Readonly<Record<string, Bug>> = {
  "skip-fence": {
    kind: "room",
    wrap: ({ log }) => ({
      log: overLog(log, {
        async append(p, data, expected) {
          const first = await log.append(p, data, expected);
          if (first.kind !== "conflict" || first.last === undefined) return first;
          return log.append(p, data, first.last);
        },
      }),
    }),
  },
  "ack-before-commit": {
    kind: "room",
    wrap: ({ log }) => ({
      log: overLog(log, {
        append(p, data, expected) {
          const appended = log.append(p, data, expected);
          const isClaim = typeof data === "string" && !data.includes('"kind":"commit"');
          return isClaim ? appended : Promise.resolve({ kind: "ok", seq: expected + 1 });
        },
      }),
    }),
  },
  "forget-dedupe": {
    kind: "room",
    wrap: ({ archive }) => ({
      archive: overArchive(archive, {
        async snapshot(p, room, since) {
          const read = await archive.snapshot(p, room, since);
          return read.kind === "ok" ? { ...read, value: { ...read.value, ids: [] } } : read;
        },
      }),
    }),
  },
  "out-of-order": {
    kind: "gateway",
    wrap: ({ frames }) => ({
      frames: {
        frame: (parts) =>
          frames.frame(
            parts.map((part) =>
              encoder.encode(decoder.decode(part).split("\n").toReversed().join("\n")),
            ),
          ),
      },
    }),
  },
  "trim-too-far": {
    kind: "persistence",
    wrap: ({ log }) => ({ log: overLog(log, { trim: (p, upTo) => log.trim(p, upTo + 40) }) }),
  },
  "close-gap": { kind: "gateway", wrap: ({ bus }) => ({ bus: withoutGaps(bus) }) },
  "lose-batch": {
    kind: "persistence",
    wrap: ({ store }) => ({
      store: overStore(store, {
        write(batch) {
          const { events } = batch;
          return store.write(events.length === 3 ? { ...batch, events: events.slice(1) } : batch);
        },
      }),
    }),
  },
  "ignore-lanes": { kind: "room", wrap: ({ bus }) => ({ bus: withoutLanes(bus) }) },
  "forget-refusal": { kind: "room", wrap: ({ bus }) => ({ bus: withoutHolds(bus) }) },
  "early-watermark": {
    kind: "persistence",
    wrap: ({ bus }) => ({
      bus: overBus(bus, {
        publish(subject, data, reply) {
          if (!subject.startsWith("watermark.") || typeof data !== "string") {
            return bus.publish(subject, data, reply);
          }
          const watermark = JSON.parse(data) as { seq: number };
          const early = { ...watermark, seq: watermark.seq + 1_000 };
          return bus.publish(subject, JSON.stringify(early), reply);
        },
      }),
    }),
  },
  "serve-both-halves": {
    kind: "room",
    wrap: ({ archive, log }) => ({
      archive: overArchive(archive, {
        async watermark(p, claim) {
          const read = await archive.watermark(p, claim);
          if (read.kind !== "ok") return read;
          const { of: _forgotten, ...value } = read.value;
          return { ...read, value };
        },
      }),
      log: overLog(log, {
        read: (p, from, handlers, options) =>
          log.read(
            p,
            from,
            { ...handlers, onEntry: (seq, data) => handlers.onEntry(seq, withoutSplit(data)) },
            options,
          ),
      }),
    }),
  },
  "line-after-removal": { kind: "gateway", wrap: ({ bus }) => ({ bus: withoutRemovals(bus) }) },
  "edit-by-stranger": {
    kind: "room",
    wrap: ({ bus, log }) => ({
      log: overLog(log, {
        append: (p, data, expected) => log.append(p, withOtherTargets(data), expected),
      }),
      bus: overBus(bus, {
        publish: (subject, data, reply) => bus.publish(subject, withOtherTargets(data), reply),
      }),
    }),
  },
  "log-slower-mode": {
    kind: "room",
    wrap: ({ bus, log }) => ({
      log: overLog(log, {
        append: (p, data, expected) => log.append(p, withOtherPace(data), expected),
      }),
      bus: overBus(bus, {
        publish: (subject, data, reply) => bus.publish(subject, withOtherPace(data), reply),
      }),
    }),
  },
  "log-fewer-uses": {
    kind: "room",
    wrap: ({ bus, log }) => ({
      log: overLog(log, {
        append: (p, data, expected) => log.append(p, withOneUse(data), expected),
      }),
      bus: overBus(bus, {
        publish: (subject, data, reply) => bus.publish(subject, withOneUse(data), reply),
      }),
    }),
  },
  "fold-twice": {
    kind: "persistence",
    wrap: ({ store }) => ({
      store: overStore(store, {
        write(batch) {
          const events = batch.events.flatMap((event) =>
            event.line.includes('"thread":') ? [event, event] : [event],
          );
          return store.write({ ...batch, events });
        },
      }),
    }),
  },
  "hide-mentions": {
    kind: "persistence",
    wrap: ({ store }) => ({ store: withoutMentions(store) }),
  },
  "position-falls": { kind: "persistence", wrap: ({ store }) => ({ store: lastPositions(store) }) },
  "unread-counts-edits": {
    kind: "persistence",
    wrap: ({ store }) => ({ store: countedEdits(store) }),
  },
  "serve-without-term": {
    kind: "room",
    wrap: ({ right }) => (right === undefined ? {} : { right: ALLOWS_EVERYTHING }),
  },
};

export const PLANTED_BUGS: readonly string[] = Object.keys(BUGS);

/** Undefined without a name. An unknown name throws, so that it does not look like a missed bug. */
export function plantedBug(name: string | undefined): PlantedBug | undefined {
  if (name === undefined) return undefined;
  const bug = BUGS[name];
  if (bug === undefined) throw new Error(`PLANT is one of: ${PLANTED_BUGS.join(" ")}`);
  return (kind, ports) => (kind === bug.kind ? { ...ports, ...bug.wrap(ports) } : ports);
}

/** Renumbers each block of events so that it follows the block before it. */
function withoutGaps(bus: Bus): Bus {
  return overBus(bus, {
    subscribe(subject, handler, options) {
      if (!subject.startsWith("out.")) return bus.subscribe(subject, handler, options);
      let next: number | undefined;
      const closed = (message: BusMessage): void => {
        const block = decodeOut(message.data);
        if (block === undefined || block.count === 0) return handler(message);
        const first = Math.min(next ?? block.first, block.first);
        next = first + block.count;
        const lines = decoder.decode(message.data).split("\n").slice(1).join("\n");
        handler({ ...message, data: encoder.encode(`${first} ${block.count}\n${lines}`) });
      };
      return bus.subscribe(subject, closed, options);
    },
  });
}

/** Hides the kind of `member` lines: the feed passes them on like messages. */
function withoutRemovals(bus: Bus): Bus {
  return overBus(bus, {
    subscribe(subject, handler, options) {
      if (!subject.startsWith("out.")) return bus.subscribe(subject, handler, options);
      const hidden = (message: BusMessage): void => {
        const text = decoder.decode(message.data);
        const lines = text.replaceAll(/^\{"t":"member",/gm, '{ "t":"member",');
        handler({ ...message, data: encoder.encode(lines) });
      };
      return bus.subscribe(subject, hidden, options);
    },
  });
}

/** Makes every batch the first one of a new lane incarnation. */
function withoutLanes(bus: Bus): Bus {
  let lane = 0;
  return overBus(bus, {
    subscribe(subject, handler, options) {
      if (!subject.startsWith("cmd.")) return bus.subscribe(subject, handler, options);
      const renumbered = (message: BusMessage): void => {
        const batch = JSON.parse(decoder.decode(message.data)) as object;
        const data = encoder.encode(JSON.stringify({ ...batch, lane: ++lane, n: 1 }));
        handler({ ...message, data });
      };
      return bus.subscribe(subject, renumbered, options);
    },
  });
}

/** Turns a split into a release. */
function withoutSplit(data: Uint8Array): Uint8Array {
  const text = decoder.decode(data);
  if (!text.includes('"kind":"split"')) return data;
  return encoder.encode(JSON.stringify({ ...(JSON.parse(text) as object), v: 1, kind: "release" }));
}

/** One in this many sends is refused. */
const REFUSED_EVERY = 5;

/** Answers some sends with `busy`. The owner never receives them and cannot hold the next ones. */
function withoutHolds(bus: Bus): Bus {
  /** By partition: the epoch in the owner's newest results. */
  const epochs = new Map<number, number>();
  let sends = 0;
  return overBus(bus, {
    publish(subject, data, reply) {
      if (subject.startsWith("gw.") && typeof data === "string") {
        const { p, epoch } = JSON.parse(data.split("\n", 1)[0] ?? "") as ResultBatch;
        epochs.set(p, epoch);
      }
      return bus.publish(subject, data, reply);
    },
    subscribe(subject, handler, options) {
      if (!subject.startsWith("cmd.")) return bus.subscribe(subject, handler, options);
      const refusing = (message: BusMessage): void => {
        const p = Number(message.subject.split(".")[1]);
        const epoch = epochs.get(p);
        const batch = JSON.parse(decoder.decode(message.data)) as CommandBatch;
        const refused = batch.commands.filter(
          (command) => epoch !== undefined && isWrite(command) && ++sends % REFUSED_EVERY === 0,
        );
        const commands = batch.commands.filter((command) => !refused.includes(command));
        handler({ ...message, data: encoder.encode(JSON.stringify({ ...batch, commands })) });
        if (refused.length === 0) return;
        const results = refused.map(({ c }) => ({ c, error: "busy", afterMs: 50 }) as const);
        const answer = { v: COMMAND_VERSION, p, epoch: epoch ?? 0, results };
        bus.publish(`gw.${batch.gw}`, JSON.stringify(answer));
      };
      return bus.subscribe(subject, refusing, options);
    },
  });
}

/** Each invite is logged with one use. */
function withOneUse<D extends string | Uint8Array>(data: D): D | string {
  if (typeof data !== "string" || !data.includes('"uses":')) return data;
  return data.replaceAll(/"uses":\d+/g, '"uses":1');
}

/** Each slow mode lasts ten times as long. */
function withOtherPace<D extends string | Uint8Array>(data: D): D | string {
  if (typeof data !== "string" || !data.includes('"slowMode":')) return data;
  return data.replaceAll(/"slowMode":(\d+)/g, (_, s: string) => `"slowMode":${Number(s) * 10}`);
}

/** Pages show messages without whom they mention. */
function withoutMentions(store: Ports["store"]): Ports["store"] {
  return overStore(store, {
    async messages(room, query) {
      const read = await store.messages(room, query);
      if (read.kind !== "ok") return read;
      const lines = read.value.lines.map((line) =>
        JSON.stringify({ ...(JSON.parse(line) as object), mentions: undefined }),
      );
      return { ...read, value: { ...read.value, lines } };
    },
  });
}

function lastPositions(store: Ports["store"]): Ports["store"] {
  const last = new Map<string, number>();
  return overStore(store, {
    putReads(reads) {
      for (const [room, user, seq] of reads) last.set(`${room} ${user}`, seq);
      return store.putReads(reads);
    },
    async rooms(query) {
      const read = await store.rooms(query);
      if (read.kind !== "ok") return read;
      const rooms = read.value.rooms.map((listed) => ({
        ...listed,
        read: last.get(`${listed.room} ${query.user}`) ?? listed.read,
      }));
      return { ...read, value: { ...read.value, rooms } };
    },
  });
}

function countedEdits(store: Ports["store"]): Ports["store"] {
  const edits = new Map<string, number[]>();
  return overStore(store, {
    write(batch) {
      for (const { kind, room, seq } of batch.events) {
        if (kind === "edited") edits.set(room, [...(edits.get(room) ?? []), seq]);
      }
      return store.write(batch);
    },
    async rooms(query) {
      const read = await store.rooms(query);
      if (read.kind !== "ok") return read;
      const rooms = read.value.rooms.map((listed) => {
        const more = (edits.get(listed.room) ?? []).filter(
          (seq) => seq > listed.read && seq <= listed.head,
        );
        return { ...listed, unread: listed.unread + more.length };
      });
      return { ...read, value: { ...read.value, rooms } };
    },
  });
}

/** Each edit names the message before its target. */
function withOtherTargets<D extends string | Uint8Array>(data: D): D | string {
  if (typeof data !== "string" || !data.includes('{"t":"edited"')) return data;
  return data.replaceAll(
    /(\{"t":"edited",[^{}]*"target":)(\d+)/g,
    (_, head: string, target: string) => `${head}${Math.max(1, Number(target) - 1)}`,
  );
}

function overLog(log: PartitionLog, changed: Partial<PartitionLog>): PartitionLog {
  return {
    append: (...args) => log.append(...args),
    last: (p) => log.last(p),
    read: (...args) => log.read(...args),
    get: (...args) => log.get(...args),
    trim: (...args) => log.trim(...args),
    ...changed,
  };
}

function overArchive(
  archive: Ports["archive"],
  changed: Partial<Ports["archive"]>,
): Ports["archive"] {
  return {
    watermark: (...args) => archive.watermark(...args),
    range: (...args) => archive.range(...args),
    snapshot: (...args) => archive.snapshot(...args),
    messages: (...args) => archive.messages(...args),
    lookup: (...args) => archive.lookup(...args),
    rooms: (...args) => archive.rooms(...args),
    findRooms: (...args) => archive.findRooms(...args),
    search: (...args) => archive.search(...args),
    names: (...args) => archive.names(...args),
    putName: (...args) => archive.putName(...args),
    putReads: (...args) => archive.putReads(...args),
    ...changed,
  };
}

function overStore(store: Ports["store"], changed: Partial<Ports["store"]>): Ports["store"] {
  return {
    write: (batch) => store.write(batch),
    watermark: (...args) => store.watermark(...args),
    range: (...args) => store.range(...args),
    snapshot: (...args) => store.snapshot(...args),
    members: (...args) => store.members(...args),
    messages: (...args) => store.messages(...args),
    lookup: (...args) => store.lookup(...args),
    rooms: (query) => store.rooms(query),
    findRooms: (query) => store.findRooms(query),
    search: (query) => store.search(query),
    names: (users) => store.names(users),
    putName: (said) => store.putName(said),
    putReads: (reads) => store.putReads(reads),
    close: () => store.close(),
    ...changed,
  };
}
