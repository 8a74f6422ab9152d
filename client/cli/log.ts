// `parley log <partition>`: the entries of a partition log, as its readers understand them.
// Standard output is this command's result, hence console.log; what goes wrong is a thrown error.

import { openNatsBus } from "#shared/adapters/bus-nats.ts";
import type { NatsAccess } from "#shared/adapters/nats-connect.ts";
import { openNatsLog } from "#shared/adapters/log-nats.ts";
import { createLogger } from "#shared/process/logger.ts";
import { decodeEntry, epochAfter, isVoid } from "#shared/protocol/entry.ts";
import { entryLines } from "./print.ts";

/** Resolves when the last entry of now is printed, or with `follow` on Ctrl-C. */
export async function showLog(
  nats: NatsAccess,
  partition: number,
  from: number,
  follow: boolean,
): Promise<void> {
  const logger = createLogger({ name: "parley-cli", level: "fatal" });
  const bus = await openNatsBus({ ...nats, name: "parley-cli", inboxPrefix: "_INBOX_cli", logger });
  const log = openNatsLog(bus);
  const state = await log.last(partition);
  const last = state.kind === "ok" ? state.last : 0;
  if (state.kind === "unknown") console.error(`partition ${partition}: ${state.reason}`);
  const done = Promise.withResolvers<void>();
  // Whether a commit is void can be told only from the tenure's own-entry on; until one was seen the
  // commit's own epoch is believed.
  let epoch: number | undefined;
  const reader = log.read(partition, Math.max(1, from), {
    onEntry: (seq, data) => {
      const entry = decodeEntry(new TextDecoder().decode(data));
      if (epoch === undefined && entry.kind === "commit") epoch = entry.epoch;
      for (const line of entryLines(seq, entry, isVoid(epoch ?? 0, entry))) console.log(line);
      epoch = epochAfter(epoch ?? 0, seq, entry);
      if (seq >= last && !follow) done.resolve();
    },
    onError: (reason) => done.reject(new Error(reason)),
  });
  process.once("SIGINT", () => done.resolve());
  if (last < from && !follow) done.resolve();
  await done.promise;
  reader.close();
  await bus.close();
}
