// Commands for whoever operates a cluster. They need the administrator's NATS user, which those of
// the embedded cluster find by themselves.
// Standard output is this command's result, hence console.log; what goes wrong is a thrown error.

import type { Command } from "commander";
import { isUserId } from "#shared/protocol/ids.ts";
import { askDrain, askRooms, askStatus } from "./control.ts";
import { kick } from "./kick.ts";
import { setSetting, settingLines, unsetSetting } from "./settings.ts";
import { overviewOf } from "./status.ts";
import type { Target } from "./target.ts";

const ROOMS_SHOWN = 50;

export function addOperatorCommands(program: Command, target: () => Target): void {
  program
    .command("status")
    .description("nodes, partitions and owners, lag and fill; exit code 1 when something is wrong")
    .action(async () => {
      const { lines, problems } = overviewOf(await askStatus(target().nats));
      for (const line of lines) console.log(line);
      for (const problem of problems) console.log(`PROBLEM ${problem}`);
      process.exitCode = problems.length === 0 ? 0 : 1;
    });
  program
    .command("rooms")
    .description("rooms with sessions now, those with most first")
    .action(async () => {
      const { rooms, more } = await askRooms(target().nats);
      for (const { room, sessions, head } of rooms.slice(0, ROOMS_SHOWN)) {
        console.log(
          `${String(sessions).padStart(7)} sessions  head ${String(head).padStart(9)}  ${room}`,
        );
      }
      const left = rooms.length - Math.min(rooms.length, ROOMS_SHOWN) + more;
      if (left > 0) console.log(`… and ${left} more`);
    });
  program
    .command("drain <node>")
    .description("hand over what a process has and end it; <node>: its id, or the beginning of it")
    .action(async (node: string) => console.log(await drain(target(), node)));
  program
    .command("kick <user>")
    .description("revoke all tokens that a user has now, and close their connections everywhere")
    .action(async (user: string) => {
      if (!isUserId(user)) throw new Error("that is no user id");
      console.log(`${await kick(target().nats, user)} connections were closed`);
    });
  addSettings(program, target);
}

/** The one process that is meant; the embedded cluster's names ("room-1") count too. */
async function drain({ nats, pids }: Target, node: string): Promise<string> {
  const processes = await askStatus(nats);
  const pid = pids.get(node);
  const meant = processes.filter((one) =>
    pid === undefined ? one.id.startsWith(node) : one.pid === pid,
  );
  const [found] = meant;
  if (found === undefined) throw new Error(`no process ${node} answers; see parley status`);
  if (meant.length > 1) throw new Error(`${node} may be ${meant.map(({ id }) => id).join(" or ")}`);
  if (!(await askDrain(nats, found.id))) throw new Error(`${found.id} did not answer`);
  return `${found.id} hands over and ends; its supervisor decides whether it comes back`;
}

function addSettings(program: Command, target: () => Target): void {
  const config = program.command("config").description("settings of the running cluster");
  const service = "gateway, room or persistence; without it, every service";
  config
    .command("get")
    .description("show what is set, by whom and when")
    .action(async () => {
      for (const line of await settingLines(target().nats)) console.log(line);
    });
  config
    .command("set <name> <value>")
    .description("change a setting at once, on every process")
    .option("--service <service>", service)
    .action(async (name: string, value: string, options: { service?: string }) => {
      console.log(await setSetting(target().nats, { name, value, ...options }));
    });
  config
    .command("unset <name>")
    .description("go back to what each process began with")
    .option("--service <service>", service)
    .action(async (name: string, options: { service?: string }) => {
      console.log(await unsetSetting(target().nats, { name, ...options }));
    });
}
