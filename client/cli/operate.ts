// Operate: the commands for operators of a cluster. They need the administrator's NATS user; with
// an embedded cluster they read it from its file. The result goes to standard output with
// console.log; failures are thrown.

import { Option } from "commander";
import type { Command } from "commander";
import type { UserId } from "#shared/protocol/ids.ts";
import { SERVICES } from "#shared/protocol/settings.ts";
import { userOf } from "./arguments.ts";
import { CliError } from "./cli-error.ts";
import { askDrain, askRooms, askStatus } from "./control.ts";
import { kick } from "./kick.ts";
import { setSetting, settingLines, unsetSetting } from "./settings.ts";
import { overviewOf } from "./status.ts";
import type { Target } from "./target.ts";

const ROOMS_SHOWN = 50;

export function addOperatorCommands(program: Command, target: () => Target): void {
  program
    .command("status")
    .description("processes, partitions, owners, archive lag; exit code 1 when there is a problem")
    .action(async () => {
      const { lines, problems } = overviewOf(await askStatus(target().nats));
      for (const line of lines) console.log(line);
      for (const problem of problems) console.log(`PROBLEM ${problem}`);
      process.exitCode = problems.length === 0 ? 0 : 1;
    });
  program
    .command("rooms")
    .description("rooms that have sessions now, the largest first")
    .action(async () => {
      const { rooms, more } = await askRooms(target().nats);
      for (const { room, sessions, head } of rooms.slice(0, ROOMS_SHOWN)) {
        console.log(
          `${String(sessions).padStart(7)} sessions  head ${String(head).padStart(9)}  ${room}`,
        );
      }
      const left = rooms.length - Math.min(rooms.length, ROOMS_SHOWN) + more;
      if (left > 0) console.log(`… and ${left} more rooms`);
    });
  program
    .command("drain")
    .description("hand over the work of one process and stop it")
    .argument("<process>", "its id or the start of it, or its name in the embedded cluster")
    .action(async (name: string) => console.log(await drain(target(), name)));
  program
    .command("kick")
    .description("revoke all present tokens of a user and close the user's connections")
    .argument("<user>", "the user id", userOf)
    .action(async (user: UserId) => {
      console.log(`closed ${await kick(target().nats, user)} connections`);
    });
  addSettings(program, target);
}

/** Drains the process with this id, start of an id, or name in the embedded cluster ("room-1"). */
async function drain({ nats, pids }: Target, name: string): Promise<string> {
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
  if (!(await askDrain(nats, found.id))) {
    throw new CliError(`${found.id} did not answer: see parley status`);
  }
  return `${found.id} hands over its work and exits; its supervisor decides whether to restart it`;
}

function addSettings(program: Command, target: () => Target): void {
  const config = program.command("config").description("settings of the running cluster");
  const service = (): Option =>
    new Option("--service <service>", "only this service; without it, every service").choices(
      SERVICES,
    );
  config
    .command("get")
    .description("show each stored value, who set it and when")
    .action(async () => {
      for (const line of await settingLines(target().nats)) console.log(line);
    });
  config
    .command("set <name> <value>")
    .description("change a setting on every process within a second")
    .addOption(service())
    .action(async (name: string, value: string, options: { service?: string }) => {
      console.log(await setSetting(target().nats, { name, value, ...options }));
    });
  config
    .command("unset <name>")
    .description("return to the value with which each process started")
    .addOption(service())
    .action(async (name: string, options: { service?: string }) => {
      console.log(await unsetSetting(target().nats, { name, ...options }));
    });
}
