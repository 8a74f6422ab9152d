// The `parley` command: a person's or a script's hand on a cluster.
//
// Owns: the commands and their exit codes (0 done, 1 failed, 2 wrong use). Does not own: the wire
// (client/sdk), the log (shared/adapters). Without flags it speaks to the embedded cluster that
// `make start` runs from this folder.

import { randomBytes } from "node:crypto";
import { Command, InvalidArgumentError } from "commander";
import { isMessageId } from "#shared/protocol/ids.ts";
import { Parley } from "../sdk/parley.ts";
import { doctor } from "./doctor.ts";
import { showLog } from "./log.ts";
import { addOperatorCommands } from "./operate.ts";
import { neutral, readable } from "./print.ts";
import { addRestoreCommands } from "./restore/restore-command.ts";
import { readTarget } from "./target.ts";
import type { Target } from "./target.ts";
import { findPath, pathLines } from "./trace.ts";

class Failure extends Error {
  override readonly name = "Failure";
}

interface Shared {
  readonly url?: string;
  readonly nats?: string;
  readonly natsNkey?: string;
  readonly database?: string;
  readonly jaeger?: string;
  readonly user: string;
}

const SEND_WITHIN_MS = 30_000;

const program = new Command("parley")
  .description("Talk to a Parley cluster and look into it")
  .option("--url <url>", "the gateway, http://… (default: the embedded cluster)")
  .option("--nats <url>", "NATS (log, doctor)")
  .option("--nats-nkey <file>", "the seed of the NATS user")
  .option("--database <url>", "PostgreSQL (doctor, restore)")
  .option("--jaeger <url>", "Jaeger's page (trace); JAEGER_URL")
  .option("--user <name>", "who speaks; needs AUTH=dev", "cli");

function target(): Target {
  return readTarget(program.opts<Shared>());
}

async function token(user: string): Promise<string> {
  const { url } = target();
  const response = await fetch(`${url}/v1/dev/token`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ user }),
  }).catch(() => undefined);
  if (response === undefined) throw new Failure(`no gateway answers at ${url}`);
  if (!response.ok) throw new Failure(`no token: ${response.status} (is AUTH=dev on?)`);
  return ((await response.json()) as { token: string }).token;
}

async function connect(): Promise<Parley> {
  const { user } = program.opts<Shared>();
  await token(user); // A gateway that is away is said at once; later ones are waited for.
  const url = `${target().url.replace(/^http/, "ws")}/v1/ws`;
  const parley = new Parley({ url, token: () => token(user), client: "cli/1" });
  parley.connect();
  return parley;
}

/** A context that asks for its message to be traced. */
function newTrace(): string {
  return `00-${randomBytes(16).toString("hex")}-${randomBytes(8).toString("hex")}-01`;
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError("a whole number");
  return value;
}

function within<T>(promise: Promise<T>, what: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Failure(`no answer: ${what}`)), SEND_WITHIN_MS);
    void promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

program
  .command("token <user>")
  .description("print a dev token for a user")
  .action(async (user: string) => console.log(await token(user)));

program
  .command("send <room> <text>")
  .description("send one message; prints the number it got")
  .option("--trace", "trace it through the cluster; prints the id to ask `parley trace` for")
  .action(async (room: string, text: string, options: { trace?: boolean }) => {
    const parley = await connect();
    const asked = options.trace === true ? { trace: newTrace() } : {};
    const sent = parley.join(room, { tail: 0 }).send({ text }, asked);
    const outcome = await within(sent.done, "the send");
    parley.close();
    if (outcome.kind === "refused") throw new Failure(`${outcome.error}: ${outcome.message}`);
    console.log(`${room}#${outcome.seq}${options.trace === true ? ` id=${sent.id}` : ""}`);
  });

program
  .command("trace <id>")
  .description("print the path of a traced message, by its id, and where Jaeger shows it")
  .action(async (id: string) => {
    const { jaeger } = target();
    if (!isMessageId(id)) throw new Failure("that is no message id (a lower-case UUIDv7)");
    const path = await findPath(jaeger, id).catch(() => {
      throw new Failure(`no Jaeger answers at ${jaeger}`);
    });
    if (path === undefined) throw new Failure("Jaeger has no trace of that message");
    for (const line of pathLines(jaeger, path)) console.log(line);
  });

program
  .command("tail <room>")
  .description("follow a room until Ctrl-C")
  .option("--after <n>", "begin behind this number", wholeNumber)
  .option("--json", "one JSON event a line")
  .action(async (room: string, options: { after?: number; json?: boolean }) => {
    const parley = await connect();
    const join = options.after === undefined ? { tail: 20 } : { after: options.after };
    parley.join(room, join).on("event", (event) => {
      console.log(options.json === true ? JSON.stringify(event) : readable(event));
    });
    process.once("SIGINT", () => parley.close());
    process.once("SIGTERM", () => parley.close());
  });

program
  .command("history <room>")
  .description("print one page of a room")
  .option("--before <n>", "events below this number", wholeNumber)
  .option("--after <n>", "events above this number", wholeNumber)
  .option("--limit <n>", "at most so many", wholeNumber, 50)
  .option("--json", "one JSON event a line")
  .action(
    async (
      room: string,
      options: { before?: number; after?: number; limit: number; json?: boolean },
    ) => {
      const query = new URLSearchParams({ limit: String(options.limit) });
      if (options.before !== undefined) query.set("before", String(options.before));
      if (options.after !== undefined) query.set("after", String(options.after));
      const address = `${target().url}/v1/rooms/${encodeURIComponent(room)}/messages?${query.toString()}`;
      const authorization = `Bearer ${await token(program.opts<Shared>().user)}`;
      const response = await fetch(address, { headers: { authorization } });
      const page = (await response.json()) as {
        events?: Parameters<typeof readable>[0][];
        more?: boolean;
        name?: string;
      };
      if (!response.ok) throw new Failure(`${response.status} ${neutral(page.name ?? "")}`);
      for (const event of page.events ?? []) {
        console.log(options.json === true ? JSON.stringify(event) : readable(event));
      }
      if (page.more === true && options.json !== true) console.log("… there is more");
    },
  );

program
  .command("log <partition>")
  .description("print the entries of a partition log, readably")
  .argument("[from]", "the first entry", wholeNumber, 1)
  .option("--follow", "wait for more until Ctrl-C")
  .action(async (partition: string, from: number, options: { follow?: boolean }) => {
    await showLog(target().nats, wholeNumber(partition), from, options.follow === true);
  });

program
  .command("doctor")
  .description("check NATS, PostgreSQL and the gateway; say what to do")
  .action(async () => {
    process.exitCode = (await doctor(target())) ? 0 : 1;
  });

addOperatorCommands(program, target);
addRestoreCommands(program, target);

try {
  await program.parseAsync();
} catch (error: unknown) {
  console.error(`parley: ${neutral(error instanceof Error ? error.message : String(error))}`);
  process.exit(1);
}
