// FindDay: the first message of a day, by halving the numbers of a room. Times never decrease
// within a room, so a few single events show where a day begins. Pure but for `timeOf`.

/** The time of the event with this number; undefined: it cannot be read. */
export type TimeOf = (seq: number) => Promise<number | undefined>;

/**
 * The first number whose event is not before `at`; `head` when all are before. Undefined when an
 * event could not be read.
 */
export async function findDay(
  at: number,
  head: number,
  timeOf: TimeOf,
): Promise<number | undefined> {
  let low = 1;
  let high = Math.max(1, head);
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const time = await timeOf(middle);
    if (time === undefined) return undefined;
    if (time < at) low = middle + 1;
    else high = middle;
  }
  return low;
}
