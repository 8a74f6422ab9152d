// Receiver: an HTTP server that records deliveries, and answers as a test says.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";

export const SECRET = `whsec_${Buffer.from("a secret of twenty-four b").toString("base64")}`;

export interface Delivery {
  readonly path: string;
  readonly id: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly body: string;
  readonly status: number;
}

export interface Receiver extends AsyncDisposable {
  readonly url: string;
  /** All requests with a valid signature, in order. */
  readonly deliveries: readonly Delivery[];
  /** Those that were answered with 200. */
  readonly taken: readonly Delivery[];
  readonly forged: number;
}

/** `answer`: the status; undefined: no answer ever. */
export async function openReceiver(
  secret: string,
  answer: (delivery: Omit<Delivery, "status">) => number | undefined = () => 200,
): Promise<Receiver> {
  const deliveries: Delivery[] = [];
  const verifier = new Webhook(secret);
  let forged = 0;
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const body = Buffer.concat(parts).toString("utf8");
      try {
        verifier.verify(body, request.headers as Record<string, string>);
      } catch {
        forged++;
        response.writeHead(400).end();
        return;
      }
      const { type, data } = JSON.parse(body) as Pick<Delivery, "type" | "data">;
      const id = String(request.headers["webhook-id"]);
      const delivery = { path: request.url ?? "", id, type, data, body };
      const status = answer(delivery);
      deliveries.push({ ...delivery, status: status ?? 0 });
      if (status !== undefined) response.writeHead(status, { location: "/elsewhere" }).end("ok");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    deliveries,
    get taken() {
      return deliveries.filter(({ status }) => status === 200);
    },
    get forged() {
      return forged;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
