// Inventory: the hosts of a lab in the groups of the playbook. Pure.

import { GATEWAY_ADDRESS, SHARED_GROUP } from "./lab.ts";
import type { Lab } from "./lab.ts";

export const HOSTS = ["chat-1", "chat-2", "chat-3"] as const;
export const PARTITIONS = 8;
export const WATCHDOG_SECONDS = 30;
type Host = (typeof HOSTS)[number];

/** Two hosts for each service, so that one of them can be away. The admin page has one at most. */
export const GROUPS = {
  nats: ["chat-1", "chat-2", "chat-3"],
  postgres_primary: ["chat-1"],
  postgres_standby: ["chat-2"],
  persistence: ["chat-1", "chat-2"],
  webhooks: ["chat-1", "chat-3"],
  rooms: ["chat-2", "chat-3"],
  gateways: ["chat-1", "chat-3"],
  operator: ["chat-2"],
} as const satisfies Readonly<Record<string, readonly Host[]>>;

export type Groups = Readonly<Record<keyof typeof GROUPS, readonly Host[]>>;

/** YAML contains JSON. */
export function inventoryText(
  lab: Pick<Lab, "hosts" | "keyFile" | "sshOptions">,
  { keys, natsServer }: { readonly keys: string; readonly natsServer: string },
  groups: Groups = GROUPS,
): string {
  const hostsOf = (names: readonly string[]): object => ({
    hosts: Object.fromEntries(names.map((name) => [name, {}])),
  });
  return JSON.stringify({
    all: {
      vars: {
        ansible_user: "root",
        ansible_ssh_private_key_file: lab.keyFile,
        ansible_ssh_common_args: lab.sshOptions.join(" "),
        parley_auth: "dev",
        parley_secrets: keys,
        parley_nats_server: natsServer,
        parley_partitions: PARTITIONS,
        parley_nats_store_max: "5GB",
        parley_watchdog_seconds: WATCHDOG_SECONDS,
        parley_apt_update: false, // The hosts reach no mirror.
        parley_postgres_clients: [`${GATEWAY_ADDRESS}/32`], // For the dump after the run.
        parley_webhooks_allow: [`${GATEWAY_ADDRESS}/32`], // The receiver of the run.
        parley_webhooks_http: true,
        parley_attachments_store: "folder", // The one that the hosts share.
        parley_attachments_gid: SHARED_GROUP,
        // All clients have one address, and the checker needs the whole log.
        parley_environment: {
          gateway: { LIMITS: "off" },
          persistence: { LOG_KEEP_ENTRIES: "10000000" },
        },
      },
      hosts: Object.fromEntries(
        lab.hosts.map(({ name, address }) => [name, { ansible_host: address }]),
      ),
      children: Object.fromEntries(
        Object.entries(groups).map(([group, names]) => [group, hostsOf(names)]),
      ),
    },
  });
}
