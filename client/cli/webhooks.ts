// Webhooks: `parley webhooks`: the subscriptions of back ends, with an administrator's token or a
// service token; with AUTH=dev with a dev token that has `admin`.

import { InvalidArgumentError } from "commander";
import type { Command } from "commander";
import { DEAD_PAGE_MAX, WEBHOOK_ID, WEBHOOK_KINDS } from "#shared/protocol/webhook-names.ts";
import type { DeadLetter, ListedWebhook } from "#shared/protocol/webhooks.ts";
import type { RoomId } from "#shared/protocol/ids.ts";
import { roomOf } from "./arguments.ts";
import { request } from "./change.ts";
import type { Caller } from "./change.ts";
import { neutral } from "./print.ts";

export function addWebhookCommands(program: Command, caller: Caller): void {
  const { out } = caller;
  const asAdmin: Caller = { ...caller, token: () => caller.token({ admin: true }) };
  const webhooks = program
    .command("webhooks")
    .description("deliveries of events to back ends; needs a token with admin or svc");
  webhooks
    .command("add")
    .description("subscribe a back end; prints the id, and the secret that verifies deliveries")
    .argument("<url>", "where the events are delivered, https://…")
    .requiredOption("--kind <kind>", "a kind of event; several times for several", kindOf)
    .option("--room <room>", "a room; several times for several; default: all", roomsOf)
    .action(async (url: string, { kind, room }: { kind: string[]; room?: RoomId[] }) => {
      const body = { url, kinds: kind, ...(room !== undefined && { rooms: room }) };
      const answer = await request(asAdmin, "POST", "/v1/webhooks", body);
      out.print(answer, String(answer["webhook"]), String(answer["secret"]));
    });
  webhooks
    .command("list")
    .description("list the webhooks, and what their receivers do not have")
    .action(async () => {
      const answer = await request(asAdmin, "GET", "/v1/webhooks");
      const listed = answer["webhooks"] as readonly ListedWebhook[];
      for (const webhook of listed) out.print(webhook, webhookLine(webhook));
    });
  webhooks
    .command("remove")
    .description("remove a webhook, with its dead letters")
    .argument("<webhook>", "its id", webhookOf)
    .action(async (id: string) => {
      const answer = await request(asAdmin, "DELETE", `/v1/webhooks/${id}`);
      out.print({ webhook: id, ...answer }, id);
    });
  webhooks
    .command("dead")
    .description("list the events that did not arrive in three days")
    .argument("<webhook>", "its id", webhookOf)
    .action(async (id: string) => {
      for (let after = 0; ;) {
        const path = `/v1/webhooks/${id}/dead?after=${after}&limit=${DEAD_PAGE_MAX}`;
        const answer = await request(asAdmin, "GET", path);
        const dead = answer["dead"] as readonly DeadLetter[];
        for (const letter of dead) out.print(letter, deadLine(letter));
        after = dead.at(-1)?.n ?? 0;
        if (dead.length < DEAD_PAGE_MAX) return;
      }
    });
  webhooks
    .command("replay")
    .description("try dead letters for three more days")
    .argument("<webhook>", "its id", webhookOf)
    .argument("[ids...]", "ids of dead letters; default: all")
    .action(async (id: string, ids: string[]) => {
      const body = ids.length === 0 ? {} : { ids };
      const answer = await request(asAdmin, "POST", `/v1/webhooks/${id}/replay`, body);
      out.print({ webhook: id, ...answer }, `${String(answer["replayed"])} events`);
    });
}

export function webhookLine(webhook: ListedWebhook): string {
  const { webhook: id, url, kinds, rooms, waiting, dead, behindMs, reason } = webhook;
  const state = [
    ...(waiting > 0 ? [`${waiting} wait`] : []),
    ...(dead > 0 ? [`${dead} dead letters`] : []),
    ...(behindMs > 0 ? [`${Math.round(behindMs / 1_000)} s behind`] : []),
    ...(reason === undefined ? [] : [`last failure: ${reason}`]),
  ];
  const what = `${kinds.join(" ")}${rooms.length > 0 ? ` in ${rooms.join(" ")}` : ""}`;
  return neutral(`${id}  ${url}  ${what}  ${state.length > 0 ? state.join(", ") : "up to date"}`);
}

function deadLine({ id, at, attempts, reason }: DeadLetter): string {
  const why = reason === "" ? "" : `: ${reason}`;
  return neutral(`${id}  ${new Date(at).toISOString()}  ${attempts} attempts${why}`);
}

function kindOf(text: string, before: readonly string[] = []): readonly string[] {
  if ((WEBHOOK_KINDS as readonly string[]).includes(text)) return [...before, text];
  throw new InvalidArgumentError(`Expected one of ${WEBHOOK_KINDS.join(", ")}.`);
}

function roomsOf(text: string, before: readonly RoomId[] = []): readonly RoomId[] {
  return [...before, roomOf(text)];
}

function webhookOf(text: string): string {
  if (WEBHOOK_ID.test(text)) return text;
  throw new InvalidArgumentError("Expected the id of a webhook: a lower-case UUID.");
}
