// Addresses and the sender: what a webhook may reach, and what counts as delivered.

import { expect } from "chai";
import { checkedLookup, isAllowed, readNetworks } from "../adapters/addresses.ts";
import type { LookUp } from "../adapters/addresses.ts";
import { HttpSender } from "../adapters/sender.ts";
import type { SenderOptions } from "../adapters/sender.ts";
import type { Item } from "../core/ports.ts";
import { openReceiver, SECRET } from "./receiver.ts";

const LOOPBACK = readNetworks("127.0.0.0/8, ::1/128") ?? [];
const ITEM: Item = { lane: "a", id: "room_a_1_x", kind: "room.msg", at: 0, data: '{"n":1}' };

function senderOf(options: Partial<SenderOptions> = {}): HttpSender {
  return new HttpSender({ allowed: LOOPBACK, plain: true, now: () => Date.now(), ...options });
}

function to(url: string) {
  return { webhook: "w", url, secret: SECRET, kinds: ["room.msg"], rooms: [] };
}

function answering(addresses: readonly string[]): LookUp {
  const found = addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
  return (_host, _options, done) => done(null, found);
}

describe("Webhooks: addresses", () => {
  it("W8: only public addresses pass, in every form of a private one", () => {
    const bad =
      "127.0.0.1 127.9.9.9 0.0.0.0 10.1.2.3 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254 " +
      "100.64.0.1 192.0.0.1 192.0.2.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 240.0.0.1 " +
      "255.255.255.255 :: ::1 fc00::1 fd12:3456::1 fe80::1 fec0::1 ff02::1 ::ffff:127.0.0.1 " +
      "::ffff:10.0.0.1 ::ffff:a00:1 ::ffff:169.254.169.254 64:ff9b::7f00:1 2002:7f00:1:: 2001:db8::1 " +
      "2001::1 100::1 example 1.2.3";
    for (const address of bad.split(" ")) expect(isAllowed(address, []), address).to.equal(false);
    const good = "1.1.1.1 8.8.8.8 172.32.0.1 2606:4700:4700::1111 ::ffff:8.8.8.8";
    for (const address of good.split(" ")) expect(isAllowed(address, []), address).to.equal(true);
    expect(isAllowed("127.0.0.1", LOOPBACK)).to.equal(true);
    expect(isAllowed("::ffff:127.0.0.1", LOOPBACK)).to.equal(true);
    expect(isAllowed("10.0.0.1", LOOPBACK)).to.equal(false);
    expect(readNetworks("10.0.0.0")).to.equal(undefined);
  });

  it("W8: the socket gets checked addresses only, also when a name has good and bad ones", async () => {
    const asked = (addresses: readonly string[], all: boolean) =>
      new Promise((resolve) => {
        checkedLookup((address) => isAllowed(address, []), answering(addresses))(
          "x.example",
          { all },
          (error, found) => resolve(error?.name ?? found),
        );
      });
    expect(await asked(["10.0.0.1", "8.8.8.8"], false)).to.equal("8.8.8.8");
    expect(await asked(["10.0.0.1", "8.8.8.8"], true)).to.deep.equal([
      { address: "8.8.8.8", family: 4 },
    ]);
    expect(await asked(["127.0.0.1", "::1"], true)).to.equal("AddressRefused");
    expect(await asked([], false)).to.equal("AddressRefused");
  });

  it("W8: a URL of an address, in any spelling, and a name of a private address get no request", async () => {
    await using receiver = await openReceiver(SECRET);
    const port = new URL(receiver.url).port;
    const sender = senderOf({ allowed: [] });
    for (const host of [
      "127.0.0.1",
      "2130706433",
      "0x7f.1",
      "0177.0.0.1",
      "[::1]",
      "[::ffff:127.0.0.1]",
      "localhost",
    ]) {
      const attempt = await sender.send(to(`http://${host}:${port}/`), ITEM);
      expect(attempt.kind, host).to.equal("failed");
    }
    expect(receiver.deliveries).to.have.length(0);
    sender.close();
  });

  it("W8: http is refused unless it is allowed", () => {
    expect(senderOf({ plain: false }).refusalOf("http://hooks.example/")).to.match(/https/);
    expect(senderOf({ plain: false }).refusalOf("https://hooks.example/")).to.equal(undefined);
    expect(senderOf().refusalOf("ftp://hooks.example/")).to.match(/https/);
    expect(senderOf({ allowed: [] }).refusalOf("https://[::1]/")).to.match(/public/);
  });
});

describe("Webhooks: sender", () => {
  it("sender.1: 2xx is delivered; a redirect is not followed; nothing of an answer is a reason", async () => {
    let status: number | undefined = 204;
    await using receiver = await openReceiver(SECRET, () => status);
    const sender = senderOf();
    const attempt = () => sender.send(to(receiver.url), ITEM);
    expect(await attempt()).to.deep.equal({ kind: "delivered" });
    for (const bad of [301, 302, 307, 404, 410, 500]) {
      status = bad;
      expect(await attempt()).to.deep.equal({ kind: "failed", reason: `status ${bad}` });
    }
    expect(receiver.deliveries.map(({ path }) => path)).not.to.include("/elsewhere");
    status = undefined;
    const impatient = senderOf({ timeoutMs: 300 });
    expect(await impatient.send(to(receiver.url), ITEM)).to.deep.equal({
      kind: "failed",
      reason: "no answer in 300 ms",
    });
    for (const one of [sender, impatient]) one.close();
  });

  it("W5: the payload has type, time and data; its signature is one of Standard Webhooks", async () => {
    await using receiver = await openReceiver(SECRET);
    const sender = senderOf();
    await sender.send(to(receiver.url), ITEM);
    const other = { ...to(receiver.url), secret: `whsec_${"b".repeat(32)}` };
    expect((await sender.send(other, ITEM)).kind).to.equal("failed");
    expect(receiver.forged).to.equal(1);
    expect(receiver.taken.map(({ body, id }) => [id, body])).to.deep.equal([
      ["room_a_1_x", '{"type":"room.msg","timestamp":"1970-01-01T00:00:00.000Z","data":{"n":1}}'],
    ]);
    sender.close();
  });

  it("sender.2: a receiver that is gone is a short reason", async () => {
    const sender = senderOf();
    const attempt = await sender.send(to("http://127.0.0.1:9/"), ITEM);
    expect(attempt).to.deep.equal({ kind: "failed", reason: "ECONNREFUSED" });
    sender.close();
  });
});
