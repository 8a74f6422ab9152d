// The programs of examples/, each run as a user runs it: with the packed SDK, a real cluster, and a
// real browser.

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Browser, Page } from "playwright-core";
import { chromium } from "playwright-core";
import { devToken } from "#client/sdk/dev-token.ts";
import { Parley } from "#client/sdk/parley.ts";
import { startCluster } from "#infra/embedded/cluster.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";
import { choosePort } from "#infra/embedded/ports.ts";
import { until } from "#shared/testing/wait.ts";
import { REPOSITORY } from "#infra/embedded/service-process.ts";
import { ensurePythonSdk } from "#tools/programs/python-sdk.ts";
import { ensureChromium } from "#tools/programs/chromium.ts";
import { PageServer, SdkProject } from "./sdk-project.ts";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--no-first-run",
];
const PATIENCE_MS = 30_000;
/** What `npm install` brings for the back end. */
const WEBHOOK_LIBRARY = ["standardwebhooks", "@stablelib/base64", "fast-sha256"];

describe("Examples", function () {
  this.timeout(240_000);

  let pages: PageServer;
  let cluster: Cluster;
  let browser: Browser;
  const dataDir = mkdtempSync(join(tmpdir(), "parley-examples-"));

  before(async () => {
    const executablePath = await ensureChromium();
    expect(executablePath, "no Chromium; set CHROMIUM").to.be.a("string");
    pages = await PageServer.start();
    const env = { ORIGINS: pages.origin, WEBHOOKS_HTTP: "1", WEBHOOKS_ALLOW: "127.0.0.0/8" };
    const fixed = { dataDir, port: 0, partitions: 4, gateways: 2, webhooks: 1 };
    cluster = await startCluster({ ...fixed, say: () => undefined, env });
    browser = await chromium.launch({ executablePath: executablePath!, args: FLAGS });
  });
  after(async () => {
    await browser?.close();
    await cluster?.stop();
    await pages?.[Symbol.asyncDispose]();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const address = (user: string, path = "/"): string => {
    const query = new URLSearchParams({ gateway: cluster.url, user });
    return `${pages.origin}${path}?${query.toString()}`;
  };
  const eventually = (what: string, check: () => boolean | Promise<boolean>): Promise<void> =>
    until(check, { withinMs: PATIENCE_MS, what });
  const linesOf = (page: Page): Promise<string[]> => page.locator("li").allTextContents();
  const shows = (page: Page, text: string): Promise<void> =>
    eventually(`"${text}"`, async () => (await linesOf(page)).some((line) => line.includes(text)));
  const send = async (page: Page, text: string): Promise<void> => {
    await page.locator("input").fill(text);
    await page.locator("input").press("Enter");
  };
  const joinAs = async (user: string, room: string, at = cluster.url): Promise<Parley> => {
    const url = `${at.replace("http", "ws")}/v1/ws`;
    const parley = new Parley({ url, token: () => devToken(cluster.url, user) });
    const handle = parley.join(room);
    parley.connect();
    await handle.live();
    return parley;
  };

  it("K6: html: two tabs chat; what was sent while the gateway was down survives a reload and the crash of a tab", async () => {
    await using project = await SdkProject.create([], "examples/html");
    pages.show(project.folder);
    const context = await browser.newContext();
    const [ada, twin] = [await context.newPage(), await context.newPage()];
    const failures: string[] = [];
    ada.on("pageerror", (error) => failures.push(String(error)));
    await ada.goto(address("ada"));
    await twin.goto(address("ada"));
    await send(ada, "hello");
    for (const page of [ada, twin]) await shows(page, "ada: hello");

    cluster.pause("gateway-1");
    await send(ada, "before the reload");
    await send(twin, "before the crash");
    for (const [page, text] of [
      [ada, "… before the reload"],
      [twin, "… before the crash"],
    ] as const) {
      await shows(page, text);
    }
    await stored(ada, 2);
    await twin.close();
    await ada.reload();
    cluster.resume("gateway-1");
    await shows(ada, "ada: before the reload");
    await shows(ada, "ada: before the crash");
    const lines = await linesOf(ada);
    expect(lines.filter((line) => line.includes("before"))).to.have.length(2);
    await stored(ada, 0);
    expect(failures).to.deep.equal([]);
    await context.close();
  });

  /** The number of sends in the browser's store. */
  const stored = (page: Page, count: number): Promise<void> =>
    eventually(`${count} stored sends`, async () => {
      const found = await page.evaluate(
        () =>
          new Promise<number>((resolve, reject) => {
            const request = indexedDB.open("parley-outbox:ada");
            request.addEventListener("error", () => reject(new Error("no database")));
            request.addEventListener("success", () => {
              const counted = request.result.transaction("sends").objectStore("sends").count();
              counted.addEventListener("success", () => {
                request.result.close();
                resolve(counted.result);
              });
            });
          }),
      );
      return found === count;
    });

  it("react: type-checks, builds, and shows edits and reactions of others", async () => {
    const links = ["react", "react-dom", "@types/react", "@types/react-dom", "csstype", "vite"];
    await using project = await SdkProject.create([...links, "typescript"], "examples/react");
    await project.runPackage("typescript/bin/tsc");
    await project.runPackage("vite/bin/vite.js", "build", "--logLevel", "error");
    pages.show(join(project.folder, "dist"));
    const page = await browser.newPage();
    const failures: string[] = [];
    page.on("pageerror", (error) => failures.push(String(error)));
    await page.goto(address("grace"));
    await eventually(
      "online",
      async () => (await page.getByRole("status").textContent()) === "online",
    );
    await send(page, "from react");
    await shows(page, "grace: from react");
    const ben = await joinAs("ben", "general");
    const room = ben.join("general");
    const result = await room.send({ text: "a typo" }).done;
    expect(result.kind).to.equal("acked");
    const seq = result.kind === "acked" ? result.seq : 0;
    await room.edit(seq, { text: "no typo" }).done;
    await shows(page, "ben: no typo edited");
    await page.locator("li", { hasText: "no typo" }).getByRole("button").click();
    await shows(page, "👍 1");
    await room.delete(seq).done;
    await shows(page, "This message was deleted.");
    expect(failures).to.deep.equal([]);
    ben.close();
    await page.close();
  });

  /** Starts a bot, and resolves when it prints `ready`. */
  const startBot = async (
    project: SdkProject,
    program: string,
    args: readonly string[],
    ready: string,
    more: NodeJS.ProcessEnv = {},
  ): Promise<ChildProcess & { readonly output: () => string }> => {
    const child = spawn(program, args, {
      cwd: project.folder,
      env: { ...process.env, PARLEY_URL: cluster.url, ...more },
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    await eventually(`the program prints ${ready}`, () => output.includes(ready));
    return Object.assign(child, { output: () => output });
  };

  it("node-bot: answers once, also when it is killed and starts again", async () => {
    await using project = await SdkProject.create([], "examples/node-bot");
    const start = (): Promise<ChildProcess> =>
      startBot(project, process.execPath, ["bot.js"], "rolling");
    const ben = await joinAs("ben", "general");
    const room = ben.join("general");
    const answers: string[] = [];
    room.on("event", (event) => {
      if (event.t === "msg" && event.from === "dice") answers.push(String(event.body["text"]));
    });
    const first = await start();
    await room.send({ text: "!roll 6" }).done;
    await eventually("an answer", () => answers.length === 1);
    expect(answers[0]).to.match(/^ben rolled [1-6]$/);
    first.kill("SIGKILL");
    await once(first, "exit");
    const second = await start();
    await room.send({ text: "!roll 2" }).done;
    await eventually("another answer", () => answers.length === 2);
    second.kill("SIGTERM");
    const [code] = (await once(second, "exit")) as [number | null];
    expect(code).to.equal(0);
    expect(answers).to.have.length(2);
    ben.close();
  });

  /** The number of a user's sessions in the list. */
  async function sessionsOf(user: string, token: string): Promise<number> {
    const headers = { authorization: `Bearer ${token}` };
    const answer = await fetch(`${cluster.url}/v1/users/${user}/sessions`, { headers });
    const { sessions } = (await answer.json()) as { readonly sessions: readonly object[] };
    return sessions.length;
  }

  it("B1, W1, W7: backend: creates a room, posts as ada, receives the answer once, and the end of each session of a killed gateway", async () => {
    await using project = await SdkProject.create(WEBHOOK_LIBRARY, "examples/backend");
    const port = String(await choosePort(0));
    const more = { PORT: port };
    const backend = await startBot(project, process.execPath, ["backend.js"], "listening", more);
    const [, room = ""] = /listening (order-\d+)/.exec(backend.output()) ?? [];
    const ben = await joinAs("ben", room);
    const { events } = await ben.join(room).history({ limit: 10 });
    const texts = events.map((event) => (event.t === "msg" ? event.body["text"] : event.t));
    expect(texts.at(-1)).to.equal("Is it paid?");
    expect(events.at(-1)?.from).to.equal("ada");
    await ben.join(room).send({ text: "Yes, yesterday." }).done;
    const line = `${room}: ben wrote "Yes, yesterday."`;
    await eventually("the answer", () => backend.output().includes(line));
    expect(backend.output().split(line)).to.have.length(2);
    ben.close();

    const doomed = cluster.info().gateways[1]?.url;
    const users = ["dan", "eve", "fay"];
    const clients = await Promise.all(users.map((user) => joinAs(user, "general", doomed)));
    const stays = await joinAs("gus", "general");
    const lost = () =>
      [...backend.output().matchAll(/^(\w+) left \(gateway-lost\) (\S+)$/gm)].map(([, who]) => who);
    // One token for all looks: an address gets few dev tokens a second.
    const tokens = await Promise.all(users.map((user) => devToken(cluster.url, user)));
    // SL1, SL4: a gateway may write a session up to a second after its start.
    await eventually("the sessions in the list", async () => {
      const counts = await Promise.all(users.map((user, n) => sessionsOf(user, tokens[n] ?? "")));
      return counts.every((count) => count === 1);
    });
    await cluster.kill("gateway-2");
    await eventually("the ends of all sessions", () => lost().length >= users.length);
    for (const client of [...clients, stays]) client.close();
    await eventually("the end of gus", () => backend.output().includes("gus left (left)"));
    expect(lost()).to.have.members(users); // Each once.
    backend.kill();
    await once(backend, "exit");
  });

  it("python-bot: greets who says hello, and ends with SIGTERM", async () => {
    const bin = await ensurePythonSdk();
    await using project = await SdkProject.create([], "examples/python-bot");
    const ben = await joinAs("ben", "general");
    const room = ben.join("general");
    const answers: string[] = [];
    room.on("event", (event) => {
      if (event.t === "msg" && event.from === "greeter") answers.push(String(event.body["text"]));
    });
    const source = join(REPOSITORY, "client/python/src");
    const python = join(bin, "python");
    const bot = await startBot(project, python, ["bot.py"], "listening", { PYTHONPATH: source });
    // The bot may still join: the first message that it sees is answered.
    await eventually("an answer", async () => {
      await room.send({ text: "hello bot" }).done;
      return answers.length > 0;
    });
    expect(answers[0]).to.match(/^Hello ben, message \d+\.$/);
    bot.kill("SIGTERM");
    const [code] = (await once(bot, "exit")) as [number | null];
    expect(code).to.equal(0);
    ben.close();
  });
});
