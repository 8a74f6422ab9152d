// Day key: the local calendar day of a time, as text that sorts by time.

/** `2026-11-03` for a time in ms. */
export function dayKey(at: number): string {
  const date = new Date(at);
  const month = String(date.getMonth() + 1).padStart(2, "0");
  return `${date.getFullYear()}-${month}-${String(date.getDate()).padStart(2, "0")}`;
}
