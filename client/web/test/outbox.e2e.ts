// The outbox of the page, in a real browser on a real cluster: a time without a connection,
// reloads, a second tab and a killed gateway lose no message and repeat none.

import { expect } from "chai";
import type { BrowserContext } from "playwright-core";
import { until } from "#shared/testing/wait.ts";
import { expectAccessible } from "./axe.ts";
import { useBrowserCluster } from "./browser-cluster.ts";
import { BrowserUser } from "./browser-user.ts";

/** The tunnel of a train: no WebSocket opens while it is on. */
class Tunnel {
  isOn = false;

  async over(context: BrowserContext): Promise<void> {
    await context.routeWebSocket(/\/v1\/ws$/u, (socket) => {
      if (this.isOn) void socket.close({ code: 1012 });
      else socket.connectToServer();
    });
  }
}

/** A connection that loses the acks of the server while it is on. */
class AckFilter {
  isOn = false;
  /** The send frames of the page since `isOn`. */
  sends = 0;

  async over(context: BrowserContext): Promise<void> {
    await context.routeWebSocket(/\/v1\/ws$/u, (socket) => {
      const server = socket.connectToServer();
      socket.onMessage((message) => {
        const lines = String(message).split("\n");
        if (this.isOn) this.sends += lines.filter((line) => isOfType(line, "send")).length;
        server.send(message);
      });
      server.onMessage((message) => {
        const lines = String(message).split("\n");
        const passed = lines.filter((line) => !this.isOn || !isOfType(line, "ack"));
        if (passed.length > 0) socket.send(passed.join("\n"));
      });
    });
  }
}

function isOfType(line: string, type: string): boolean {
  return line !== "" && (JSON.parse(line) as { t?: string }).t === type;
}

