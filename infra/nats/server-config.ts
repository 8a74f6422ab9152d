// Server configuration: the text of one of three NATS servers, for containers and for hosts. Pure.
// The chart's own template has the same settings.

export interface ServerOptions {
  readonly name: string;
  /** The address on which clients and servers reach it. */
  readonly address: string;
  /** Where JetStream keeps its files. */
  readonly storeDir: string;
  /** The maximum bytes of all files, for example 20GB. */
  readonly fileStoreMax: string;
  /** The hosts of all servers; their number is the size of the cluster. */
  readonly hosts: readonly string[];
  readonly routeSecret: string;
  /** `authorization { … }` of permissions.ts. */
  readonly authorization: string;
}

export const NATS_PORT = 4222;
export const NATS_ROUTE_PORT = 6222;
export const NATS_MONITOR_PORT = 8222;

export function serverConfig(options: ServerOptions): string {
  const { name, address, storeDir, fileStoreMax, hosts, routeSecret, authorization } = options;
  const routes = hosts.map(
    (host) => `"nats-route://route:${routeSecret}@${host}:${NATS_ROUTE_PORT}"`,
  );
  return `server_name: "${name}"
listen: "${address}:${NATS_PORT}"
http: "127.0.0.1:${NATS_MONITOR_PORT}"
max_payload: 1MB
jetstream {
  store_dir: "${storeDir}"
  # An append is confirmed only after it is on the disk.
  sync_interval: always
  max_file_store: ${fileStoreMax}
}
cluster {
  name: "parley"
  listen: "${address}:${NATS_ROUTE_PORT}"
  authorization { user: "route", password: "${routeSecret}", timeout: 2 }
  routes: [${routes.join(", ")}]
  # A write to a stalled server would otherwise block elections.
  write_deadline: "1s"
  write_timeout: "close"
  ping_interval: "2s"
  ping_max: 2
}
${authorization}`;
}
