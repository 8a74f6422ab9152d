// SdkProject: an empty project outside of this repository with the packed SDK, as a user has it.
//
// The SDK itself is installed by npm from the archive, without a network. The other packages of a
// project (TypeScript, Vite, React) are links to those of this repository.

import { execFile } from "node:child_process";
import { createReadStream } from "node:fs";
import { cp, mkdir, mkdtemp, rm, stat, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { dirname, extname, join, normalize } from "node:path";
import { promisify } from "node:util";
import { REPOSITORY } from "#infra/embedded/service-process.ts";
import { packSdk } from "#tools/sdk/build.ts";

const run = promisify(execFile);
const TIMEOUT_MS = 120_000;
/** npm from `npm run` would otherwise carry over the settings of that run. */
const QUIET = ["--offline", "--no-audit", "--no-fund", "--loglevel=error"];

let packed: Promise<string> | undefined;

/** The archive of the SDK, made once in a process. */
function archive(): Promise<string> {
  return (packed ??= mkdtemp(join(tmpdir(), "parley-sdk-")).then(packSdk));
}

export class SdkProject implements AsyncDisposable {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** `from`: a folder of this repository to copy, such as an example. */
  static async create(links: readonly string[] = [], from?: string): Promise<SdkProject> {
    const project = new SdkProject(await mkdtemp(join(tmpdir(), "parley-project-")));
    await project.write("package.json", '{ "private": true, "type": "module" }\n');
    await run("npm", ["install", ...QUIET, await archive()], {
      cwd: project.folder,
      timeout: TIMEOUT_MS,
    });
    for (const name of links) {
      const place = join(project.folder, "node_modules", name);
      await mkdir(dirname(place), { recursive: true });
      await symlink(join(REPOSITORY, "node_modules", name), place);
    }
    if (from !== undefined) await cp(join(REPOSITORY, from), project.folder, { recursive: true });
    return project;
  }

  async write(path: string, text: string): Promise<void> {
    await writeFile(join(this.folder, path), text);
  }

  /** Runs a program of this repository's node_modules. Resolves with its standard output. */
  async runPackage(path: string, ...args: readonly string[]): Promise<string> {
    return this.run(process.execPath, join(REPOSITORY, "node_modules", path), ...args);
  }

  async run(program: string, ...args: readonly string[]): Promise<string> {
    try {
      const { stdout } = await run(program, args, { cwd: this.folder, timeout: TIMEOUT_MS });
      return stdout;
    } catch (error: unknown) {
      const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
      throw new Error(`${program} ${args.join(" ")}\n${stdout}${stderr}`, { cause: error });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
};

/** Serves the files of a folder on localhost, where a browser has Web Locks. */
export class PageServer implements AsyncDisposable {
  readonly #server: Server;
  #folder = "";

  constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<PageServer> {
    const server = createServer();
    const pages = new PageServer(server);
    server.on("request", (request, response) => {
      const { pathname } = new URL(request.url ?? "/", "http://localhost");
      const name = pathname.endsWith("/") ? `${pathname}index.html` : pathname;
      const path = join(pages.#folder, normalize(decodeURIComponent(name)));
      stat(path).then(
        () => {
          response.setHeader("content-type", TYPES[extname(path)] ?? "application/octet-stream");
          createReadStream(path).pipe(response);
        },
        () => response.writeHead(404).end(),
      );
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return pages;
  }

  get origin(): string {
    return `http://localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  show(folder: string): void {
    this.#folder = folder;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}
