// TLS to NATS: our connection with the settings that docs/operating/nats.md names, against a real
// nats-server and against a server without TLS that records the received bytes.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { launchNats } from "#shared/testing/launch-nats.ts";
import { skipTest } from "#tools/test-run/skip.ts";

const DIAL = fileURLToPath(new URL("../../testing/tls-dial.ts", import.meta.url));
const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];

/** A certificate authority and its certificate for `host`, as files. */
class Authority {
  readonly #dir: string;
  readonly #name: string;

  constructor(dir: string, name: string, host = "localhost") {
    this.#dir = dir;
    this.#name = name;
    const [key, cert] = [this.#file("ca.key"), this.ca];
    const subject = ["-subj", `/CN=${name}`];
    openssl(["req", "-x509", ...KEY, "-keyout", key, "-out", cert, ...subject]);
    const issuer = ["-CA", cert, "-CAkey", key];
    const named = ["-subj", `/CN=${host}`, "-addext", `subjectAltName=DNS:${host}`];
    const made = ["-keyout", this.#file("server.key"), "-out", this.#file("server.pem")];
    openssl(["req", "-x509", ...issuer, ...KEY, ...made, ...named]);
  }

  get ca(): string {
    return this.#file("ca.pem");
  }

  /** The `tls` block of a server's configuration. */
  get block(): string {
    return `tls { cert_file: "${this.#file("server.pem")}", key_file: "${this.#file("server.key")}" }\n`;
  }

  #file(end: string): string {
    return join(this.#dir, `${this.#name}-${end}`);
  }
}

function openssl(args: readonly string[]): void {
  execFileSync("openssl", args, { stdio: ["ignore", "ignore", "pipe"] });
}

/** The first line that a process prints which trusts `ca`; `during` runs while it is connected. */
async function dial(
  url: string,
  ca: string | undefined,
  during: () => Promise<void> = () => Promise.resolve(),
): Promise<string> {
  const { NODE_EXTRA_CA_CERTS: _inherited, ...env } = process.env;
  const child = spawn(process.execPath, [DIAL, url], {
    env: { ...env, ...(ca !== undefined && { NODE_EXTRA_CA_CERTS: ca }) },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  try {
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    await during();
    return line.toString().trim();
  } finally {
    child.stdin.end();
    await ended;
  }
}

const at = (port: number): string => `tls://localhost:${port}`;

describe("NATS connection: TLS", () => {
  let dir = "";
  let ours: Authority;
  let theirs: Authority;
  let elsewhere: Authority;

  before(function needsOpenssl() {
    try {
      openssl(["version"]);
    } catch {
      skipTest(this, "this machine has no openssl, which makes the certificates");
    }
    dir = mkdtempSync(join(tmpdir(), "parley-tls-"));
    ours = new Authority(dir, "ours");
    theirs = new Authority(dir, "theirs");
    elsewhere = new Authority(dir, "elsewhere", "nats.example");
  });

  after(() => {
    if (dir !== "") rmSync(dir, { recursive: true });
  });

  it("X7: with a tls:// URL and the authority in NODE_EXTRA_CA_CERTS the connection is encrypted", async () => {
    await using server = await launchNats({ authorization: ours.block });
    const printed = await dial(at(server.port), ours.ca, async () => {
      const seen = await (await fetch(`${server.monitorUrl}/connz`)).json();
      const { connections } = seen as { connections: { name: string; tls_version?: string }[] };
      expect(connections.map(({ name }) => name)).to.deep.equal(["tls-dial"]);
      expect(connections[0]?.tls_version).to.equal("1.3");
    });
    expect(printed).to.equal("connected");
  });

  it("X7: refuses a server whose certificate has another authority, and one with another host name", async () => {
    await using server = await launchNats({ authorization: ours.block });
    expect(await dial(at(server.port), theirs.ca)).to.match(/^NatsUnreachable.*certificate/);
    expect(await dial(at(server.port), undefined)).to.match(/^NatsUnreachable.*certificate/);
    await using other = await launchNats({ authorization: elsewhere.block });
    expect(await dial(at(other.port), elsewhere.ca)).to.match(/^NatsUnreachable.*altnames/);
  });

  it("X7: refuses an address in place of a host name", async () => {
    await using server = await launchNats({ authorization: ours.block });
    const { port } = server;
    const urls = [
      `tls://127.0.0.1:${port}`,
      `${at(port)},127.0.0.1:${port}`,
      `tls://[::1]:${port}`,
    ];
    for (const url of urls) {
      expect(await dial(url, ours.ca), url).to.match(/^NatsUnreachable.*not by an address/);
    }
  });

  it("X7: refuses a server without TLS before it sends anything", async () => {
    await using server = await launchNats();
    expect(await dial(at(server.port), ours.ca)).to.match(/^NatsUnreachable.*tls/);
    const both = `nats://localhost:${server.port},${at(server.port)}`;
    expect(await dial(both, ours.ca)).to.match(/^NatsUnreachable.*tls/);

    let given = "";
    const plain = createServer((socket) => {
      socket.on("error", () => undefined).on("data", (bytes) => (given += bytes.toString()));
      socket.write('INFO {"server_id":"X","version":"2.12.0","proto":1,"max_payload":1048576}\r\n');
    });
    await new Promise<void>((resolve) => plain.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = plain.address() as AddressInfo;
      expect(await dial(at(port), ours.ca)).to.match(/^NatsUnreachable.*tls/);
      expect(given).to.equal("");
    } finally {
      plain.close();
    }
  });
});
