// BrowserCluster: the cluster, the built page and the browser that the tests of one file share.
// Each test has its own room.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Browser, BrowserContextOptions } from "playwright-core";
import { Parley } from "#client/sdk/parley.ts";
import { startCluster } from "#infra/embedded/cluster.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";
import type { ClusterOptions } from "#infra/embedded/cluster-options.ts";
import { buildWebClient } from "#infra/embedded/web-client.ts";
import { until } from "#shared/testing/wait.ts";
import { ensureChromium } from "#tools/programs/chromium.ts";
import { BrowserUser, openBrowser } from "./browser-user.ts";

export class BrowserCluster {
  #dataDir: string | undefined;
  #cluster: Cluster | undefined;
  #browser: Browser | undefined;

  get cluster(): Cluster {
    return this.#cluster as Cluster;
  }
  get browser(): Browser {
    return this.#browser as Browser;
  }
  get url(): string {
    return this.cluster.url;
  }

  /** Opens the page as a user, in a room. */
  arrive(name: string, room: string, options?: BrowserContextOptions): Promise<BrowserUser> {
    return BrowserUser.open(this.browser, this.url, { name, room }, options);
  }

  /** A client of the SDK, for what the page cannot do. `name`: its display name. */
  client(user: string, name?: string): Parley {
    const socket = `${this.url.replace("http", "ws").replace(/\/$/, "")}/v1/ws`;
    const token = async (): Promise<string> => {
      const response = await fetch(new URL("/v1/dev/token", this.url), {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ user, name }),
      });
      return ((await response.json()) as { token: string }).token;
    };
    const client = new Parley({ url: socket, token });
    client.connect();
    return client;
  }

  /** `options`: for the cluster. */
  async start(options: Partial<ClusterOptions> = {}): Promise<void> {
    const chromium = await ensureChromium();
    expect(chromium, "no Chromium; set CHROMIUM").to.be.a("string");
    const build = await buildWebClient(() => undefined);
    expect(build.kind).to.be.oneOf(["built", "fresh"]);
    this.#dataDir = mkdtempSync(join(tmpdir(), "parley-browser-"));
    const say = (): void => undefined;
    const base = { dataDir: this.#dataDir, port: 0, partitions: 4, limits: "off", say } as const;
    this.#cluster = await startCluster({ ...base, ...options });
    this.#browser = await openBrowser(chromium ?? "");
  }

  async isReady(): Promise<boolean> {
    if (!URL.canParse(this.url)) return false; // No gateway runs.
    const answer = await fetch(new URL("/readyz", this.url)).catch(() => undefined);
    return answer?.ok === true;
  }

  async stop(): Promise<void> {
    await this.#browser?.close();
    await this.#cluster?.stop();
    if (this.#dataDir !== undefined) rmSync(this.#dataDir, { recursive: true, force: true });
  }
}

/** Starts one for the tests of the enclosing `describe`. */
export function useBrowserCluster(): BrowserCluster {
  const shared = new BrowserCluster();
  before(async function () {
    this.timeout(240_000);
    await shared.start();
  });
  // A test that fails while the gateway is down must not fail the next tests.
  beforeEach(async function () {
    this.timeout(60_000);
    await until(() => shared.isReady(), { withinMs: 50_000, what: "the gateway" });
  });
  after(async function () {
    this.timeout(60_000);
    await shared.stop();
  });
  return shared;
}
