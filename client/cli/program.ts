// Program: the `parley` command, with which a user or a script uses and inspects a cluster.
//
// Owns: the commands for rooms and messages, and the exit codes (0 done, 1 failed or wrong use).
// Does not own: the wire protocol (client/sdk), the commands for operators (operate.ts), the texts
// of failures (failure-text.ts). The result goes to standard output with console.log; failures are
// thrown.

import { randomBytes } from "node:crypto";
import { Command, CommanderError, Option } from "commander";
import { parseObject } from "#shared/kit/json.ts";
import type { MessageId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { devToken } from "../sdk/dev-token.ts";
import { Parley } from "../sdk/parley.ts";
import { countOf, messageIdOf, pageSizeOf, roomOf, userOf } from "./arguments.ts";
import { CliError } from "./cli-error.ts";
import { failureText } from "./failure-text.ts";
import { doctor } from "./doctor.ts";
import { addEraseCommand } from "./erase-command.ts";
import { addForecastCommand } from "./forecast-command.ts";
import { showLog } from "./log.ts";
import { addOperatorCommands } from "./operate.ts";
import { neutral, readable } from "./print.ts";
import { addMessageCommands } from "./message.ts";
import { addPartitionCommands } from "./partitions.ts";
import { addRegionCommands } from "./region.ts";
import { addRestoreCommands } from "./restore/restore-command.ts";
import { addMemberCommands } from "./room.ts";
import { readTarget } from "./target.ts";
import type { Target, TargetFlags } from "./target.ts";
import { findPath, pathLines } from "./trace.ts";

interface Flags extends TargetFlags {
  readonly user: UserId;
}

/** A send without an answer for this long has failed. */
const SEND_WITHIN_MS = 30_000;

/**
 * Resolves with the exit code. `writeError` takes one line for standard error; a text of commander
 * comes without its line break.
 */
export async function runProgram(
  args: readonly string[],
  writeError: (line: string) => void,
): Promise<number> {
  // Before the commands are added: they inherit both settings.
  const program = new Command("parley")
    .exitOverride()
    .configureOutput({ writeErr: (text) => writeError(text.trimEnd()) });
  const target = (): Target => readTarget(program.opts<Flags>());
  addFlags(program);
  addRoomCommands(program, target);
  addHistory(program, target);
  const caller = { target, user: () => program.opts<Flags>().user };
  addMemberCommands(program, caller);
  addMessageCommands(program, caller);
  addInspection(program, target);
  addOperatorCommands(program, target);
  addForecastCommand(program, target);
  addEraseCommand(program, target);
  addRestoreCommands(program, target);
  addRegionCommands(program, target);
  addPartitionCommands(program, target);
  try {
    await program.parseAsync(args, { from: "user" });
    return 0;
  } catch (error: unknown) {
    if (error instanceof CommanderError) return error.exitCode; // commander printed the reason.
    // A target that cannot be read is a CliError, and needs no target to be described.
    const text = error instanceof CliError ? error.message : failureText(error, target());
    writeError(`parley: ${neutral(text)}`);
    return 1;
  }
}

function addFlags(program: Command): void {
  program
    .description("Use a Parley cluster and inspect it")
    .option("--url <url>", "the gateway, http://… (default: the embedded cluster)")
    .option("--nats <url>", "the NATS servers (log, doctor, operator commands)")
    .option("--nats-nkey <file>", "the seed file of the NATS user")
    .option("--database <url>", "PostgreSQL (doctor, restore)")
    .option("--jaeger <url>", "the address of Jaeger (trace); also JAEGER_URL")
    .addOption(
      new Option("--user <name>", "the user that sends and reads; needs AUTH=dev")
        .default("cli")
        .argParser(userOf),
    );
}

async function connect({ url }: Target, user: UserId): Promise<Parley> {
  await devToken(url, user); // Fails at once without a gateway; the SDK would retry.
  const parley = new Parley({
    url: `${url.replace(/^http/, "ws")}/v1/ws`,
    token: () => devToken(url, user),
    client: "cli/1",
  });
  let last = "";
  parley.on("error", ({ message }) => {
    // Repeated attempts fail with the same text.
    if (message !== last) console.error(`parley: ${neutral(message)}`);
    last = message;
  });
  parley.connect();
  return parley;
}

/** A W3C traceparent with the sampled flag set. */
function newTrace(): string {
  return `00-${randomBytes(16).toString("hex")}-${randomBytes(8).toString("hex")}-01`;
}

/** Rejects with CliError when `promise` is not settled in time. */
function withTimeout<T>(promise: Promise<T>, failure: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new CliError(failure)), SEND_WITHIN_MS);
    void promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function addRoomCommands(program: Command, target: () => Target): void {
  program
    .command("token")
    .description("print a dev token for a user")
    .argument("<user>", "the user id", userOf)
    .action(async (user: UserId) => console.log(await devToken(target().url, user)));

  program
    .command("send")
    .description("send one message; prints its sequence number")
    .argument("<room>", "the room id", roomOf)
    .argument("<text>", "the text of the message")
    .option("--thread <n>", "continue the thread of this message", countOf)
    .option("--trace", "trace it through the cluster; prints the message id for `parley trace`")
    .action(async (room: RoomId, text: string, options: SendFlags) => {
      const parley = await connect(target(), program.opts<Flags>().user);
      const asked = {
        ...(options.trace === true && { trace: newTrace() }),
        ...(options.thread !== undefined && { thread: options.thread }),
      };
      const sent = parley.join(room, { tail: 0 }).send({ text }, asked);
      const seconds = SEND_WITHIN_MS / 1_000;
      const failure = `no answer within ${seconds} s: see parley status; --url names another gateway`;
      try {
        const outcome = await withTimeout(sent.done, failure);
        if (outcome.kind === "refused") throw new CliError(`${outcome.error}: ${outcome.message}`);
        console.log(`${room}#${outcome.seq}${options.trace === true ? ` id=${sent.id}` : ""}`);
      } finally {
        parley.close();
      }
    });

  program
    .command("tail")
    .description("follow a room until Ctrl-C")
    .argument("<room>", "the room id", roomOf)
    .option("--after <n>", "begin with the event after this sequence number", countOf)
    .option("--json", "one JSON event per line")
    .action(async (room: RoomId, options: { after?: number; json?: boolean }) => {
      const parley = await connect(target(), program.opts<Flags>().user);
      const join = options.after === undefined ? { tail: 20 } : { after: options.after };
      const handle = parley.join(room, join);
      handle.on("event", (event) => {
        console.log(options.json === true ? JSON.stringify(event) : readable(event));
      });
      handle.on("reset", () => {
        console.error("parley: the room was recreated; the events above may be lost");
      });
      let why = `you may not read ${room}`;
      handle.on("removed", ({ reason, seq }) => {
        why = `you may no longer read ${room} (${reason} by event ${seq})`;
      });
      const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
      const { promise: left, reject } = Promise.withResolvers<never>();
      handle.on("status", (status) => {
        if (status === "left") reject(new CliError(why));
      });
      process.once("SIGINT", () => stop());
      process.once("SIGTERM", () => stop());
      try {
        await Promise.race([left, stopped]);
      } finally {
        parley.close();
      }
    });
}

