// FairLine: a queue that gives places to users in turn.
//
// Owns: the places, the number that each user and each group has, and the waiting work. Does not
// own: the work. A group is what the work depends on (a partition), so a group that does not answer
// occupies only its own places.
//
//   fair-line.1. Users get places in turn, one each. Work of one user begins in the order of its
//        request, except that work of a group without a free place is skipped.
//   fair-line.2. The work in progress never exceeds its bounds: in total, of one group, of one
//        user.
//   fair-line.3. The waiting work never exceeds its bounds: in total, of one user. Beyond them work
//        is refused.

export interface LineBounds {
  readonly places: number;
  readonly perGroup: number;
  readonly perUser: number;
  readonly waiting: number;
  readonly waitingPerUser: number;
}

/** Begins the work. False: another user's request has begun the same work already. */
type Begin = () => boolean;

interface Waiting<G> {
  readonly byGroup: Map<G, Begin[]>;
  count: number;
}

export class FairLine<G> {
  readonly #bounds: LineBounds;
  readonly #byUser = new Map<string, number>();
  readonly #byGroup = new Map<G, number>();
  /** Users with waiting work. The next user to get a place comes first. */
  readonly #waiting = new Map<string, Waiting<G>>();
  #underWay = 0;
  #waits = 0;

  constructor(bounds: LineBounds) {
    this.#bounds = bounds;
  }

  get waits(): number {
    return this.#waits;
  }

  /**
   * Begins the work now or later. The caller calls `end` once for work that began. False: refused
   * (fair-line.3).
   */
  request(user: string, group: G, begin: Begin): boolean {
    if (this.#hasPlace(user, group)) {
      this.#begin(user, group, begin);
      return true;
    }
    const { waiting, waitingPerUser } = this.#bounds;
    const own = this.#waiting.get(user) ?? { byGroup: new Map<G, Begin[]>(), count: 0 };
    if (this.#waits >= waiting || own.count >= waitingPerUser) return false;
    const line = own.byGroup.get(group);
    if (line === undefined) own.byGroup.set(group, [begin]);
    else line.push(begin);
    own.count++;
    this.#waits++;
    this.#waiting.set(user, own);
    return true;
  }

  end(user: string, group: G): void {
    this.#underWay--;
    lower(this.#byUser, user);
    lower(this.#byGroup, group);
    while (this.#beginNext());
  }

  #hasPlace(user: string, group: G): boolean {
    const { places, perUser, perGroup } = this.#bounds;
    if (this.#underWay >= places) return false;
    return (this.#byUser.get(user) ?? 0) < perUser && (this.#byGroup.get(group) ?? 0) < perGroup;
  }

  /** Begins the next work that has a place. False: there is none. */
  #beginNext(): boolean {
    if (this.#underWay >= this.#bounds.places) return false;
    for (const [user, own] of this.#waiting) {
      for (const [group, line] of own.byGroup) {
        if (!this.#hasPlace(user, group)) continue;
        const begin = line.shift();
        if (line.length === 0) own.byGroup.delete(group);
        own.count--;
        this.#waits--;
        this.#waiting.delete(user);
        // The user goes to the end of the line (fair-line.1).
        if (own.count > 0) this.#waiting.set(user, own);
        if (begin !== undefined) this.#begin(user, group, begin);
        return true;
      }
    }
    return false;
  }

  #begin(user: string, group: G, begin: Begin): void {
    this.#underWay++;
    this.#byUser.set(user, (this.#byUser.get(user) ?? 0) + 1);
    this.#byGroup.set(group, (this.#byGroup.get(group) ?? 0) + 1);
    if (begin()) return;
    this.#underWay--;
    lower(this.#byUser, user);
    lower(this.#byGroup, group);
  }
}

function lower<K>(counts: Map<K, number>, key: K): void {
  const count = (counts.get(key) ?? 0) - 1;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}
