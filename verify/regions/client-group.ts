// ClientGroup: clients in one place of the region network, as a child process that the drill
// commands.
//
// Owns: the child and its file of records. Does not own: what the clients do (clients.ts).

import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { RoomId } from "#shared/protocol/ids.ts";
import { until } from "#shared/testing/wait.ts";
import { decodeRecord } from "../checker/record.ts";
import type { HistoryRecord } from "../checker/record.ts";
import type { ClientsCommand, ClientsOptions, ClientsState } from "./clients.ts";
import type { Place } from "./region-network.ts";

const CLIENTS = fileURLToPath(new URL("clients.ts", import.meta.url));
const WITHIN_MS = 120_000;

export class ClientGroup implements Disposable {
  readonly #child: ChildProcess;
  readonly #file: string;
  #state: ClientsState | undefined;
  #reports = 0;

  static start({ runner }: Place, options: ClientsOptions): ClientGroup {
    const [program = "", ...words] = runner;
    const child = fork(CLIENTS, [], {
      execPath: program,
      execArgv: [...words, process.execPath],
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      detached: true, // Ctrl-C reaches only the drill.
    });
    const group = new ClientGroup(child, options.file);
    group.#command({ kind: "open", options });
    return group;
  }

  private constructor(child: ChildProcess, file: string) {
    this.#child = child;
    this.#file = file;
    child.on("message", (state: ClientsState) => {
      this.#state = state;
      this.#reports++;
    });
  }

  async joined(): Promise<void> {
    await this.#until(({ isJoined }) => isJoined, "every client to join its room");
  }

  /** What went against the protocol. */
  get surprises(): readonly string[] {
    return this.#state?.surprises ?? [];
  }

  /** Resolves when the clients have `count` more acknowledgements. */
  async ackedMore(count: number): Promise<void> {
    const goal = (this.#state?.acked ?? 0) + count;
    await this.#until(({ acked }) => acked >= goal, `${count} more acknowledgements`);
  }

  /** Resolves when every client got an acknowledgement through the gateway `via` after `since`. */
  async backVia(via: string, since: number): Promise<void> {
    await this.#until(
      ({ backs }) => backs.every((back) => back.via === via && back.at > since),
      `every client to be back in ${via}`,
    );
  }

  /** Stops new sends. Resolves when every send is acknowledged. */
  async finish(): Promise<void> {
    this.#command({ kind: "finish" });
    await this.#until(({ pending }) => pending === 0, "every send to be acknowledged");
  }

  /** Resolves when every client has its room up to the head. */
  async hasRead(heads: ReadonlyMap<RoomId, number>): Promise<void> {
    await this.#until(
      ({ seen }) => seen.every(([room, seq]) => seq >= (heads.get(room) ?? 0)),
      "every client to have read its room to the head",
    );
  }

  /** Ends the child. Returns all records in order. */
  async close(): Promise<HistoryRecord[]> {
    const exited = once(this.#child, "exit");
    this.#command({ kind: "close" });
    await exited;
    return readFileSync(this.#file, "utf8")
      .split("\n")
      .flatMap((line) => decodeRecord(line) ?? []);
  }

  [Symbol.dispose](): void {
    this.#child.kill("SIGKILL");
  }

  #command(command: ClientsCommand): void {
    this.#child.send(command);
  }

  /** Only a report that came after the call counts. */
  async #until(isDone: (state: ClientsState) => boolean, what: string): Promise<void> {
    const before = this.#reports + 1;
    const check = (): boolean => {
      if (this.#child.exitCode !== null) throw new Error("the process of the clients has ended");
      return this.#state !== undefined && this.#reports > before && isDone(this.#state);
    };
    await until(check, { withinMs: WITHIN_MS, what });
  }
}
