// OperatorRequests: a request for the webhooks, on a real NATS.

import { expect } from "chai";
import { openNatsBench } from "../../testing/nats-bench.ts";
import { subjects } from "../../protocol/subjects.ts";
import { decodeWebhookRequest, encodeWebhookAnswer } from "../../protocol/webhooks.ts";
import type { ListedWebhook } from "../../protocol/webhooks.ts";
import { OperatorRequests } from "../operator-requests.ts";

const WEBHOOK: ListedWebhook = {
  webhook: "01890000-0000-7000-8000-000000000000",
  url: "https://back-end.example/events",
  kinds: ["msg", "a-later-kind"],
  rooms: ["general"],
  author: "ada",
  created: 1_795_500_000_000,
  waiting: 3,
  dead: 1,
  behindMs: 250,
};

describe("Requests of an operator", () => {
  it("N5: webhooks are the answer of the process that sends them, and unknown where the answer is malformed or missing", async () => {
    await using bench = await openNatsBench();
    const operator = await bench.connect();
    const webhooks = await bench.connect();
    const requests = new OperatorRequests(operator.connection);
    expect(await requests.webhooks(), "no process answers").to.equal(undefined);

    let answer = encodeWebhookAnswer({ kind: "webhooks", webhooks: [WEBHOOK] });
    const asked: unknown[] = [];
    const subscription = webhooks.connection.subscribe(subjects.manageWebhooks, {
      callback(_error, message) {
        asked.push(decodeWebhookRequest(message.string()));
        message.respond(answer);
      },
    });
    await webhooks.connection.flush();
    expect(await requests.webhooks()).to.deep.equal([WEBHOOK]);
    answer = encodeWebhookAnswer({ kind: "webhooks", webhooks: [] });
    expect(await requests.webhooks()).to.deep.equal([]);
    answer = encodeWebhookAnswer({ kind: "done" });
    expect(await requests.webhooks(), "another answer").to.equal(undefined);
    answer = encodeWebhookAnswer({ kind: "webhooks", webhooks: [WEBHOOK] }).replace(
      '"dead":1',
      '"dead":-1',
    );
    expect(await requests.webhooks(), "a malformed answer").to.equal(undefined);
    expect(asked).to.deep.equal(asked.map(() => ({ op: "list" })));
    expect(asked).to.have.length(4);
    subscription.unsubscribe();
  });
});
