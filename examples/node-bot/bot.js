// A bot: it answers "!roll 20" with a number, once, also when it crashes between the two.

import { createHash, randomInt } from "node:crypto";
import { Parley } from "@parley/client";
import { devToken } from "@parley/client/dev";
import { fileOutbox } from "@parley/client/node";

const gateway = process.env.PARLEY_URL ?? "http://localhost:8080";
const parley = new Parley({
  url: `${gateway.replace("http", "ws")}/v1/ws`,
  token: () => devToken(gateway, "dice"),
  outbox: fileOutbox(process.env.OUTBOX ?? "outbox.jsonl"),
});

const room = parley.join("general");
room.on("event", (event) => {
  if (event.t !== "msg" || event.from === parley.user) return;
  const [, sides] = /^!roll (\d{1,9})$/.exec(event.body.text ?? "") ?? [];
  if (sides === undefined || Number(sides) < 1) return;
  const text = `${event.from} rolled ${randomInt(Number(sides)) + 1}`;
  room.send({ text }, { replyTo: event.seq, id: answerTo(event.id) });
});

parley.on("error", ({ name, message }) => console.error(`${name}: ${message}`));
parley.connect();
await room.live();
console.log("rolling");

process.once("SIGTERM", async () => {
  await parley.flush();
  parley.close();
  process.exit(); // It does not wait for the gateway's answer to the close.
});

/** The same question always gets the same id, so it has one answer however often it is read. */
function answerTo(id) {
  const hash = createHash("sha256").update(`dice ${id}`).digest("hex");
  return `${id.slice(0, 14)}7${hash.slice(0, 3)}-a${hash.slice(3, 6)}-${hash.slice(6, 18)}`;
}
