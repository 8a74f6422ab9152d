// haproxy.cfg, read as data: its timeouts beside those of a gateway, its ports, and its checks.

import { expect } from "chai";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { HTTP_BOUNDS } from "../../../services/gateway/adapters/http-sockets.ts";
import { PING_MS } from "#shared/protocol/limits.ts";
import { REPOSITORY } from "../../embedded/service-process.ts";

interface Service {
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
}

const read = (path: string): string => readFileSync(join(REPOSITORY, path), "utf8");
const { services } = parse(read("compose.yaml"), { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>;
};

/** Section → its lines, without comments. */
const sections = new Map<string, string[]>();
let current = "";
for (const raw of read("infra/docker/haproxy.cfg").split("\n")) {
  const line = raw.replace(/#.*/, "").trim().replaceAll(/\s+/g, " ");
  if (line === "") continue;
  if (/^\s/.test(raw)) sections.get(current)!.push(line);
  else sections.set((current = line), []);
}
const all = [...sections.values()].flat();

/** The rest of the only line of a section that begins with these words. */
function valueOf(section: string, words: string): string {
  const found = sections.get(section)!.filter((line) => line.startsWith(`${words} `));
  expect(found, `${section}: ${words}`).to.have.length(1);
  return found[0]!.slice(words.length + 1);
}

function timeoutMs(what: string): number {
  const [, count, unit] = /^(\d+)(ms|s|m|h)$/.exec(valueOf("defaults", `timeout ${what}`))!;
  return Number(count) * { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }[unit as "s"];
}

describe("haproxy.cfg", () => {
  it("H7: a request head arrives within the time that a gateway permits, because HAProxy reads it first", () => {
    expect(timeoutMs("http-request")).to.equal(HTTP_BOUNDS.headMs);
  });

  it("H7: HAProxy closes an idle connection before a gateway does, and waits longer for an answer", () => {
    expect(timeoutMs("http-keep-alive")).to.be.below(HTTP_BOUNDS.idleMs);
    // A late request gets the gateway's 408, and not the 504 of HAProxy.
    for (const what of ["client", "server"]) {
      expect(timeoutMs(what), what).to.be.above(HTTP_BOUNDS.requestMs + HTTP_BOUNDS.checkMs);
    }
  });

  it("S7: HAProxy keeps a silent WebSocket for longer than a gateway does", () => {
    expect(timeoutMs("tunnel")).to.be.above(2 * PING_MS);
  });

  it("H2: HAProxy sends no request twice: it retries only a connect that failed", () => {
    expect(all.filter((line) => line.startsWith("retry-on"))).to.deep.equal([]);
  });

  it("E7: HAProxy listens on the published port alone, and no page of its own is served", () => {
    const port = valueOf("frontend clients", "bind");
    expect(port).to.equal(":8080");
    expect(services["front"]!.ports!.map((mapping) => mapping.split(":").at(-1))).to.deep.equal([
      port.slice(1),
    ]);
    const listeners = [...sections.keys()].filter((name) => /^(?:frontend|listen)\b/.test(name));
    expect(listeners).to.deep.equal(["frontend clients"]);
    expect(all.filter((line) => /^(?:stats|monitor-uri|http-request)\b/.test(line))).to.deep.equal(
      [],
    );
  });

  it("S13: HAProxy names each client in a PROXY header to every gateway of compose.yaml, which expects one", () => {
    expect(valueOf("backend gateways", "default-server").split(" ")).to.include("send-proxy-v2");
    const gateways = Object.keys(services).filter((name) => /^gateway-\d+$/.test(name));
    const servers = sections.get("backend gateways")!.filter((line) => line.startsWith("server "));
    expect(servers).to.deep.equal(gateways.map((name) => `server ${name} ${name}:8080`));
    for (const name of gateways) {
      expect(services[name]!.environment, name).to.include({
        PROXY_PROTOCOL: "${PROXY_PROTOCOL:-on}",
        PORT: "8080",
      });
    }
  });

  it("H3: HAProxy gives no new clients to a gateway that is not ready, after two checks", () => {
    expect(valueOf("backend gateways", "option httpchk")).to.equal("GET /readyz");
    expect(valueOf("backend gateways", "http-check expect")).to.equal("status 200");
    const check = valueOf("backend gateways", "default-server");
    expect(check).to.include("check inter 1s fall 2 rise 1");
  });
});
