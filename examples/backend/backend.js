// A back end: it creates a room, posts in it as a user, and receives events as webhooks.

import { createServer } from "node:http";
import { devToken } from "@parley/client/dev";
import { serviceClient } from "@parley/client/server";
import { Webhook } from "standardwebhooks";

const gateway = process.env.PARLEY_URL ?? "http://localhost:8080";
const port = Number(process.env.PORT ?? 8090);
const url = `http://127.0.0.1:${port}/parley`;
// In production: TokenSigner, with the key of your issuer.
const token = () => devToken(gateway, "backend", { svc: true });
const service = serviceClient({ url: gateway, token });

let verifier;
const known = new Set(); // In production: a unique key in your database.

createServer(async (request, response) => {
  let body = "";
  for await (const part of request) body += part;
  let event;
  try {
    event = verifier.verify(body, request.headers);
  } catch {
    response.writeHead(400).end();
    return;
  }
  const id = request.headers["webhook-id"];
  if (!known.has(id)) onEvent(event);
  known.add(id);
  response.writeHead(204).end();
}).listen(port, "127.0.0.1", start);

function onEvent({ type, data }) {
  if (type === "room.msg") console.log(`${data.room}: ${data.from} wrote "${data.body.text}"`);
  if (type === "session.ended") console.log(`${data.user} left (${data.reason}) ${data.session}`);
}

async function start() {
  // A webhook of an earlier run has a secret that this one does not know.
  const { data: old } = await service.GET("/v1/webhooks");
  for (const { webhook } of old.webhooks.filter((one) => one.url === url)) {
    await service.DELETE("/v1/webhooks/{webhook}", { params: { path: { webhook } } });
  }
  const kinds = ["room.msg", "session.ended"];
  const { data: added } = await service.POST("/v1/webhooks", { body: { url, kinds } });
  verifier = new Webhook(added.secret);

  const room = `order-${Date.now()}`;
  const members = [{ user: "ada" }, { user: "ben" }];
  await service.POST("/v1/rooms", { body: { room, kind: "closed", title: "Order 7", members } });
  await service.as("ada").POST("/v1/rooms/{room}/messages", {
    params: { path: { room } },
    body: { body: { text: "Is it paid?" } },
  });
  console.log(`listening ${room}`);
}
