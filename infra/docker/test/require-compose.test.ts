// What `make up` prints when Docker, Compose v2 or the daemon is missing: one line, before it
// changes anything. Small scripts take the place of `docker`.

import { expect } from "chai";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { REPOSITORY } from "../../embedded/service-process.ts";
import { whichOn } from "#tools/programs/programs.ts";

const SCRIPT = join(REPOSITORY, "infra/docker/require-compose.sh");
const UP = 'case "$*" in "compose version"*) echo 2.40.3 ;; *) echo 28.2.2 ;; esac';
const STOPPED = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock.";

describe("require-compose.sh", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "parley-require-compose-"));
    for (const name of ["sh", "grep", "head", "make", "sed"]) {
      symlinkSync(whichOn(process.env["PATH"] ?? "", name)!, join(folder, name));
    }
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function docker(body: string): void {
    writeFileSync(join(folder, "docker"), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  }

  function check(): { readonly status: number | null; readonly lines: readonly string[] } {
    const { status, stdout, stderr } = spawnSync(SCRIPT, {
      env: { PATH: folder },
      encoding: "utf8",
    });
    return { status, lines: `${stdout}${stderr}`.split("\n").filter((line) => line !== "") };
  }

  it("prints nothing when Docker, Compose v2 and the daemon answer", () => {
    docker(UP);
    expect(check()).to.deep.equal({ status: 0, lines: [] });
  });

  for (const { what, body, words } of [
    { what: "no docker", body: undefined, words: ["docker was not found", "make start"] },
    {
      what: "a docker without Compose",
      body: 'case "$1" in compose) echo "docker: unknown command: docker compose" >&2; exit 1 ;; *) echo 20.10.24 ;; esac',
      words: ["no Compose v2", "docker-compose-plugin"],
    },
    {
      what: "a docker that prints its help for compose",
      body: 'case "$1" in compose) exit 0 ;; *) echo 20.10.24 ;; esac',
      words: ["no Compose v2"],
    },
    {
      what: "Compose 1",
      body: 'case "$1" in compose) echo 1.29.2 ;; *) echo 20.10.24 ;; esac',
      words: ["version 1.29.2", "Compose v2 is required"],
    },
    {
      what: "a daemon that does not run",
      body: `case "$1" in compose) echo v2.40.3 ;; *) echo; echo "${STOPPED}" >&2; exit 1 ;; esac`,
      words: ["the Docker daemon does not answer", STOPPED, "systemctl start docker"],
    },
  ]) {
    it(`prints one line for ${what}`, () => {
      if (body !== undefined) docker(body);
      const { status, lines } = check();
      expect(status).to.equal(1);
      expect(lines).to.have.length(1);
      for (const word of words) expect(lines[0]).to.contain(word);
    });
  }

  it("make up and make down check this first, and print only that line", () => {
    for (const verb of ["up", "down"]) {
      const { status, stderr, stdout } = spawnSync("make", [verb], {
        cwd: REPOSITORY,
        env: { PATH: folder },
        encoding: "utf8",
      });
      expect(status).to.not.equal(0);
      const lines = `${stdout}${stderr}`.split("\n").filter((line) => line !== "");
      // The second line is that of make: "make: *** [Makefile:1: up] Error 1".
      expect(lines).to.have.length(2);
      expect(lines[0]).to.contain("docker was not found");
    }
    const makefile = readFileSync(join(REPOSITORY, "Makefile"), "utf8");
    for (const verb of ["up", "down"]) {
      expect(makefile).to.match(
        new RegExp(`^${verb}:.*\\n\\t@infra/docker/require-compose.sh\\n`, "m"),
      );
    }
  });
});
