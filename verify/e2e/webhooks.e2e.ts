// Webhooks on a real cluster: a back end subscribes with a service token, and the process that
// serves the subscription is killed under load.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { startCluster } from "#infra/embedded/cluster.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";
import { serviceClient } from "#client/sdk/server/server-client.ts";
import { until } from "#shared/testing/wait.ts";
import { openReceiver } from "../../services/webhooks/test/receiver.ts";
import { devToken } from "../wire-client/dev-token.ts";

const ROOMS = ["hook-a", "hook-b", "hook-c"];
const EACH = 60;

describe("Webhooks on a cluster", function () {
  this.timeout(120_000);
  let dataDir = "";
  let cluster: Cluster;
  before(async () => {
    dataDir = mkdtempSync(join(tmpdir(), "parley-webhooks-"));
    const env = { WEBHOOKS_HTTP: "1", WEBHOOKS_ALLOW: "127.0.0.0/8" };
    const say = (): void => undefined;
    const fixed = { port: 0, partitions: 4, limits: "off", say } as const;
    cluster = await startCluster({ ...fixed, dataDir, webhooks: 2, env });
  });
  after(async () => {
    await cluster.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it("W1, W3, W9: the process that serves a webhook is killed; nothing is lost or out of order", async () => {
    const token = await devToken(cluster.url, "backend", { svc: true });
    const service = serviceClient({ url: cluster.url, token });
    const secret = `whsec_${Buffer.from("twenty-four bytes or more").toString("base64")}`;
    await using receiver = await openReceiver(secret);
    const body = { url: receiver.url, kinds: ["room.msg" as const], secret };
    const { data } = await service.POST("/v1/webhooks", { body });
    expect(data?.secret).to.equal(secret);
    const sent: Promise<unknown>[] = [];
    const send = (n: number, room: string): void => {
      const text = { text: `${n}` };
      sent.push(
        service.as("ada").POST("/v1/rooms/{room}/messages", {
          params: { path: { room } },
          body: { body: text },
        }),
      );
    };
    for (let n = 0; n < EACH / 2; n++) for (const room of ROOMS) send(n, room);
    await until(() => receiver.taken.length > 10, { withinMs: 30_000, what: "deliveries" });
    // One of the two serves the webhook; the other one has nothing to lose.
    await Promise.all(["webhooks-1", "webhooks-2"].map((name) => cluster.kill(name)));
    for (let n = EACH / 2; n < EACH; n++) for (const room of ROOMS) send(n, room);
    await Promise.all(sent);
    const seqsOf = (room: string) => [
      ...new Set(
        receiver.taken.filter(({ data }) => data["room"] === room).map(({ data }) => data["seq"]),
      ),
    ];
    const all = () => ROOMS.every((room) => seqsOf(room).length === EACH);
    await until(all, { withinMs: 60_000, what: "all deliveries" });
    for (const room of ROOMS) {
      expect(seqsOf(room)).to.deep.equal(Array.from({ length: EACH }, (_, i) => i + 1));
    }
    expect(receiver.taken.every(({ data }) => data["from"] === "ada")).to.equal(true);
    const { data: list } = await service.GET("/v1/webhooks");
    expect(list?.webhooks[0]).to.include({ author: "backend", dead: 0 });
  });

  it("W8: a webhook to a private address is refused", async () => {
    const token = await devToken(cluster.url, "operator", { admin: true });
    const service = serviceClient({ url: cluster.url, token });
    const body = { url: "https://10.0.0.1/", kinds: ["room.msg" as const] };
    const error = await service.POST("/v1/webhooks", { body }).catch((reason: unknown) => reason);
    expect(error).to.include({ code: "forbidden" });
  });
});
