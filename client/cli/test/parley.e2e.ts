// The `parley` command against an embedded cluster: what it prints, and how it fails.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nkeys } from "@nats-io/transport-node";
import { expect } from "chai";
import { parseObject } from "#shared/kit/json.ts";
import type { JsonObject } from "#shared/kit/json.ts";
import { until } from "#shared/testing/wait.ts";
import { startCluster } from "#infra/embedded/cluster.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";
import { MANUAL } from "../manual.ts";
import { devToken } from "../../sdk/dev-token.ts";
import { runProgram } from "../program.ts";

const PARTITIONS = 3;

describe("parley against a cluster", function () {
  this.timeout(120_000);
  let cluster: Cluster;
  let dataDir: string;
  const data = process.env["DATA"];
  const print = console.log;

  before(async () => {
    dataDir = mkdtempSync(join(tmpdir(), "parley-cli-"));
    const say = (): void => undefined;
    const shape = { port: 0, partitions: PARTITIONS, restart: false };
    cluster = await startCluster({
      dataDir,
      limits: "off", // Each command asks for a token of its own.
      ...shape,
      say,
    });
    process.env["DATA"] = dataDir;
  });
  after(async () => {
    if (data === undefined) delete process.env["DATA"];
    else process.env["DATA"] = data;
    await cluster.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  async function parley(
    ...args: string[]
  ): Promise<{ readonly code: number; readonly out: string; readonly errors: string }> {
    const [out, errors]: [string[], string[]] = [[], []];
    console.log = (line: string) => out.push(line);
    try {
      const code = await runProgram(args, (line) => errors.push(line));
      return { code, out: out.join("\n"), errors: errors.join("\n") };
    } finally {
      console.log = print;
    }
  }

  it("sends a message, reads it back, and prints the log entry that holds it", async () => {
    expect(await parley("send", "general", "hello")).to.include({ code: 0, out: "general#1" });
    expect((await parley("history", "general")).out).to.match(/^general#1 \S+ cli: hello$/);
    // One after the other: the test takes the output of one command at a time.
    let logs = "";
    for (let p = 0; p < PARTITIONS; p++) logs += `${(await parley("log", String(p))).out}\n`;
    expect(logs).to.match(/claim epoch 1[^]*general#1/);
  });

  it("Q1, Q4: finds a message by its words, and no longer when it is deleted", async () => {
    const user = ["--token", await devToken(cluster.url, "ada")];
    const ben = ["--token", await devToken(cluster.url, "ben")];
    expect(await parley(...user, "room", "create", "plans", "--closed")).to.include({
      code: 0,
    });
    await parley(...user, "send", "plans", "the green tea is here");
    const found = async (...words: string[]): Promise<string> =>
      (await parley(...user, "search", ...words)).out;
    const isFound = async (): Promise<boolean> =>
      (await found("green tea")).includes("«green» «tea»");
    await until(isFound, { withinMs: 10_000, what: "the message to be found", everyMs: 100 });
    expect(await found("tea", "--room", "plans", "--from", "ada", "--json")).to.contain(
      '"room":"plans"',
    );
    expect(await found("tea", "--from", "ben")).to.equal("");
    expect((await parley(...ben, "search", "tea", "--room", "plans")).errors).to.contain(
      "forbidden",
    );
    expect((await parley(...ben, "search", "tea")).out).to.equal("");
    const { seq } = JSON.parse(await found("tea", "--json")) as { seq: number };
    await parley(...user, "delete", "plans", String(seq));
    const isGone = async (): Promise<boolean> => (await found("tea")) === "";
    await until(isGone, { withinMs: 2_000, what: "the deleted message to be gone", everyMs: 50 });
  });

  it("J1, J4, J6: an exported room is imported with its numbers, also behind a part, and not twice", async () => {
    const { url } = cluster;
    const user = ["--token", await devToken(url, "ada")];
    const token = await devToken(url, "root", { admin: true });
    const root = ["--token", token];
    await parley(...user, "room", "create", "source", "--closed", "--invite", "ben");
    for (const text of ["one", "two", "three"]) await parley(...user, "send", "source", text);
    await parley(...user, "edit", "source", "4", "first");
    await parley(...user, "delete", "source", "5");
    const [file, copy] = [join(dataDir, "source.ndjson"), join(dataDir, "copy.ndjson")];
    expect(await parley(...user, "export", "source", "--file", file)).to.include({ code: 0 });
    const lines = readFileSync(file, "utf8").trimEnd().split("\n");
    expect(lines).to.have.length(10);
    const imported = await parley(...root, "import", file, "--room", "copy");
    expect(imported).to.include({ code: 0, out: "copy: 8 events imported, head 8" });
    expect(await parley(...user, "export", "copy", "--file", copy)).to.include({ code: 0 });
    const renamed = lines.map((line) => line.replace('"room":"source"', '"room":"copy"'));
    expect(readFileSync(copy, "utf8").trimEnd().split("\n")).to.deep.equal(renamed);
    // The archive applies the edits of the imported room.
    const shown = async (): Promise<string> =>
      (await parley(...user, "history", "copy", "--messages")).out;
    await until(async () => (await shown()).includes("first (edited)"), {
      withinMs: 30_000,
      what: "the archive to have the imported room",
      everyMs: 200,
    });
    expect(await shown()).to.match(/first \(edited\)\n.*\(deleted\)\n.*three$/);
    expect((await parley("--user", "eve", "history", "copy")).errors).to.contain("forbidden");
    expect((await parley(...root, "import", file, "--room", "copy")).out).to.equal(
      "copy: 0 events imported, head 8",
    );
    // A command that was killed behind its first part.
    const events = lines.slice(1, 4).map((line): object => ({ ...JSON.parse(line), room: "half" }));
    const begun = await fetch(`${url}/v1/rooms/half/import`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ born: (events[0] as { id: string }).id, events }),
    });
    expect(begun.status).to.equal(200);
    expect((await parley(...root, "import", file, "--room", "half")).out).to.equal(
      "half: 5 events imported, head 8",
    );
    expect((await parley(...user, "send", "half", "on")).out).to.equal("half#9");
    const taken = await parley(...root, "import", file, "--room", "source");
    expect(taken.out).to.equal("source: 0 events imported, head 8");
    expect((await parley(...root, "import", file, "--room", "general")).errors).to.contain(
      "exists",
    );
    writeFileSync(copy, lines.slice(0, -1).join("\n"));
    expect((await parley(...root, "import", copy)).errors).to.contain("no complete export");
  });

  it("changes a message and shows it as it is now", async () => {
    expect(await parley("send", "talk", "helo")).to.include({ code: 0, out: "talk#1" });
    expect(await parley("edit", "talk", "1", "hello")).to.include({ code: 0, out: "talk#2" });
    expect(await parley("react", "talk", "1", "👍")).to.include({ code: 0, out: "talk#3" });
    const shown = await parley("history", "talk", "--messages");
    expect(shown.out).to.match(/^talk#1 \S+ cli: hello \(edited, 👍 1\)$/);
    expect(await parley("delete", "talk", "1", "--reason", "typo")).to.include({ out: "talk#4" });
    expect((await parley("history", "talk")).out).to.match(
      /^talk#1 \S+ cli: \(deleted\)\ntalk#2 \S+ cli: \(deleted\)\n.*👍 to #1\)\n.*\(deleted #1\)$/,
    );
    const { code, errors } = await parley("edit", "talk", "1", "again");
    expect(code).to.equal(1);
    expect(errors).to.match(/^parley: conflict: /);
    expect((await parley("react", "talk", "1", "text")).errors).to.contain("one emoji");
  });

  it("M6: fails to follow a room that the user may not read", async () => {
    const created = await parley("--user", "ada", "room", "create", "secret", "--closed");
    expect(created).to.include({ code: 0 });
    const { code, out, errors } = await parley("--user", "eve", "tail", "secret");
    expect({ code, out }).to.deep.equal({ code: 1, out: "" });
    expect(errors).to.contain("you may not read secret");
  });

  it("U4: lists the own rooms with their unread messages, and finds open ones", async () => {
    const made = await parley("--user", "ada", "room", "create", "tea", "--invite", "cli");
    expect(made).to.include({ code: 0, out: "tea#1" });
    await parley("--user", "ada", "send", "tea", "hello");
    let shown = "";
    await until(async () => (shown = (await parley("room", "list")).out).includes("hello"), {
      withinMs: 30_000,
      what: "the message in the list",
      everyMs: 200,
    });
    expect(shown).to.equal("tea: 1 unread  ada: hello");
    const [line] = (await parley("room", "list", "--json")).out.split("\n");
    expect(JSON.parse(line ?? "")).to.include({ room: "tea", head: 4, unread: 1 });
    expect((await parley("room", "list", "--find", "te")).out).to.equal("tea: member, 4 events");
  });

  it("failure-text.1: fails for a partition that does not exist and names the ones that do", async () => {
    const { code, out, errors } = await parley("log", "99");
    expect({ code, out }).to.deep.equal({ code: 1, out: "" });
    expect(errors).to.equal(
      "parley: partition 99 does not exist: the cluster has partitions 0 to 2",
    );
  });

  it("failure-text.1: names the seed file when NATS refuses the user or what the user does", async () => {
    const unknown = join(dataDir, "unknown.seed");
    writeFileSync(unknown, nkeys.createUser().getSeed(), { mode: 0o600 });
    for (const seed of [unknown, join(dataDir, "nkeys", "gateway.seed")]) {
      const { code, errors } = await parley("--nats-nkey", seed, "status");
      expect(code).to.equal(1);
      expect(errors).to.contain("--nats-nkey <file>").and.to.contain("NATS_NKEY_FILE");
    }
  });

  it("failure-text.1: names the processes when an id to drain matches none", async () => {
    const { code, errors } = await parley("drain", "no-such");
    expect(code).to.equal(1);
    for (const name of ["gateway-1", "room-1", "persistence-1"]) {
      expect(errors).to.contain(cluster.idOf(name));
    }
  });

  it("doctor passes every check of a healthy cluster", async () => {
    const { out } = await parley("doctor");
    expect(out.split("\n").filter((line) => !line.startsWith("ok "))).to.deep.equal([]);
  });

  it("manual.2: every JSON line has the fields that the manual names", async () => {
    const check = async (path: string, ...args: string[]): Promise<JsonObject> => {
      const { code, out, errors } = await parley(...path.split(" "), ...args, "--json");
      expect(errors).to.equal("");
      expect(code, path).to.equal(0);
      const { json } = MANUAL[path]!;
      const fields = typeof json === "string" ? [] : json;
      const lines = out === "" ? [] : out.split("\n").map((line) => parseObject(line)!);
      for (const line of fields.length === 0 ? [] : lines) {
        const needed = fields.filter((field) => !field.endsWith("?"));
        const permitted = fields.map((field) => field.replace("?", ""));
        expect(Object.keys(line), path).to.include.members(needed);
        expect(permitted, path).to.include.members(Object.keys(line));
      }
      return lines[0] ?? {};
    };
    await check("token", "ada");
    expect(await check("room create", "json", "--closed", "--invite", "ada")).to.include({
      room: "json",
      seq: 1,
    });
    const { seq } = await check("send", "json", "one line");
    await check("edit", "json", String(seq), "another");
    await check("react", "json", String(seq), "👍");
    await check("pin", "json", String(seq));
    await check("room set", "json", "--title", "JSON");
    await check("room invite", "json", "ben");
    await check("room mute", "json", "ben", "--for", "60");
    const muted = await parley("room", "members", "json");
    expect(muted.out).to.match(/^ada: member\nben: member, muted until \S+\ncli: owner$/);
    await check("room members", "json");
    await check("room mute", "json", "ben", "--off");
    expect((await parley("room", "members", "json")).out).to.contain("\nben: member\n");
    await check("room remove", "json", "ben");
    const invite = await check("room link", "json", "--uses", "2");
    await check("room enter", String(invite["token"]), "--user", "eve");
    await check("room revoke", "json", String(invite["id"]));
    expect(await check("history", "json", "--messages")).to.include({ t: "msg", seq });
    await check("delete", "json", String(seq));
    await until(async () => (await parley("room", "list")).out.includes("json"), {
      withinMs: 30_000,
      what: "the room in the list",
      everyMs: 200,
    });
    for (const path of ["room list", "log", "doctor", "status", "rooms", "config get"]) {
      await check(path, ...(path === "log" ? ["0"] : []));
    }
    await check("config set", "trace.ratio", "0.5");
    await check("config unset", "trace.ratio");
    await check("kick", "ben");
    await check("devices list", "ada");
    expect(await check("devices end", "all")).to.deep.equal({ user: "cli", ended: 0 });
    await check("revoke", "ben");
    await check("completion", "bash");
    const refused = await parley("edit", "json", "1", "no message", "--json");
    expect(refused.code).to.equal(1);
    expect(parseObject(refused.errors)).to.have.keys("error", "message");
  });

  it("takes the token of --token, PARLEY_TOKEN and --token-file", async () => {
    const token = (await parley("token", "zoe")).out;
    const file = join(dataDir, "zoe.token");
    writeFileSync(file, `${token}\n`);
    const from = async (...args: string[]): Promise<string> => {
      const { out } = await parley("send", "tokens", "hello", ...args);
      const seq = Number(out.split("#")[1]);
      const page = await parley("history", "tokens", "--after", String(seq - 1), "--json");
      return String(parseObject(page.out)?.["from"]);
    };
    expect(await from("--token", token)).to.equal("zoe");
    expect(await from("--token-file", file)).to.equal("zoe");
    process.env["PARLEY_TOKEN"] = token;
    try {
      expect(await from()).to.equal("zoe");
    } finally {
      delete process.env["PARLEY_TOKEN"];
    }
    expect(await from()).to.equal("cli");
  });
});
