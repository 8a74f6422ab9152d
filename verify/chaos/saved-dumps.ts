// Saved dumps: writes log, archive and history at the end of a run to the files of its folder.

import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { FILES } from "../checker/folder.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";
import { dumpCluster } from "../dumps/dump-cluster.ts";

/** Where a cluster stores its messages, and a gateway that serves their history. */
export type Stored = Pick<Cluster, "natsAccess" | "databaseUrl" | "url">;

export async function saveDumps(
  folder: string,
  { cluster, partitions }: { readonly cluster: Stored; readonly partitions: number },
): Promise<void> {
  using log = new LineFile(join(folder, FILES.log));
  using archive = new LineFile(join(folder, FILES.archive));
  using pages = new LineFile(join(folder, FILES.pages));
  const { natsAccess: nats, databaseUrl, url: gateway } = cluster;
  await dumpCluster(
    { nats, databaseUrl, gateway, partitions },
    {
      onEntry: (entry) => log.add(JSON.stringify(entry)),
      onArchived: (line) => archive.add(line),
      onPaged: (line) => pages.add(line),
    },
  );
}

class LineFile implements Disposable {
  readonly #file: number;

  constructor(path: string) {
    this.#file = openSync(path, "w");
  }

  add(line: string): void {
    writeSync(this.#file, `${line}\n`);
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }
}
