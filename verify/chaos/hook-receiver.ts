// HookReceiver: the back end of a chaos run, or of a run on hosts: it subscribes to a few rooms,
// and records what it takes.
//
//   hook-receiver.1. It subscribes before the first event, so that every event of its rooms must
//        arrive.
//   hook-receiver.2. It takes a delivery with a valid signature only, and records it before it
//        answers.

import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";
import { serviceClient } from "#client/sdk/server/server-client.ts";
import type { ServiceClient } from "#client/sdk/server/server-client.ts";
import type { RoomId } from "#shared/protocol/ids.ts";
import { until } from "#shared/testing/wait.ts";
import type { HookRecord } from "../checker/record.ts";
import { devToken } from "../wire-client/dev-token.ts";
import { runNow } from "./run-clock.ts";

const KINDS = ["msg", "edited", "deleted", "reacted", "pinned", "member", "room"] as const;
/** For the two processes: a receiver on loopback. */
export const HOOK_ENV = { WEBHOOKS_HTTP: "1", WEBHOOKS_ALLOW: "127.0.0.0/8" };
/** A receiver that was down is tried again within a minute; then the events of that time arrive. */
const CAUGHT_UP_WITHIN_MS = 150_000;

export class HookReceiver {
  readonly #record: (record: HookRecord) => void;
  readonly #address: string;
  #server: Server | undefined;
  #port = 0;
  #verifier: Webhook | undefined;
  #service: ServiceClient | undefined;
  forged = 0;

  /** `address`: where it listens, as the processes that send reach it. */
  constructor(record: (record: HookRecord) => void, address = "127.0.0.1") {
    this.#record = record;
    this.#address = address;
  }

  /** hook-receiver.1. */
  async subscribe(gateway: string, rooms: readonly RoomId[]): Promise<void> {
    await this.open();
    const token = await devToken(gateway, "backend", { svc: true });
    this.#service = serviceClient({ url: gateway, token });
    const kinds = KINDS.map((kind) => `room.${kind}` as const);
    const url = `http://${this.#address}:${this.#port}/`;
    const body = { url, kinds: [...kinds], rooms: [...rooms] };
    const { data } = await this.#service.POST("/v1/webhooks", { body });
    this.#verifier = new Webhook(data?.secret ?? "");
    this.#record({ t: runNow(), op: "hook", phase: "invoke", kinds: [...KINDS], rooms });
  }

  /** At the same port again. */
  async open(): Promise<void> {
    const server = createServer((request, response) => void this.#onRequest(request, response));
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.#port, this.#address, resolve));
    this.#port = (server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  /** Rejects when the receiver does not have everything in time. */
  async caughtUp(): Promise<void> {
    const service = this.#service;
    if (service === undefined) return;
    const isDone = async (): Promise<boolean> => {
      const { data } = await service.GET("/v1/webhooks");
      return (data?.webhooks ?? []).every(({ behindMs, waiting }) => behindMs + waiting === 0);
    };
    const within = { withinMs: CAUGHT_UP_WITHIN_MS, what: "every webhook", everyMs: 500 };
    await until(() => isDone().catch(() => false), within);
  }

  async #onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = Buffer.concat(parts).toString("utf8");
    try {
      this.#verifier?.verify(body, request.headers as Record<string, string>);
    } catch {
      this.forged++;
      response.writeHead(400).end();
      return;
    }
    const { data } = JSON.parse(body) as {
      readonly data: { t: string; room: RoomId; seq: number; id: string };
    };
    const { t: kind, room, seq, id } = data;
    this.#record({ t: runNow(), op: "hook", phase: "ok", kind, room, seq, id });
    response.writeHead(204).end();
  }
}
