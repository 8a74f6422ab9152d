// Service manager: real child processes, with a script in place of systemd-notify.
// `make test-hosts` runs it under a real systemd.

import { expect } from "chai";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "#shared/testing/wait.ts";

describe("Service manager", () => {
  let dir = "";
  let child: ChildProcess | undefined;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "parley-service-manager-"));
    script('echo "$@" >> "$MESSAGES"');
  });
  afterEach(async () => {
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    child = undefined;
    rmSync(dir, { recursive: true });
  });

  function script(body: string): void {
    writeFileSync(join(dir, "systemd-notify"), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  }

  /** A process that is ready at once and then runs `body`. */
  function start(env: NodeJS.ProcessEnv, body = "setInterval(() => {}, 1000);"): ChildProcess {
    const program = `
      import { createLogger } from "#shared/process/logger.ts";
      import { openServiceManager } from "#shared/process/service-manager.ts";
      await openServiceManager(createLogger({ name: "child" })).ready();
      console.log("up");
      ${body}`;
    const { NOTIFY_SOCKET: _1, WATCHDOG_USEC: _2, WATCHDOG_PID: _3, ...outer } = process.env;
    child = spawn(process.execPath, ["--input-type=module-typescript", "--eval", program], {
      cwd: new URL("../../..", import.meta.url),
      env: {
        ...outer,
        PATH: `${dir}:${process.env["PATH"] ?? ""}`,
        MESSAGES: join(dir, "messages"),
        ...env,
      },
      stdio: ["ignore", "pipe", "inherit"],
    });
    return child;
  }

  async function outputOf(process: ChildProcess): Promise<string> {
    let text = "";
    for await (const chunk of process.stdout ?? []) {
      text += String(chunk);
      if (text.includes("up")) return text;
    }
    return text;
  }

  const messages = (): string[] => {
    const file = join(dir, "messages");
    return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
  };

  it("service-manager.1: sends nothing without NOTIFY_SOCKET", async () => {
    await outputOf(start({ WATCHDOG_USEC: "30000" }));
    expect(messages()).to.deep.equal([]);
  });

  it("service-manager.2: sends keep-alives after it is ready, while the event loop runs", async () => {
    await outputOf(start({ NOTIFY_SOCKET: "@test", WATCHDOG_USEC: "300000" }));
    await until(() => messages().length > 2, { withinMs: 20_000, what: "two keep-alives" });
    expect(messages()[0]).to.equal("READY=1");
    expect(new Set(messages().slice(1))).to.deep.equal(new Set(["WATCHDOG=1"]));
  });

  it("service-manager.2: sends none when the event loop stalls", async () => {
    const spin = `
      import { writeFileSync } from "node:fs";
      const endsAt = Date.now() + 1000;
      while (Date.now() < endsAt);
      writeFileSync(process.env.MESSAGES + ".spun", "");
      process.exit();`;
    await outputOf(start({ NOTIFY_SOCKET: "@test", WATCHDOG_USEC: "300000" }, spin));
    await until(() => existsSync(join(dir, "messages.spun")), {
      withinMs: 20_000,
      what: "the loop to stall for a second",
    });
    expect(messages()).to.deep.equal(["READY=1"]);
  });

  it("service-manager.2: ignores the watchdog of another process", async () => {
    const env = { NOTIFY_SOCKET: "@test", WATCHDOG_USEC: "30000", WATCHDOG_PID: "1" };
    const done = 'setTimeout(() => console.log("later"), 500);';
    const running = start(env, done);
    await outputOf(running);
    if (running.exitCode === null) await once(running, "exit");
    expect(messages()).to.deep.equal(["READY=1"]);
  });

  it("service-manager.3: a failing systemd-notify is logged, and the process goes on", async () => {
    script('echo "no such socket" >&2; exit 1');
    const text = await outputOf(start({ NOTIFY_SOCKET: "@test" }));
    expect(text).to.contain("systemd was not notified").and.to.contain("no such socket");
  });
});