describe("The outbox in a browser", () => {
  const shared = useBrowserCluster();

  /** The texts of the room as another user reads them, in order. */
  const stored = async (room: string): Promise<string[]> => {
    const reader = shared.client("reader");
    const handle = reader.join(room);
    await handle.live();
    const { events } = await handle.history({ after: 0, limit: 100 });
    reader.close();
    return events.flatMap((event) => (event.t === "msg" ? [String(event.body["text"])] : []));
  };

  it("K6: messages of a time without a connection survive reloads and a closed tab; each is sent once", async () => {
    const ada = await shared.arrive("ada", "tunnel");
    const tunnel = new Tunnel();
    await tunnel.over(ada.page.context());
    await ada.send("before");
    await ada.page.locator(".status-mine").first().waitFor();
    tunnel.isOn = true;
    await ada.page.reload();
    await ada.page.locator(".trouble-waiting").waitFor();
    for (const text of ["first", "second", "third"]) await ada.send(text);
    await ada.page.getByRole("button", { name: "3 messages wait" }).click();
    expect(await ada.page.locator(".waiting-text").allTextContents()).to.deep.equal([
      "first",
      "second",
      "third",
    ]);
    await expectAccessible(ada, "without a connection");

    await ada.page.reload();
    await ada.page.getByRole("button", { name: "3 messages wait" }).waitFor();
    const tab = new BrowserUser("ada", await ada.page.context().newPage());
    await tab.page.goto(ada.page.url().replace("?", "?user=ada&"));
    await tab.page.locator(".trouble-waiting").waitFor();
    await tab.send("of the other tab");
    await tab.page.getByRole("button", { name: "1 message waits" }).waitFor();
    await ada.page.close(); // The other tab takes its messages.
    await tab.page.getByRole("button", { name: "4 messages wait" }).waitFor();

    tunnel.isOn = false;
    await tab.page.evaluate(() => dispatchEvent(new Event("online")));
    await tab.waitUntilComplete();
    await until(async () => (await stored("tunnel")).length === 5, {
      withinMs: 30_000,
      what: "all messages",
    });
    const texts = await stored("tunnel");
    expect(texts[0]).to.equal("before");
    expect(texts.filter((text) => text !== "of the other tab").slice(1)).to.deep.equal([
      "first",
      "second",
      "third",
    ]);
    expect(await tab.page.locator(".waiting").count()).to.equal(0);
    await tab.leave();
  });

  it("room-timeline.5: a page that is loaded again between a send and its ack shows the message once", async () => {
    const ada = await shared.arrive("ada", "unacked");
    const acks = new AckFilter();
    await acks.over(ada.page.context());
    await ada.page.reload();
    await ada.waitUntilComplete();
    await ada.send("with an ack");
    await ada.page.locator(".status-mine").waitFor();
    acks.isOn = true;
    await ada.send("without an ack");
    await ada.until("its event", async () => (await ada.seqs()).at(-1) === 2);
    const shown = async (): Promise<void> => {
      await ada.until("both numbers", async () => (await ada.seqs()).includes(2));
      expect(await ada.messages()).to.deep.equal([
        { seq: 1, text: "with an ack" },
        { seq: 2, text: "without an ack" },
      ]);
    };
    await shown();
    // The store of the page opens when the room is there, so that the event comes first.
    await ada.page.addInitScript(() => {
      const request = navigator.locks.request.bind(navigator.locks) as (
        ...args: readonly unknown[]
      ) => Promise<unknown>;
      const open = new Promise((resolve) => Object.assign(window, { openStore: resolve }));
      const late = (...args: readonly unknown[]): Promise<unknown> =>
        open.then(() => request(...args));
      Object.assign(LockManager.prototype, { request: late });
    });
    acks.sends = 0;
    await ada.page.reload();
    await ada.waitUntilComplete();
    await shown();
    expect(acks.sends).to.equal(0);
    await ada.page.evaluate(() => (window as unknown as { openStore(): void }).openStore());
    await ada.until("the page sends it again", () => acks.sends > 0);
    await shown();
    expect(await stored("unacked")).to.deep.equal(["with an ack", "without an ack"]);
    await ada.leave();
  });

  it("service-worker.1: the page opens without a network, with what waits; no answer of the API is cached", async () => {
    const ada = await shared.arrive("ada", "shell");
    const { page } = ada;
    await ada.send("stored before");
    await page.locator(".status-mine").waitFor();
    // It is installed only when each file of its list exists.
    await ada.until("the service worker", () =>
      page.evaluate(async () => {
        const registration = await navigator.serviceWorker.getRegistration();
        return registration?.active?.state === "activated";
      }),
    );
    await page.context().setOffline(true);
    await page.reload();
    await page.locator(".trouble-waiting").waitFor();
    await ada.send("written without a network");
    await page.reload();
    await page.getByRole("button", { name: "1 message waits" }).waitFor();
    const cached = await page.evaluate(async () => {
      const caught: string[] = [];
      for (const name of await caches.keys()) {
        const requests = await (await caches.open(name)).keys();
        caught.push(...requests.map(({ url }) => new URL(url).pathname));
      }
      return caught;
    });
    expect(cached).to.include.members(["/", "/theme.js"]);
    expect(cached.filter((path) => !/^\/(?:assets\/.*|[a-z.]*)$/u.test(path))).to.deep.equal([]);
    await page.context().setOffline(false);
    await page.evaluate(() => dispatchEvent(new Event("online")));
    await ada.waitUntilComplete();
    await until(async () => (await stored("shell")).length === 2, {
      withinMs: 30_000,
      what: "both messages",
    });
    expect(await stored("shell")).to.deep.equal(["stored before", "written without a network"]);
    await ada.leave();
  });

  it("indexed-db.4: a message survives a page that ends at once, also before the store is open", async () => {
    const ada = await shared.arrive("ada", "ends");
    const { page } = ada;
    const tunnel = new Tunnel();
    await tunnel.over(page.context());
    // While `slow` is set, the store of the page does not open.
    await page.addInitScript(() => {
      const request = navigator.locks.request.bind(navigator.locks) as (
        ...args: readonly unknown[]
      ) => Promise<unknown>;
      const slow = (...args: readonly unknown[]): Promise<unknown> =>
        sessionStorage.getItem("slow") === null ? request(...args) : new Promise(() => undefined);
      Object.assign(LockManager.prototype, { request: slow });
    });
    tunnel.isOn = true;
    await page.evaluate(() => sessionStorage.setItem("slow", "yes"));
    await page.reload();
    await page.locator(".trouble-waiting").waitFor();
    await ada.send("before the store");
    await page.evaluate(() => sessionStorage.removeItem("slow"));
    await page.reload();
    await page.getByRole("button", { name: "1 message waits" }).waitFor();
    await ada.field.fill("in the last moment");
    await page.evaluate(() => {
      document.querySelector<HTMLFormElement>(".composer form")?.requestSubmit();
      location.reload();
    });
    await page.getByRole("button", { name: "2 messages wait" }).waitFor();
    tunnel.isOn = false;
    await page.evaluate(() => dispatchEvent(new Event("online")));
    await ada.waitUntilComplete();
    const texts = ["before the store", "in the last moment"];
    await until(async () => (await stored("ends")).length === 2, {
      withinMs: 30_000,
      what: "both messages",
    });
    expect(await stored("ends")).to.deep.equal(texts);
    await ada.until("no note", () =>
      page.evaluate(() => Object.keys(localStorage).every((key) => !key.includes("outbox"))),
    );
    await ada.leave();
  });

  it("K6: a gateway killed under a full outbox, and a reload in that moment: each is sent once, in order", async () => {
    const ada = await shared.arrive("ada", "killed");
    const texts = Array.from({ length: 12 }, (_, i) => `message ${i + 1}`);
    for (const text of texts.slice(0, 6)) await ada.send(text);
    await shared.cluster.kill("gateway-1");
    for (const text of texts.slice(6)) await ada.send(text);
    await until(() => shared.isReady(), { withinMs: 50_000, what: "the gateway" });
    await ada.page.reload();
    await ada.waitUntilComplete();
    await until(async () => (await stored("killed")).length >= texts.length, {
      withinMs: 30_000,
      what: "all messages",
    });
    expect(await stored("killed")).to.deep.equal(texts);
    await ada.until("its own numbers", async () => (await ada.seqs()).at(-1) === texts.length);
    expect((await ada.messages()).map(({ text }) => text)).to.deep.equal(texts);
    await ada.leave();
  });
});
