// The search for nats-server, with small scripts instead of real servers.

import { expect } from "chai";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureNatsServer, isNewEnough, parseVersion, pinnedVersion } from "../nats-server.ts";
import { ToolMissing } from "../programs.ts";

describe("ensureNatsServer", () => {
  let dir = "";
  const quiet = (): void => undefined;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "parley-tools-"));
  });
  afterEach(() => rm(dir, { recursive: true }));

  async function script(name: string, body: string): Promise<string> {
    const path = join(dir, name);
    await writeFile(path, `#!/bin/sh\n${body}\n`);
    await chmod(path, 0o755);
    return path;
  }
  const server = (name: string, version: string): Promise<string> =>
    script(name, `echo "nats-server: v${version}"`);
  const ensure = (env: NodeJS.ProcessEnv, tools = join(dir, "none")): Promise<string> =>
    ensureNatsServer({ env, tools, goPath: env["PATH"] ?? "", say: quiet });

  async function complaint(promise: Promise<string>): Promise<string> {
    try {
      return `no error: ${await promise}`;
    } catch (error: unknown) {
      expect(error).to.be.instanceOf(ToolMissing);
      return (error as ToolMissing).message;
    }
  }

  it("nats-server.1: NATS_SERVER takes precedence", async () => {
    const named = await server("mine", "2.14.4");
    await server("nats-server", "2.15.9");
    expect(await ensure({ NATS_SERVER: named, PATH: dir }, dir)).to.equal(named);
  });

  it("D7: refuses a NATS_SERVER below 2.14.4 although PATH has a newer one", async () => {
    const named = await server("mine", "2.14.3");
    await server("nats-server", "2.15.2");
    expect(await complaint(ensure({ NATS_SERVER: named, PATH: dir }))).to.contain("is 2.14.3");
  });

  it("nats-server.2: fails when NATS_SERVER names no program", async () => {
    expect(await complaint(ensure({ NATS_SERVER: join(dir, "no") }))).to.contain("does not answer");
  });

  it("nats-server.1: uses the tools folder only with exactly the pinned version", async () => {
    const built = await server("nats-server", await pinnedVersion());
    expect(await ensure({ PATH: "" }, dir)).to.equal(built);
    await server("nats-server", "2.14.4");
    expect(await complaint(ensure({ PATH: "" }, dir))).to.contain("was not found");
  });

  it("nats-server.1: uses the program on PATH when it is new enough", async () => {
    const found = await server("nats-server", "3.0.0");
    expect(await ensure({ PATH: dir })).to.equal(found);
  });

  it("D7: lists all options when PATH has an old version and Go is missing", async () => {
    await server("nats-server", "2.9.0");
    const text = await complaint(ensure({ PATH: dir }));
    for (const way of ["is 2.9.0", "2.14.4", "Go", "NATS_SERVER", "NATS_URL", "Docker"]) {
      expect(text).to.contain(way);
    }
  });

  it("nats-server.3: a failed build leaves no file and reports the reason", async () => {
    await script("go", `touch "$3"; echo "no such module" >&2; exit 1`);
    const text = await complaint(ensure({ PATH: `${dir}:/usr/bin:/bin` }, join(dir, "tools")));
    expect(text).to.contain("no such module");
    expect(await complaint(ensure({ PATH: "" }, join(dir, "tools")))).to.contain("was not found");
  });

  it("nats-server.3: a build appears under its name", async () => {
    const version = await pinnedVersion();
    await script(
      "go",
      `printf '#!/bin/sh\\necho "nats-server: v${version}"' > "$3"; chmod +x "$3"`,
    );
    const env = { PATH: `${dir}:/usr/bin:/bin` };
    const built = await ensure(env, join(dir, "tools"));
    expect(built).to.equal(join(dir, "tools", "nats-server"));
    expect(await ensure({ PATH: "" }, join(dir, "tools"))).to.equal(built);
  });

  it("D7: compares versions by number, not by text", () => {
    expect(["2.14.4", "2.14.10", "2.15.0", "3.0.0"].every((v) => isNewEnough(v))).to.equal(true);
    expect(["2.14.3", "2.9.99", "1.99.99"].some((v) => isNewEnough(v))).to.equal(false);
    expect(parseVersion("nats-server: v2.15.2-beta")).to.equal("2.15.2");
    expect(parseVersion("something else")).to.equal(undefined);
  });
});
