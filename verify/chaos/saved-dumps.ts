// Saved dumps: what log, archive and history hold at the end of a run, as the files of its folder.

import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { until } from "#shared/testing/wait.ts";
import { archivedThrough, devToken, dumpArchive, dumpLog, dumpPages } from "../dumps/dump.ts";
import { FILES } from "../checker/folder.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";

const ARCHIVE_WITHIN_MS = 120_000;

/** Waits for the archive to have the whole log; rejects when it does not come to that. */
export async function saveDumps(
  folder: string,
  { cluster, partitions }: { readonly cluster: Cluster; readonly partitions: number },
): Promise<void> {
  const log = new LineFile(join(folder, FILES.log));
  const lasts = await dumpLog(cluster.natsAccess, partitions, (entry) => {
    log.add(JSON.stringify(entry));
  });
  log.end();
  await until(
    async () => {
      const marks = await archivedThrough(cluster.databaseUrl);
      return lasts.every((last, p) => last === 0 || (marks.get(p) ?? 0) >= last);
    },
    { withinMs: ARCHIVE_WITHIN_MS, what: "the archive to have the whole log" },
  );
  const archive = new LineFile(join(folder, FILES.archive));
  const heads = await dumpArchive(cluster.databaseUrl, (line) => archive.add(line));
  archive.end();
  const pages = new LineFile(join(folder, FILES.pages));
  const token = await devToken(cluster.url, "reader");
  await dumpPages(cluster.url, token, heads.keys(), (line) => pages.add(line));
  pages.end();
}

class LineFile {
  readonly #file: number;

  constructor(path: string) {
    this.#file = openSync(path, "w");
  }

  add(line: string): void {
    writeSync(this.#file, `${line}\n`);
  }

  end(): void {
    closeSync(this.#file);
  }
}
