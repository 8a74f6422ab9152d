// Operate: the commands for operators of a cluster. They need the administrator's NATS user; with
// an embedded cluster they read it from its file. The code of each is loaded when it runs.

import { Option } from "commander";
import type { Command } from "commander";
import { SERVICES } from "#shared/protocol/ids.ts";
import type { UserId } from "#shared/protocol/ids.ts";
import { userOf } from "./arguments.ts";
import type { Caller } from "./change.ts";
import { CliError } from "./cli-error.ts";
import type { Target } from "./target.ts";

const ROOMS_SHOWN = 50;

export function addOperatorCommands(program: Command, { target, out }: Caller): void {
  program
    .command("status")
    .description("processes, partitions, owners, archive lag; exit code 1 when there is a problem")
    .action(async () => {
      const [{ askStatus }, { overviewOf }] = await Promise.all([
        import("./control.ts"),
        import("./status.ts"),
      ]);
      const { nats, embedded } = target();
      const answers = await askStatus(nats, embedded);
      const { processes, partitions, lines, problems } = overviewOf(answers);
      for (const line of lines) out.note(line);
      out.print({ processes, partitions, problems }, ...problems.map((text) => `PROBLEM ${text}`));
      process.exitCode = problems.length === 0 ? 0 : 1;
    });
  program
    .command("rooms")
    .description("rooms that have sessions now, the largest first")
    .action(async () => {
      const { askRooms } = await import("./control.ts");
      const { rooms, more } = await askRooms(target().nats);
      for (const { room, sessions, head } of out.isJson ? rooms : rooms.slice(0, ROOMS_SHOWN)) {
        const counts = `${String(sessions).padStart(7)} sessions  head ${String(head).padStart(9)}`;
        out.print({ room, sessions, head }, `${counts}  ${room}`);
      }
      const left = rooms.length - Math.min(rooms.length, ROOMS_SHOWN) + more;
      if (left > 0) out.note(`… and ${left} more rooms`);
    });
  program
    .command("drain")
    .description("hand over the work of one process and stop it")
    .argument("<process>", "its id or the start of it, or its name in the embedded cluster")
    .action(async (name: string) => {
      const id = await drain(target(), name);
      const text = "hands over its work and exits; its supervisor decides whether to restart it";
      out.print({ process: id }, `${id} ${text}`);
    });
  program
    .command("kick")
    .description("revoke all present tokens of a user and close the user's connections")
    .argument("<user>", "the user id", userOf)
    .action(async (user: UserId) => {
      const { kick } = await import("./kick.ts");
      const closed = await kick(target().nats, user);
      out.print({ user, closed }, `closed ${closed} connections`);
    });
  addSettings(program, { target, out });
}

/**
 * Drains the process with this id, start of an id, or name in the embedded cluster ("room-1"), and
 * returns its id.
 */
async function drain({ nats, pids }: Target, name: string): Promise<string> {
  const { asOperator, askStatus } = await import("./control.ts");
  const processes = await askStatus(nats);
  const pid = pids.get(name);
  const matching = processes.filter((one) =>
    pid === undefined ? one.id.startsWith(name) : one.pid === pid,
  );
  const [found] = matching;
  if (found === undefined) {
    const ids = processes.map(({ id }) => id).join(", ");
    throw new CliError(`no running process has the id ${name}: the processes are ${ids || "none"}`);
  }
  if (matching.length > 1) {
    const ids = matching.map(({ id }) => id).join(", ");
    throw new CliError(`several ids begin with ${name}: give one of ${ids}`);
  }
  if (!(await asOperator(nats, (requests, by) => requests.drain(by, found.id)))) {
    throw new CliError(`${found.id} did not answer: see parley status`);
  }
  return found.id;
}

function addSettings(program: Command, { target, out }: Pick<Caller, "target" | "out">): void {
  const config = program.command("config").description("settings of the running cluster");
  const service = (): Option =>
    new Option("--service <service>", "only this service; without it, every service").choices(
      SERVICES,
    );
  config
    .command("get")
    .description("show each stored value, who set it and when")
    .action(async () => {
      const { settingLine, storedSettings } = await import("./settings.ts");
      for (const one of await storedSettings(target().nats)) out.print(one, settingLine(one));
    });
  config
    .command("set <name> <value>")
    .description("change a setting on every process within a second")
    .addOption(service())
    .action(async (name: string, value: string, options: { service?: string }) => {
      const { setSetting } = await import("./settings.ts");
      const text = await setSetting(target().nats, { name, value, ...options });
      out.print({ setting: name, scope: options.service ?? "all", value }, text);
    });
  config
    .command("unset <name>")
    .description("return to the value with which each process started")
    .addOption(service())
    .action(async (name: string, options: { service?: string }) => {
      const { unsetSetting } = await import("./settings.ts");
      const text = await unsetSetting(target().nats, { name, ...options });
      out.print({ setting: name, scope: options.service ?? "all", value: null }, text);
    });
}
