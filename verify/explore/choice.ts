// Choice: the text of one choice of the exploration: what happens, and to whom.

/** The choice without its last word, and the last word. */
export function splitLast(choice: string): [string, string] {
  const at = choice.lastIndexOf(" ");
  return [choice.slice(0, at), choice.slice(at + 1)];
}
