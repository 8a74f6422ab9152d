// Commands for whoever operates a cluster: settings. They need the administrator's NATS user.

import type { Command } from "commander";
import { setSetting, settingLines, unsetSetting } from "./settings.ts";
import type { Target } from "./target.ts";

export function addOperatorCommands(program: Command, target: () => Target): void {
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
