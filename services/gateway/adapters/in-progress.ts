// InProgress: how many long requests of one kind run at a time, for each user and in total.

import type { UserId } from "#shared/protocol/ids.ts";

export interface InProgressBounds {
  readonly perUserMax: number;
  readonly max: number;
}

export class InProgress {
  readonly #bounds: InProgressBounds;
  readonly #byUser = new Map<UserId, number>();
  #all = 0;

  constructor(bounds: InProgressBounds) {
    this.#bounds = bounds;
  }

  get count(): number {
    return this.#all;
  }

  /** False: as many run as may. Otherwise call `end` once. */
  begin(user: UserId): boolean {
    const { perUserMax, max } = this.#bounds;
    const own = this.#byUser.get(user) ?? 0;
    if (own >= perUserMax || this.#all >= max) return false;
    this.#byUser.set(user, own + 1);
    this.#all++;
    return true;
  }

  end(user: UserId): void {
    this.#all--;
    const left = (this.#byUser.get(user) ?? 0) - 1;
    if (left > 0) this.#byUser.set(user, left);
    else this.#byUser.delete(user);
  }
}
