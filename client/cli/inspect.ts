// Inspect: the commands that follow one message and read a log, and `parley doctor`. The code of
// each is loaded when it runs.

import type { Command } from "commander";
import type { MessageId } from "#shared/protocol/ids.ts";
import { countOf, messageIdOf } from "./arguments.ts";
import type { Caller } from "./change.ts";
import { CliError } from "./cli-error.ts";

export function addInspection(program: Command, { target, out }: Caller): void {
  program
    .command("trace")
    .description("print the path of a traced message and its address in Jaeger")
    .argument("<id>", "the message id, as `parley send --trace` prints it", messageIdOf)
    .action(async (id: MessageId) => {
      const { findPath, pathLines, traceAddress } = await import("./trace.ts");
      const { jaeger, origins } = target();
      const path = await findPath(jaeger, id).catch((error: unknown) => {
        const failure = `no Jaeger answers at ${jaeger} (${origins.jaeger}): use --jaeger <url>`;
        throw new CliError(`${failure} or JAEGER_URL`, {
          code: "jaeger_unreachable",
          cause: error,
        });
      });
      if (path === undefined) {
        const text = `Jaeger at ${jaeger} has no trace of this message: send it with --trace, and wait a second`;
        throw new CliError(text, { code: "not_found" });
      }
      out.print({ id, address: traceAddress(jaeger, path), ...path }, ...pathLines(jaeger, path));
    });

  program
    .command("log")
    .description("print the entries of a partition log in readable form")
    .argument("<partition>", "the number of the partition", countOf)
    .argument("[from]", "the log sequence of the first entry", countOf, 1)
    .option("--follow", "wait for more entries until Ctrl-C")
    .action(async (partition: number, from: number, options: { follow?: boolean }) => {
      const { showLog } = await import("./log.ts");
      await showLog(target().nats, partition, from, { follow: options.follow === true, out });
    });

  program
    .command("doctor")
    .description("check NATS, PostgreSQL and the gateway; prints a remedy for each failure")
    .action(async () => {
      const { doctor } = await import("./doctor.ts");
      process.exitCode = (await doctor(target(), out)) ? 0 : 1;
    });
}
