// ForecastCommand: `parley forecast`, of the running processes or of a folder of logs.

import { createReadStream, readdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Command } from "commander";
import type { Caller } from "./change.ts";
import { CliError } from "./cli-error.ts";
import { forecastLines, LogReplay, replayLines, rowsOf } from "./forecast.ts";

export function addForecastCommand(program: Command, { target, out }: Caller): void {
  program
    .command("forecast")
    .description("which resource of which process will be exhausted, and when")
    .option("--logs <dir>", "replay the log files below this folder instead of asking processes")
    .action(async ({ logs }: { readonly logs?: string }) => {
      const print = (items: readonly object[], lines: readonly string[]): void => {
        for (const line of lines) out.note(line);
        for (const item of items) out.print(item);
      };
      if (logs === undefined) {
        const { askStatus } = await import("./control.ts");
        const rows = rowsOf(await askStatus(target().nats));
        print(rows, forecastLines(rows));
        return;
      }
      const processes = await replayFolder(logs);
      print(processes, replayLines(processes));
    });
}

async function replayFolder(dir: string): Promise<ReturnType<LogReplay["result"]>> {
  const replay = new LogReplay();
  for (const file of logFiles(dir)) {
    for await (const line of createInterface({ input: createReadStream(file) })) replay.add(line);
  }
  return replay.result();
}

/** Files that were set aside (`x.log.1`) come before their successors. */
function logFiles(dir: string): readonly string[] {
  const names = listed(dir).filter((name) => /\.log(?:\.\d+)?$/.test(name));
  if (names.length === 0)
    throw new CliError(`no file *.log is below ${dir}: name a folder of logs`);
  return names.toSorted((a, b) => b.localeCompare(a)).map((name) => join(dir, name));
}

function listed(dir: string): readonly string[] {
  try {
    return readdirSync(dir, { recursive: true, encoding: "utf8" });
  } catch {
    throw new CliError(`${dir} cannot be read: name a folder of logs`);
  }
}
