// The package @parley/client, installed from its archive into empty projects.

import { expect } from "chai";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startCluster } from "#infra/embedded/cluster.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";
import { whichOn } from "#tools/programs/programs.ts";
import { printFigure } from "#tools/test-run/figure.ts";
import { quickStartFor, runUntilAcked } from "./quick-start.ts";
import { SdkProject } from "./sdk-project.ts";

const STRICT = {
  target: "es2022",
  lib: ["es2022", "dom", "dom.iterable"],
  types: ["node"],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
  noEmit: true,
};
/** Every entry, and the types that an application names. */
const USE = `
import { Parley, HistoryFailed, type RoomEvent, type TimelineSnapshot } from "@parley/client";
import { indexedDbOutbox } from "@parley/client/browser";
import { fileOutbox, keepIn, type OutboxStore } from "@parley/client/node";
import { devToken } from "@parley/client/dev";
import { useRoom, useTimeline } from "@parley/client/react";
import { useRoom as useRoomInPreact } from "@parley/client/preact";
import { createServerClient, HttpFailed, TokenSigner } from "@parley/client/server";

const parley = new Parley({
  url: "ws://localhost:8080/v1/ws",
  token: () => devToken("http://localhost:8080", "ada"),
  outbox: Math.random() < 0.5 ? indexedDbOutbox("ada") : fileOutbox("outbox"),
});
const room = parley.join("general", { tail: 10 });
room.on("event", (event: RoomEvent) => {
  if (event.t === "msg") console.log(event.body["text"], event.thread);
  if (event.t === "member") console.log(event.user, event.role);
});
const snapshot: TimelineSnapshot = room.timeline({ thread: 4 }).snapshot;
const page = await room.history({ limit: 5 }, { signal: AbortSignal.timeout(100) });
const result = await room.send({ text: "hello" }, { replyTo: 1 }).done;
if (result.kind === "acked") console.log(result.seq, page.more, snapshot.entries.length);
else console.log(result.error satisfies string);
const server = createServerClient({ url: "http://localhost:8080", token: "t" });
const { data } = await server.POST("/v1/rooms/{room}/messages", {
  params: { path: { room: "general" } },
  body: { body: { text: "from the back end" } },
});
console.log(data?.seq);
// @ts-expect-error: there is no such path.
void server.GET("/v1/nothing");
// @ts-expect-error: a message has a text.
room.send({});
declare const store: OutboxStore;
export const values = [keepIn(store), useRoom, useTimeline, useRoomInPreact, HistoryFailed, HttpFailed, TokenSigner];
`;

describe("The package @parley/client in an empty project", function () {
  this.timeout(180_000);

  let cluster: Cluster;
  const dataDir = mkdtempSync(join(tmpdir(), "parley-package-"));

  before(async () => {
    cluster = await startCluster({ dataDir, port: 0, partitions: 4, say: () => undefined });
  });
  after(async () => {
    await cluster.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  for (const [module, moduleResolution] of [
    ["nodenext", "nodenext"],
    ["esnext", "bundler"],
  ]) {
    it(`TypeScript, strict and with ${moduleResolution}, accepts every entry`, async () => {
      const links = ["typescript", "@types/node", "preact", "react", "undici-types"];
      await using project = await SdkProject.create(links);
      const compilerOptions = { ...STRICT, module, moduleResolution };
      await project.write("tsconfig.json", JSON.stringify({ compilerOptions, files: ["use.ts"] }));
      await project.write("use.ts", USE);
      await project.runPackage("typescript/bin/tsc");
    });
  }

  it("plain Node sends a message and receives it, also the Node 20 of a system", async () => {
    await using project = await SdkProject.create(["ws"]);
    await project.write(
      "main.js",
      `import { Parley } from "@parley/client";
       import { devToken } from "@parley/client/dev";
       const gateway = process.argv[2];
       const webSocket = globalThis.WebSocket ?? (await import("ws")).WebSocket;
       const token = () => devToken(gateway, "ada");
       const parley = new Parley({ url: gateway.replace("http", "ws") + "/v1/ws", token, webSocket });
       const room = parley.join("node");
       room.on("event", ({ seq, body }) => console.log(seq, body.text));
       parley.connect();
       await room.live({ signal: AbortSignal.timeout(20_000) });
       console.log((await room.send({ text: process.version }).done).kind);
       parley.close();`,
    );
    const system = whichOn(
      (process.env["PATH"] ?? "").replaceAll(/[^:]*node_modules[^:]*/g, ""),
      "node",
    );
    for (const node of [process.execPath, ...(system === undefined ? [] : [system])]) {
      const output = await project.run(node, "main.js", cluster.url);
      const version = (await project.run(node, "--version")).trim();
      expect(output, version).to.contain("acked").and.to.contain(version);
    }
  });

  it("the first example of its README sends a message", async () => {
    await using project = await SdkProject.create();
    await project.write("main.js", await quickStartFor(cluster.url));
    expect(await runUntilAcked(project.folder)).to.match(/kind: 'acked', seq: \d+/);
  });

  it("Vite bundles it, and leaves out what the application does not use", async () => {
    await using project = await SdkProject.create(["vite"]);
    await project.write("index.html", `<script type="module" src="./main.js"></script>`);
    await project.write(
      "main.js",
      `import { Parley } from "@parley/client";
       const parley = new Parley({ url: "ws://localhost:8080/v1/ws", token: "t" });
       parley.join("general").on("event", (event) => document.body.append(event.t));
       parley.connect();`,
    );
    await project.runPackage("vite/bin/vite.js", "build", "--logLevel", "error");
    const assets = join(project.folder, "dist/assets");
    const [bundle = ""] = readdirSync(assets);
    const code = readFileSync(join(assets, bundle), "utf8");
    expect(code).to.contain("parley.v1");
    expect(code, "no outbox").to.not.contain("indexedDB");
    printFigure(`bundled by Vite: ${code.length} bytes`);
  });

  it("React renders its hooks on the server, and Preact its own", async () => {
    await using project = await SdkProject.create(["react", "react-dom", "preact"]);
    const gateway = `{ url: "ws://localhost:8080/v1/ws", token: "t" }`;
    await project.write(
      "react.js",
      `import { createElement } from "react";
       import { renderToString } from "react-dom/server";
       import { Parley } from "@parley/client";
       import { useConnection, usePresence, useRoom, useTimeline } from "@parley/client/react";
       const parley = new Parley(${gateway});
       function Chat() {
         const room = useRoom(parley, "general");
         const { entries } = useTimeline(room);
         return [useConnection(parley), entries.length, usePresence(room).here].join(" ");
       }
       console.log(renderToString(createElement(Chat)));`,
    );
    expect(await project.run(process.execPath, "react.js")).to.equal("idle 0 0\n");
    await project.write(
      "preact.js",
      `import { h } from "preact";
       import { useConnection } from "@parley/client/preact";
       import { Parley } from "@parley/client";
       console.log(typeof h, typeof useConnection, new Parley(${gateway}).state);`,
    );
    expect(await project.run(process.execPath, "preact.js")).to.equal("function function idle\n");
  });
});
