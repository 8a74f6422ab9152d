// Send: the commands that send to a room and follow it over a WebSocket, and `parley token`.

import { randomBytes } from "node:crypto";
import { openAsBlob } from "node:fs";
import { basename } from "node:path";
import type { Command } from "commander";
import type { UploadedFile } from "#shared/protocol/attachments.ts";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import { ATTACHMENTS_MAX } from "#shared/protocol/limits.ts";
import { devToken } from "../sdk/dev-token.ts";
import { countOf, roomOf, textOf, userOf } from "./arguments.ts";
import type { Caller } from "./change.ts";
import { CliError } from "./cli-error.ts";
import { readable } from "./print.ts";

/** A send without an answer for this long has failed. */
const SEND_WITHIN_MS = 30_000;

interface SendFlags {
  readonly trace?: boolean;
  readonly thread?: number;
  readonly file?: readonly string[];
}

export function addSendCommands(program: Command, caller: Caller): void {
  const { target, out } = caller;
  program
    .command("token")
    .description("print a dev token for a user")
    .argument("<user>", "the user id", userOf)
    .option("--svc", "a service token, with which a back end may act for users over HTTP")
    .option("--admin", "a token of an administrator")
    .action(async (user: UserId, claims: { readonly svc?: true; readonly admin?: true }) => {
      const token = await devToken(target().url, user, claims);
      out.print({ user, token }, token);
    });

  program
    .command("send")
    .description("send one message; prints its sequence number")
    .argument("<room>", "the room id", roomOf)
    .argument("<text>", "the text of the message", textOf)
    .option("--thread <n>", "continue the thread of this message", countOf)
    .option("--file <path>", "attach this file; give it again for more, at most 10", filesOf)
    .option("--trace", "trace it through the cluster; prints the message id for `parley trace`")
    .action(async (room: RoomId, text: string, options: SendFlags) => {
      const attachments = await upload(caller, room, options.file ?? []);
      const { connect } = await import("./connect.ts");
      const parley = await connect(caller);
      const asked = {
        ...(attachments.length > 0 && { attachments }),
        ...(options.trace === true && { trace: newTrace() }),
        ...(options.thread !== undefined && { thread: options.thread }),
      };
      const sent = parley.join(room, { tail: 0 }).send({ text }, asked);
      const seconds = SEND_WITHIN_MS / 1_000;
      const failure = `no answer within ${seconds} s: see parley status; --url names another gateway`;
      try {
        const outcome = await withTimeout(sent.done, failure);
        if (outcome.kind === "refused") {
          const { error: code, message } = outcome;
          throw new CliError(`${code}: ${message}`, { code });
        }
        const { seq, at } = outcome;
        const id = options.trace === true ? ` id=${sent.id}` : "";
        out.print({ room, seq, id: sent.id, at }, `${room}#${seq}${id}`);
      } finally {
        parley.close();
      }
    });

  program
    .command("tail")
    .description("follow a room until Ctrl-C")
    .argument("<room>", "the room id", roomOf)
    .option("--after <n>", "begin with the event after this sequence number", countOf)
    .action((room: RoomId, { after }: { after?: number }) => tail(caller, room, after));
}

function filesOf(path: string, before: readonly string[] = []): readonly string[] {
  return [...before, path];
}

/** Uploads the files one after the other. Rejects with CliError for the first that fails. */
async function upload(
  { target, token }: Caller,
  room: RoomId,
  paths: readonly string[],
): Promise<readonly UploadedFile[]> {
  if (paths.length > ATTACHMENTS_MAX) {
    throw new CliError(`a message has at most ${ATTACHMENTS_MAX} files`, { code: "usage" });
  }
  if (paths.length === 0) return [];
  const { Files } = await import("../sdk/files/files.ts");
  const files = new Files({ url: target().url, token: () => token() });
  const uploaded: UploadedFile[] = [];
  for (const path of paths) {
    const file = await openAsBlob(path).catch(() => {
      throw new CliError(`the file ${path} cannot be read`, { code: "no-file" });
    });
    try {
      uploaded.push(await files.upload(room, file, { name: basename(path) }));
    } catch (error: unknown) {
      const { code = "unavailable", message } = error as { code?: string; message: string };
      throw new CliError(`${path}: ${message}`, { code });
    }
  }
  return uploaded;
}

async function tail(caller: Caller, room: RoomId, after: number | undefined): Promise<void> {
  const { connect } = await import("./connect.ts");
  const parley = await connect(caller);
  const handle = parley.join(room, after === undefined ? { tail: 20 } : { after });
  handle.on("event", (event) => caller.out.print(event, readable(event)));
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
    if (status === "left") reject(new CliError(why, { code: "forbidden" }));
  });
  process.once("SIGINT", () => stop());
  process.once("SIGTERM", () => stop());
  try {
    await Promise.race([left, stopped]);
  } finally {
    parley.close();
  }
}

/** A W3C traceparent with the sampled flag set. */
function newTrace(): string {
  return `00-${randomBytes(16).toString("hex")}-${randomBytes(8).toString("hex")}-01`;
}

/** Rejects with CliError when `promise` is not settled in time. */
function withTimeout<T>(promise: Promise<T>, failure: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const fail = (): void => reject(new CliError(failure, { code: "timeout" }));
    const timer = setTimeout(fail, SEND_WITHIN_MS);
    void promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
