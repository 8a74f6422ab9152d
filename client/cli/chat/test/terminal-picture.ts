// TerminalPicture: takes docs/images/terminal.svg, the screen of `parley chat` on a real cluster.
//
//   node client/cli/chat/test/terminal-picture.ts

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startCluster } from "#infra/embedded/cluster.ts";
import { KEYS, TerminalUser } from "./terminal-user.ts";
import type { Cell } from "./terminal-user.ts";

const IMAGE = join(import.meta.dirname, "../../../../docs/images/terminal.svg");
const PARLEY = join(import.meta.dirname, "../../parley.ts");
const SIZE = { columns: 76, rows: 16 };
const [WIDTH, HEIGHT] = [8.4, 18];
const MARGIN = 14;
/** The palette of the terminal, by its number: red to cyan. */
const COLOURS = ["#20242a", "#f07178", "#8fd48a", "#ffcb6b", "#82aaff", "#d6a2ff", "#7fdbe6"];
const TEXT = "#e6e9ee";

/** `lines`: the cells of each line. */
function svgOf(lines: readonly (readonly Cell[])[]): string {
  const [width, height] = [SIZE.columns * WIDTH + 2 * MARGIN, SIZE.rows * HEIGHT + 2 * MARGIN];
  const rows = lines.flatMap((cells, row) => runsOf(cells).map((run) => runText(run, row)));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="parley chat in a terminal">
<rect width="100%" height="100%" rx="8" fill="#20242a"/>
<g font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, monospace" font-size="14">
${rows.join("\n")}
</g>
</svg>
`;
}

interface Run {
  readonly column: number;
  readonly text: string;
  readonly columns: number;
  readonly cell: Cell;
}

function runsOf(cells: readonly Cell[]): readonly Run[] {
  const runs: Run[] = [];
  let column = 0;
  for (const cell of cells) {
    const last = runs.at(-1);
    const style = ({ colour, isBold, isDim, isInverse }: Cell): string =>
      `${colour} ${isBold} ${isDim} ${isInverse}`;
    if (last !== undefined && style(last.cell) === style(cell) && cell.width === 1) {
      const { text, columns } = last;
      runs[runs.length - 1] = { ...last, text: text + cell.text, columns: columns + 1 };
    } else runs.push({ column, text: cell.text, columns: cell.width, cell });
    column += cell.width;
  }
  return runs;
}

function runText({ column, text, columns, cell }: Run, row: number): string {
  const { colour, isBold, isDim, isInverse } = cell;
  const [x, y] = [MARGIN + column * WIDTH, MARGIN + row * HEIGHT];
  const length = columns * WIDTH;
  const box = isInverse
    ? `<rect x="${x}" y="${y}" width="${length}" height="${HEIGHT}" fill="${TEXT}"/>`
    : "";
  if (text.trim() === "") return box;
  // A viewer drops spaces at both ends, so they are left out here.
  const shown = text.trim();
  const skipped = text.length - text.trimStart().length;
  const shownLength = (columns - (text.length - shown.length)) * WIDTH;
  const fill = isInverse ? "#20242a" : (COLOURS[colour ?? -1] ?? TEXT);
  const style = `${isBold ? ' font-weight="bold"' : ""}${isDim ? ' opacity="0.6"' : ""}`;
  const escaped = shown.replaceAll(" ", "\u00a0").replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `${box}<text x="${(x + skipped * WIDTH).toFixed(1)}" y="${y + 13}" textLength="${shownLength.toFixed(1)}" lengthAdjust="spacingAndGlyphs" fill="${fill}"${style}>${escaped}</text>`;
}

const dataDir = await mkdtemp(join(tmpdir(), "parley-terminal-picture-"));
const cluster = await startCluster({ dataDir, port: 0, say: () => {} });
const users: TerminalUser[] = [];
const enter = async (name: string): Promise<TerminalUser> => {
  const command = `${process.execPath} ${PARLEY} --url ${cluster.url} --user ${name} chat general`;
  const user = new TerminalUser(command, SIZE, { DATA: dataDir });
  users.push(user);
  await user.sees("complete through", 60_000);
  return user;
};
try {
  const [ada, grace] = [await enter("ada"), await enter("grace")];
  const say = async (user: TerminalUser, text: string): Promise<void> => {
    user.press(`${text}\r`);
    for (const one of users) await one.sees(text.slice(0, 30));
    await user.sees(/^(?![^]*sending …)/);
  };
  await say(ada, "Good morning. Does a terminal do?");
  await say(grace, "Привет 👋 It does: with history, threads and reactions.");
  await say(ada, "And when a gateway is killed?");
  await say(grace, "The banner counts down, your texts wait, and none is lost or doubled.");
  ada.press(KEYS.tab);
  await ada.sees("r reply");
  ada.press("+");
  await ada.sees("React to");
  ada.press("🎉\r");
  await grace.sees("🎉 1");
  ada.press(KEYS.up);
  await ada.sees("Edit #3");
  ada.press("\u0017killed with -9?\r");
  await grace.sees("edited");
  ada.press(KEYS.tab);
  await ada.sees("r reply");
  ada.press("r");
  await ada.sees("Reply to #4");
  await say(ada, "Let us try.");
  grace.press("Go");
  await ada.sees("grace is typing");
  ada.press("kill -9");
  await ada.sees("> kill -9");
  await sleep(300); // The last frame.
  await writeFile(IMAGE, svgOf(ada.cells));
} finally {
  await Promise.all(users.map((user) => user.close()));
  await cluster.stop();
  await rm(dataDir, { recursive: true, force: true });
}
