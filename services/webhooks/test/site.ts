// Site: an HTTP server on loopback whose pages a test writes.

import { createServer } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Site extends AsyncDisposable {
  /** Without a path: `http://127.0.0.1:1234`. */
  readonly origin: string;
  readonly port: number;
  readonly requests: readonly { readonly path: string; readonly headers: IncomingHttpHeaders }[];
  /** The connections that the other side has ended before the answer. */
  readonly broken: number;
}

export type Pages = Readonly<
  Record<string, string | ((response: ServerResponse, request: IncomingMessage) => void)>
>;

/** `pages`: by path; a text is HTML. Another path gets 404. */
export async function openSite(pages: Pages): Promise<Site> {
  const requests: { path: string; headers: IncomingHttpHeaders }[] = [];
  let broken = 0;
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    requests.push({ path, headers: request.headers });
    response.on("close", () => (broken += response.writableFinished ? 0 : 1));
    const page = pages[path.split("?")[0] ?? ""];
    if (page === undefined) response.writeHead(404, HTML).end("<title>not here</title>");
    else if (typeof page === "string") response.writeHead(200, HTML).end(page);
    else page(response, request);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    requests,
    get broken() {
      return broken;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

export const HTML = { "content-type": "text/html; charset=utf-8" } as const;

export function redirectTo(location: string): (response: ServerResponse) => void {
  return (response) => response.writeHead(302, { location }).end();
}
