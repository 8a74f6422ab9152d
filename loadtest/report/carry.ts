// Carry: keeps sections and rows of the last report that were not measured again.
//
// All rows take more than an hour, one row takes minutes. A new measurement of one row keeps the
// others. Each row names its command and commit, so a reader sees which rows belong to one run.
//
// Owns: Markdown as sections and tables. Does not own: any figure.
//
//   carry.1. The new report takes precedence. A section that contains only GAP is replaced by the
//        old section. In a table with the same head, old rows stay whose first cell is not in the
//        new table, with the rows below them that have an empty first cell.
//   carry.2. The machines of kept rows stay named.

/** The text of a section without a measurement. */
export const GAP = "Not played.";

const MACHINE = "Machine: ";
const RULE = /^\|(?:-+\|)+$/;

export function carry(last: string, fresh: string): string {
  const known = new Map(sections(last).map((section) => [section.heading, section.lines]));
  return sections(fresh)
    .flatMap(({ heading, lines }) => {
      const before = known.get(heading);
      const kept = before === undefined ? lines : carrySection(lines, before);
      return heading === "" ? kept : [heading, ...kept];
    })
    .join("\n");
}

interface Section {
  /** With its `#` marks; empty for the text before the first heading. */
  readonly heading: string;
  readonly lines: readonly string[];
}

function sections(text: string): Section[] {
  const found: { heading: string; lines: string[] }[] = [{ heading: "", lines: [] }];
  for (const line of text.split("\n")) {
    if (/^##+ /.test(line)) found.push({ heading: line, lines: [] });
    else found.at(-1)?.lines.push(line);
  }
  return found;
}

function carrySection(fresh: readonly string[], last: readonly string[]): readonly string[] {
  if (fresh.join("").trim() === GAP) return last;
  // carry.2
  const machines = last.filter((line) => line.startsWith(MACHINE) && !fresh.includes(line));
  const lines: string[] = [];
  for (let at = 0; at < fresh.length; at++) {
    const line = fresh[at] ?? "";
    lines.push(line);
    if (line.startsWith(MACHINE)) lines.push(...machines.splice(0));
    if (!RULE.test(fresh[at + 1] ?? "")) continue;
    const own = rowsAfter(fresh, at);
    const rows = carryRows(groups(own), groups(rowsAfter(last, last.indexOf(line))));
    lines.push(fresh[at + 1] ?? "", ...rows);
    at += 1 + own.length;
  }
  return machines.length === 0 ? lines : [...lines, ...machines, ""];
}

/** The rows of the table with its head at `head`; empty for a negative `head`. */
function rowsAfter(lines: readonly string[], head: number): readonly string[] {
  if (head < 0) return [];
  const first = head + 2;
  const end = lines.findIndex((line, at) => at >= first && !line.startsWith("|"));
  return lines.slice(first, end < 0 ? lines.length : end);
}

type Groups = ReadonlyMap<string, readonly string[]>;

/** Rows by their first cell. Of `B3: …` only the number counts, because titles may change. */
function groups(rows: readonly string[]): Groups {
  const found = new Map<string, string[]>();
  let group: string[] = [];
  for (const row of rows) {
    const cell = row.split("|")[1]?.trim() ?? "";
    const key = /^(?:B\d+|TRACE|ROOMS|WARM)(?=:)/.exec(cell)?.[0] ?? cell;
    if (key !== "") {
      group = found.get(key) ?? [];
      found.set(key, group);
    }
    group.push(row);
  }
  return found;
}

/** In the order of the last report, then new rows. */
function carryRows(fresh: Groups, last: Groups): string[] {
  const keys = new Set([...last.keys(), ...fresh.keys()]);
  return [...keys].flatMap((key) => fresh.get(key) ?? last.get(key) ?? []);
}
