// UserNames: hands the display names of tokens on to the archive, and asks it for those of others.
// It implements the NamesApi port.
//
//   user-names.1. A name is handed on at the hello of a session, once for each token: of the
//        newest SAID_MAX users the last said name is known. One that is lost, or beyond WRITES_MAX
//        in flight, is said again with the next hello.
//   user-names.2. A user has at most LISTS_PER_USER_MAX requests in flight, and all users have
//        LISTS_MAX. Beyond it: `busy`.

import { LRUCache } from "lru-cache";
import type { Clock } from "#shared/ports/clock.ts";
import type { NameReader } from "#shared/ports/names.ts";
import type { Partition, RoomId, UserId } from "#shared/protocol/ids.ts";
import type { SaidName } from "#shared/protocol/names.ts";
import type { PartitionMap } from "#shared/protocol/partition-map.ts";
import { LISTS_MAX, LISTS_PER_USER_MAX } from "../core/bounds.ts";
import { InFlight } from "../core/in-flight.ts";
import type { ForgetOutcome, NamesApi, NamesOutcome } from "../core/names-port.ts";

const SAID_MAX = 10_000;
const WRITES_MAX = 256;

export interface UserNamesParts {
  readonly archive: NameReader;
  readonly map: Pick<PartitionMap, "partitionOf">;
  readonly clock: Pick<Clock, "now">;
}

export class UserNames implements NamesApi {
  readonly #parts: UserNamesParts;
  readonly #said = new LRUCache<UserId, SaidName>({ max: SAID_MAX });
  readonly #calls = new InFlight<UserId>(LISTS_PER_USER_MAX, LISTS_MAX);
  #writes = 0;

  constructor(parts: UserNamesParts) {
    this.#parts = parts;
  }

  /** user-names.1. */
  say(said: SaidName): void {
    const known = this.#said.get(said.user);
    if (known?.name === said.name && known.at >= said.at) return;
    if (this.#writes >= WRITES_MAX) return;
    this.#writes++;
    void this.#put(said).then((isStored) => {
      this.#writes--;
      if (isStored) this.#said.set(said.user, said);
    });
  }

  async names(by: UserId, users: readonly UserId[]): Promise<NamesOutcome> {
    const read = await this.#calls.run(by, () =>
      this.#parts.archive.names(this.#partitionOf(by), users),
    );
    if (read === undefined) return { kind: "refused", error: "busy" };
    if (read.kind !== "ok") return { kind: "refused", error: "unavailable" };
    return { kind: "names", names: read.value };
  }

  async forget(by: UserId, user: UserId): Promise<ForgetOutcome> {
    const said = { user, name: "", at: this.#parts.clock.now() };
    const isStored = await this.#calls.run(by, () => this.#put(said));
    if (isStored === undefined) return { kind: "refused", error: "busy" };
    if (!isStored) return { kind: "refused", error: "unavailable" };
    this.#said.delete(user);
    return { kind: "forgotten" };
  }

  async #put(said: SaidName): Promise<boolean> {
    const { archive } = this.#parts;
    return (await archive.putName(this.#partitionOf(said.user), said)).kind === "ok";
  }

  /** Any partition's subject: the users spread over them. */
  #partitionOf(user: UserId): Partition {
    return this.#parts.map.partitionOf(user as string as RoomId);
  }
}
