// The protocol page is true: its programs run, and its examples get the answers that it shows.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { WebSocket } from "ws";
import { until } from "#shared/testing/wait.ts";
import { startCluster } from "#infra/embedded/cluster.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";
import { devToken } from "../wire-client/dev-token.ts";
import { socketUrl } from "./clients.ts";
import { codeOf, differenceOf, exchangesOf, readPage, stepsOf } from "./protocol-page.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** Where the page's programs expect a gateway. */
const DEFAULT_ADDRESS = "localhost:8080";
const WITHIN_MS = 10_000;

/** A WebSocket that keeps the frames that it received and that no example has taken yet. */
class ExampleSocket {
  readonly socket: WebSocket;
  readonly frames: unknown[] = [];
  closeCode: number | undefined;

  constructor(url: string) {
    this.socket = new WebSocket(url, "parley.v1");
    this.socket.on("message", (data: Buffer) => {
      for (const line of data.toString().split("\n")) this.frames.push(JSON.parse(line));
    });
    this.socket.on("close", (code) => (this.closeCode = code));
  }

  async send(frame: string): Promise<void> {
    await until(() => this.socket.readyState === WebSocket.OPEN, {
      withinMs: WITHIN_MS,
      what: "open",
    });
    this.socket.send(frame);
  }

  /**
   * Takes the frame of the page from those that came. The order of frames of two kinds may differ.
   */
  async take(shown: { readonly [key: string]: unknown }): Promise<void> {
    const candidates = (): unknown[] =>
      this.frames.filter((came) => (came as { t?: unknown }).t === shown["t"]);
    const fitting = (): unknown =>
      candidates().find((came) => differenceOf(shown, came) === undefined);
    await until(() => fitting() !== undefined, {
      withinMs: WITHIN_MS,
      what: JSON.stringify(shown),
    }).catch((error: unknown) => {
      const differences = candidates().map((came) => differenceOf(shown, came));
      throw new Error(differences.join("; ") || "no frame of this type came", { cause: error });
    });
    this.frames.splice(this.frames.indexOf(fitting()), 1);
  }

  async closed(): Promise<number | undefined> {
    await until(() => this.closeCode !== undefined, { withinMs: WITHIN_MS, what: "the close" });
    return this.closeCode;
  }
}

/** Runs a module from its text, as `node file.mjs` in the root would; resolves with its output. */
async function runUntil(code: string, expected: RegExp, env: NodeJS.ProcessEnv): Promise<string> {
  const args = ["--input-type=module-typescript", "-"];
  const child = spawn(process.execPath, args, { cwd: ROOT, env: { ...process.env, ...env } });
  let output = "";
  child.stdout.on("data", (data: Buffer) => (output += data.toString()));
  child.stderr.on("data", (data: Buffer) => (output += data.toString()));
  child.stdin.end(code);
  try {
    await until(() => expected.test(output) || child.exitCode !== null, {
      withinMs: WITHIN_MS,
      what: `${expected} in the output of the program`,
    });
    return output;
  } finally {
    child.kill();
  }
}

describe("The protocol page against a cluster", function () {
  this.timeout(120_000);
  const page = readPage();
  let cluster: Cluster;
  let dataDir: string;

  before(async () => {
    dataDir = mkdtempSync(join(tmpdir(), "parley-protocol-"));
    const say = (): void => undefined;
    cluster = await startCluster({ dataDir, port: 0, partitions: 2, restart: false, say });
  });
  after(async () => {
    await cluster.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it("every example gets the answers that the page shows, and no other frame", async () => {
    const sockets = new Map<string, ExampleSocket>();
    const tokens = new Map<string, string>();
    const socketOf = (user: string): ExampleSocket => {
      const known = sockets.get(user) ?? new ExampleSocket(socketUrl(cluster));
      sockets.set(user, known);
      return known;
    };
    for (const step of stepsOf(page)) {
      const socket = socketOf(step.user);
      if (step.kind === "receive") await socket.take(step.frame);
      else if (step.kind === "closed") expect(await socket.closed()).to.equal(step.code);
      else {
        // One token for each user: an address has a rate.
        const token = tokens.get(step.user) ?? (await devToken(cluster.url, step.user));
        tokens.set(step.user, token);
        await socket.send(step.frame.replace(`<token of ${step.user}>`, token));
      }
    }
    for (const [user, { frames, socket }] of sockets) {
      // `typing` goes to its sender too; presence is repeated. The page says both.
      const others = (frames as { t: string }[]).filter(
        ({ t }) => t !== "typing" && t !== "presence",
      );
      expect(others, `further frames of ${user}`).to.deep.equal([]);
      socket.terminate();
    }
  });

  it("every HTTP example gets the answer that the page shows", async () => {
    const token = await devToken(cluster.url, "ada");
    const authorization = `Bearer ${token}`;
    for (const { method, path, body = null, status, answer } of exchangesOf(page)) {
      const content = body !== null && { "content-type": "application/json" };
      const headers = { authorization, ...content };
      const response = await fetch(new URL(path, cluster.url), { method, headers, body });
      const what = `${method} ${path}`;
      expect(response.status, what).to.equal(status);
      expect(differenceOf(answer, await response.json()), what).to.equal(undefined);
    }
  });

  it("the complete client runs as it stands and prints its own message", async () => {
    const code = codeOf(page, "js");
    const output = await runUntil(code, /\d+ ada: hello/, { PARLEY_URL: cluster.url });
    expect(output).to.match(/^\d+ ada: hello/m);
  });

  it("the SDK's example runs as it stands and prints its own message and the result", async () => {
    const { host } = new URL(cluster.url);
    const code = codeOf(page, "ts").replaceAll(DEFAULT_ADDRESS, host);
    const output = await runUntil(code, /kind: .acked/, {});
    expect(output)
      .to.match(/^\d+ ada: hello$/m)
      .and.to.match(/kind: 'acked', seq: \d+/);
  });
});
