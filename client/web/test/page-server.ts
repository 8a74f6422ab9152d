// PageServer: the built page behind the HTTP side of a gateway without rooms, and a browser.

import { join } from "node:path";
import { expect } from "chai";
import type { Browser } from "playwright-core";
import { buildWebClient } from "#infra/embedded/web-client.ts";
import { ensureChromium } from "#tools/programs/chromium.ts";
import type { HttpConfig } from "../../../services/gateway/adapters/http.ts";
import { openHttpFixture } from "../../../services/gateway/test/http-fixture.ts";
import type { HttpFixture } from "../../../services/gateway/test/http-fixture.ts";
import { openBrowser } from "./browser-user.ts";

const DIST = join(import.meta.dirname, "../dist");

export interface PageServer extends AsyncDisposable {
  readonly fixture: HttpFixture;
  readonly browser: Browser;
}

/** `config`: of the HTTP side, beside the folder of the page. */
export async function openPageServer(config: Partial<HttpConfig> = {}): Promise<PageServer> {
  const chromium = await ensureChromium();
  expect(chromium, "no Chromium; set CHROMIUM").to.be.a("string");
  expect((await buildWebClient(() => undefined)).kind).to.be.oneOf(["built", "fresh"]);
  await using stack = new AsyncDisposableStack(); // Without a browser the fixture closes, too.
  const fixture = stack.use(await openHttpFixture({ config: { webDir: DIST, ...config } }));
  const browser = await openBrowser(chromium ?? "");
  stack.defer(() => browser.close());
  const owned = stack.move();
  return { fixture, browser, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
