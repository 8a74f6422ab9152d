// `parley chat` under real pseudo-terminals, on an embedded cluster: what two users see.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { startCluster } from "#infra/embedded/cluster.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";
import type { EditedEvent, RoomEvent } from "#shared/protocol/events.ts";
import { until } from "#shared/testing/wait.ts";
import { devToken } from "../../../sdk/dev-token.ts";
import { Parley } from "../../../sdk/parley.ts";
import { KEYS, TerminalUser } from "./terminal-user.ts";
import type { TerminalSize } from "./terminal-user.ts";

const PARLEY = fileURLToPath(new URL("../../parley.ts", import.meta.url));

describe("parley chat", function () {
  this.timeout(120_000);
  let cluster: Cluster;
  let dataDir: string;
  const users: TerminalUser[] = [];
  const clients: Parley[] = [];

  before(async () => {
    dataDir = mkdtempSync(join(tmpdir(), "parley-chat-"));
    const say = (): void => undefined;
    const shape = { port: 0, partitions: 2, limits: "off", say } as const;
    cluster = await startCluster({ dataDir, ...shape });
  });
  afterEach(async () => {
    await Promise.all(users.splice(0).map((user) => user.close()));
    for (const client of clients.splice(0)) client.close();
  });
  after(async () => {
    await cluster.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  function start(args: string, size: TerminalSize = { columns: 72, rows: 18 }): TerminalUser {
    const command = `${process.execPath} ${PARLEY} --url ${cluster.url} ${args}`;
    const user = new TerminalUser(command, size, {
      DATA: dataDir,
      NODE_COMPILE_CACHE: join(dataDir, "compiled"),
    });
    users.push(user);
    return user;
  }

  async function sdkClient(user: string): Promise<Parley> {
    const url = `${cluster.url.replace("http", "ws").replace(/\/$/, "")}/v1/ws`;
    const client = new Parley({ url, token: () => devToken(cluster.url, user) });
    clients.push(client);
    client.connect();
    await client.online();
    return client;
  }

  async function enter(name: string, room: string, size?: TerminalSize): Promise<TerminalUser> {
    const user = start(`chat ${room} --user ${name}`, size);
    await user.sees("complete through", 90_000);
    return user;
  }

  it("shows two users the same room: texts, an edit, a reply, a reaction, a thread, typing", async () => {
    const [ada, ben] = await Promise.all([enter("ada", "tea"), enter("ben", "tea")]);
    await ada.sees("2 here");
    ada.press("hello from ada\rnext"); // chat.1
    await ben.sees("ada: hello from ada");
    await ada.sees("> next");
    ada.press("\u0015");
    ben.press("\u001b[200~a pasted\rtext\u001b[201~"); // terminal.2
    await ben.sees(/> a pasted\n {2}text/);
    ben.press("\r");
    await ada.sees(/ben: a pasted\n {6}text/);
    ben.press(KEYS.up);
    await ben.sees("Edit #2");
    ben.press("!\r");
    await ada.sees("text!");
    await ada.sees("edited");
    ada.press(KEYS.tab);
    await ada.sees("r reply");
    ada.press("r");
    await ada.sees("Reply to #2");
    ada.press("I agree\r");
    await ben.sees("↳ ben: a pasted text!");
    ben.press(KEYS.tab);
    await ben.sees("r reply");
    ben.press("+");
    await ben.sees("React to #4");
    ben.press("👍\r");
    await ada.sees("👍 1");
    ada.press(`${KEYS.tab}t`);
    await ada.sees("In the thread of #4");
    ada.press("one more thing\r");
    await ben.sees("1 reply");
    await ada.sees(/ada: I agree\n.*\n.*ada: one more thing/);
    expect(ada.text).to.not.contain("hello from ada");
    ada.press(KEYS.escape);
    await ada.sees("hello from ada");
    await until(
      () => {
        ada.press("x"); // The SDK sends at most one signal in two seconds.
        return ben.text.includes("ada is typing");
      },
      { withinMs: 30_000, what: "ada is typing", everyMs: 300 },
    );
  });

  it("U11: an edit names whom its text mentions", async () => {
    const [ada, ben] = await Promise.all([enter("ada", "mentions"), sdkClient("ben")]);
    const room = ben.join("mentions");
    const events: RoomEvent[] = [];
    room.on("event", (event) => events.push(event));
    await room.live();
    await ada.sees("2 here");
    ada.press("hello\r");
    await ada.sees("complete through #1");
    ada.press(KEYS.up);
    await ada.sees("Edit #1");
    ada.press(" @ben\r");
    const withinMs = 30_000;
    await until(() => events.length === 2, { withinMs, what: "the edit" });
    const { t, mentions } = events[1] as EditedEvent;
    expect({ t, mentions }).to.deep.equal({ t: "edited", mentions: ["ben"] });
  });

  it("SL10: the list of the user's devices names the program and the system", async () => {
    await enter("ida", "named");
    const headers = { authorization: `Bearer ${await devToken(cluster.url, "ida")}` };
    const devices = async (): Promise<unknown[]> => {
      const answer = await fetch(`${cluster.url}/v1/users/ida/sessions`, { headers });
      const { sessions = [] } = (await answer.json()) as { sessions?: { device?: string }[] };
      return sessions.map(({ device }) => device);
    };
    const isListed = async (): Promise<boolean> => (await devices())[0] === "parley chat, Linux";
    await until(isListed, { withinMs: 20_000, what: "the name of the device" });
  });

  it("survives every size of the terminal, wide characters and control characters", async () => {
    const [ada, ben] = await Promise.all([enter("ada", "wide"), enter("ben", "wide")]);
    const hostile = "你好世界 \u001b[2J\u001b[31mred 👩‍👩‍👧 \u202egnirts מרחבא שלום end";
    ben.press(`\u001b[200~${hostile}\u001b[201~\r`);
    await ada.sees("end");
    expect(ada.text).to.contain("你好世界 ␛[2J␛[31mred");
    for (const size of [
      { columns: 30, rows: 9 },
      { columns: 100, rows: 30 },
      { columns: 12, rows: 4 },
      { columns: 50, rows: 12 },
    ]) {
      ada.resize(size);
      const hasFrame = (): boolean =>
        ada.lines[0]!.includes("wide") || ada.lines.join("").includes("> ");
      await until(hasFrame, { withinMs: 10_000, what: `a frame of ${size.columns} columns` });
    }
    await ada.sees(/^ wide.*\n[^]*你好世界[^]*end[^]*\n>.*\nF1 keys/);
    const lines = ada.lines.filter((line) => line.includes("wide ·"));
    expect(lines, ada.text).to.have.length(1);
    expect(ada.output).to.not.contain("\u001b[31mred");
  });

  it("scrolls into the history, marks what is new, and goes back to the end", async () => {
    const ben = await enter("ben", "long");
    for (let n = 1; n <= 120; n++) ben.press(`message ${n}\r`);
    await ben.sees("complete through #120");
    const ada = await enter("ada", "long");
    await ada.sees("message 120");
    for (let n = 0; n < 12 && !ada.text.includes("message 1\n"); n++) {
      const before = ada.text;
      ada.press(KEYS.pageUp);
      await until(() => ada.text !== before, { withinMs: 10_000, what: "a page" });
      await ada.sees(/^(?!.*loading)/);
    }
    await ada.sees("message 1\n");
    const before = ada.lines.filter((line) => line.includes("ben:"));
    ben.press("news\r");
    await ada.sees("1 new below");
    expect(ada.lines.filter((line) => line.includes("ben:"))).to.deep.equal(before);
    ada.press(KEYS.end);
    await ada.sees(/── new[^\n]*\n[^\n]*ben: news/);
  });

  it("chat.3: marks what a member has not read, and then it is read", async () => {
    const room = await sdkClient("ben");
    await room.createRoom("unread", { kind: "closed", members: [{ user: "ada" }] }).done;
    const handle = room.join("unread");
    const first = await handle.send({ text: "read before" }).done;
    const ada = await sdkClient("ada");
    const seen = ada.join("unread");
    await seen.live();
    if (first.kind === "acked") seen.markRead(first.seq);
    await handle.send({ text: "not read" }).done;
    const unread = async (): Promise<number | undefined> =>
      (await ada.rooms()).rooms.find((one) => one.room === "unread")?.unread;
    const wait = { withinMs: 60_000, everyMs: 200 };
    await until(async () => (await unread()) === 1, { ...wait, what: "one unread message" });
    const terminal = await enter("ada", "unread");
    await terminal.sees(/ben: read before\n── new[^\n]*\n[^\n]*ben: not read/);
    await until(async () => (await unread()) === 0, { ...wait, what: "a read room" });
  });

  it("M3, C3: a mute of before is known, and its end opens the composer", async () => {
    const owner = await sdkClient("ada");
    await owner.createRoom("muted", { kind: "closed", members: [{ user: "ben" }] }).done;
    const room = owner.join("muted");
    await room.send({ text: "from ada" }).done;
    const mutedUntil = Date.now() + 3_600_000;
    await room.setMember("ben", { role: "member", mutedUntil }).done;
    // More than the part of a room that a client gets when it joins.
    for (let n = 1; n <= 120; n++) await room.send({ text: `message ${n}` }).done;
    const ben = await enter("ben", "muted");
    await ben.sees("You are muted until");
    ben.press("not typed");
    ben.press(KEYS.tab);
    await ben.sees(/\nUp, Down · Tab back$/);
    expect(ben.text).to.not.contain("not typed");
    ben.press("r");
    await ben.sees(/You are muted until[^]*You are muted until/); // The notice, too.
    ben.press(KEYS.tab);
    await room.setMember("ben", { role: "member" }).done;
    await ben.sees(/\n>\n/);
    ben.press("typed again\r");
    await ben.sees("ben: typed again");
  });

  it("C3: an edit is offered until the time of the room for edits is over", async () => {
    const owner = await sdkClient("ada");
    await owner.createRoom("edits", { kind: "closed", members: [{ user: "ben" }] }).done;
    const room = owner.join("edits");
    const ben = await enter("ben", "edits");
    ben.press("frist\r");
    await ben.sees(/ben: frist\n(?!.*sending)/);
    const sent = Date.now();
    ben.press(KEYS.up);
    await ben.sees("Edit #");
    await room.update({ editWindow: 1 }).done;
    await until(() => Date.now() > sent + 1_000, { withinMs: 30_000, what: "the end of the time" });
    ben.press("!\r");
    await ben.sees("The time to edit this message is over.");
    ben.press(KEYS.tab);
    await ben.sees(/\nr reply · t thread · \+ react · d delete · Up, Down · Tab back$/);
    ben.press("e");
    await ben.sees("The time to edit this message is over.");
    ben.press(KEYS.tab);
    await ben.sees(/^(?![^]*The time to edit)[^]*F1 keys/);
    ben.press(KEYS.up);
    await ben.sees("The time to edit this message is over.");
    expect(ben.text).to.not.contain("Edit #");
  });

  it("shows who may not read a room that it is closed", async () => {
    const eve = start("chat unread --user eve");
    await eve.sees("You may not read this room", 90_000);
  });

  it("keeps texts while a gateway is away, and sends them when it is back", async () => {
    const [ada, ben] = await Promise.all([enter("ada", "killed"), enter("ben", "killed")]);
    ada.press("before\r");
    await ben.sees("ada: before");
    await cluster.kill("gateway-1");
    await ada.sees(/No connection|Reconnecting/);
    ada.press("while it was away\r");
    await ada.sees("sending …");
    await ben.sees("ada: while it was away", 60_000);
    await ada.sees("complete through #2");
    expect(ada.text).to.not.contain("sending …");
  });

  it("terminal.1: leaves the terminal as it was, and needs one", async () => {
    const ada = await enter("ada", "tea");
    ada.press(KEYS.ctrlC);
    expect(await ada.exited).to.equal(0);
    // The main screen, and the automatic wrap.
    expect(ada.output).to.contain("\u001b[?1049l");
    expect(ada.output.lastIndexOf("\u001b[?7h")).to.be.above(ada.output.lastIndexOf("\u001b[?7l"));
    const piped = start("chat tea < /dev/null");
    expect(await piped.exited).to.equal(1);
    expect(piped.output).to.contain("needs a terminal");
  });
});