interface SendFlags {
  readonly trace?: boolean;
  readonly thread?: number;
}

interface HistoryFlags {
  readonly before?: number;
  readonly after?: number;
  readonly limit: number;
  readonly json?: boolean;
  readonly messages?: boolean;
  readonly thread?: number;
}

function addHistory(program: Command, target: () => Target): void {
  program
    .command("history")
    .description("print one page of a room")
    .argument("<room>", "the room id", roomOf)
    .addOption(
      new Option("--before <n>", "events below this sequence number")
        .argParser(countOf)
        .conflicts("after"),
    )
    .option("--after <n>", "events above this sequence number", countOf)
    .option("--limit <n>", "the number of events at most", pageSizeOf, 50)
    .option("--json", "one JSON event per line")
    .option("--messages", "the messages as they are now, in place of all events")
    .option("--thread <n>", "the replies to this message, as they are now", countOf)
    .action(async (room: RoomId, flags: HistoryFlags) => {
      const { before, after, limit, json, messages, thread } = flags;
      const query = new URLSearchParams({ limit: String(limit) });
      if (before !== undefined) query.set("before", String(before));
      if (after !== undefined) query.set("after", String(after));
      if (messages === true || thread !== undefined) query.set("view", "messages");
      if (thread !== undefined) query.set("thread", String(thread));
      const { url } = target();
      const authorization = `Bearer ${await devToken(url, program.opts<Flags>().user)}`;
      const response = await fetch(`${url}/v1/rooms/${room}/messages?${query.toString()}`, {
        headers: { authorization },
      });
      const page = (parseObject(await response.text()) ?? {}) as {
        readonly events?: readonly Parameters<typeof readable>[0][];
        readonly more?: boolean;
        readonly name?: string;
        readonly title?: string;
        readonly detail?: string;
      };
      if (!response.ok) throw new CliError(`${page.name}: ${page.detail ?? page.title}`);
      for (const event of page.events ?? []) {
        console.log(json === true ? JSON.stringify(event) : readable(event));
      }
      if (page.more === true && json !== true) console.log("… there are more events");
    });
}

function addInspection(program: Command, target: () => Target): void {
  program
    .command("trace")
    .description("print the path of a traced message and its address in Jaeger")
    .argument("<id>", "the message id, as `parley send --trace` prints it", messageIdOf)
    .action(async (id: MessageId) => {
      const { jaeger, origins } = target();
      const path = await findPath(jaeger, id).catch((error: unknown) => {
        const failure = `no Jaeger answers at ${jaeger} (${origins.jaeger}): use --jaeger <url>`;
        throw new CliError(`${failure} or JAEGER_URL`, { cause: error });
      });
      if (path === undefined) {
        throw new CliError(
          `Jaeger at ${jaeger} has no trace of this message: send it with --trace, and wait a second`,
        );
      }
      for (const line of pathLines(jaeger, path)) console.log(line);
    });

  program
    .command("log")
    .description("print the entries of a partition log in readable form")
    .argument("<partition>", "the number of the partition", countOf)
    .argument("[from]", "the log sequence of the first entry", countOf, 1)
    .option("--follow", "wait for more entries until Ctrl-C")
    .action(async (partition: number, from: number, options: { follow?: boolean }) => {
      await showLog(target().nats, partition, from, options.follow === true);
    });

  program
    .command("doctor")
    .description("check NATS, PostgreSQL and the gateway; prints a remedy for each failure")
    .action(async () => {
      process.exitCode = (await doctor(target())) ? 0 : 1;
    });
}
