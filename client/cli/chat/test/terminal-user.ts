// TerminalUser: a program under a real pseudo-terminal, and the screen that its user sees.
//
// `script` of util-linux makes the pseudo-terminal, `stty` changes its size, and xterm.js (without
// a display) is the terminal: it computes what the screen shows.

import { execFileSync, spawn } from "node:child_process";
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UnicodeGraphemesAddon } from "@xterm/addon-unicode-graphemes";
import headless from "@xterm/headless";
import { until } from "#shared/testing/wait.ts";

export const KEYS = {
  enter: "\r",
  escape: "\u001b",
  tab: "\t",
  up: "\u001b[A",
  down: "\u001b[B",
  pageUp: "\u001b[5~",
  pageDown: "\u001b[6~",
  end: "\u001b[F",
  ctrlC: "\u0003",
} as const;

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** One character of the screen. */
export interface Cell {
  readonly text: string;
  /** In columns. */
  readonly width: number;
  /** A number of the palette; undefined: the colour of the terminal. */
  readonly colour: number | undefined;
  readonly isBold: boolean;
  readonly isDim: boolean;
  readonly isInverse: boolean;
}

export class TerminalUser {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #screen: InstanceType<typeof headless.Terminal>;
  readonly #folder = mkdtempSync(join(tmpdir(), "parley-terminal-"));
  readonly exited: Promise<number | null>;
  /** Everything that the program wrote. */
  output = "";

  /** `command`: for a shell. */
  constructor(command: string, { columns, rows }: TerminalSize, env: NodeJS.ProcessEnv = {}) {
    this.#screen = new headless.Terminal({ cols: columns, rows, allowProposedApi: true });
    this.#screen.loadAddon(new UnicodeGraphemesAddon());
    this.#screen.unicode.activeVersion = "15-graphemes";
    const device = join(this.#folder, "tty");
    const whole = `tty > ${device}; stty rows ${rows} cols ${columns}; exec ${command}`;
    this.#child = spawn("script", ["-qfec", whole, "/dev/null"], {
      env: { ...process.env, TERM: "xterm-256color", ...env },
    });
    this.#child.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.output += text;
      this.#screen.write(text);
    });
    this.#child.stdin.on("error", () => undefined);
    this.exited = new Promise((resolve) => this.#child.on("exit", resolve));
  }

  press(keys: string): void {
    this.#child.stdin.write(keys);
  }

  resize({ columns, rows }: TerminalSize): void {
    const device = readFileSync(join(this.#folder, "tty"), "utf8").trim();
    this.#screen.resize(columns, rows);
    execFileSync("stty", ["-F", device, "rows", String(rows), "cols", String(columns)]);
  }

  /** The lines of the screen, without spaces at their ends. */
  get lines(): readonly string[] {
    const { active } = this.#screen.buffer;
    return Array.from({ length: this.#screen.rows }, (_, row) => {
      return active.getLine(active.viewportY + row)?.translateToString(true) ?? "";
    });
  }

  get text(): string {
    return this.lines.join("\n");
  }

  /** The characters of each line, with their styles. */
  get cells(): readonly (readonly Cell[])[] {
    const { active } = this.#screen.buffer;
    return Array.from({ length: this.#screen.rows }, (_, row) => {
      const line = active.getLine(active.viewportY + row);
      const cells = Array.from({ length: this.#screen.cols }, (_, column) => line?.getCell(column));
      return cells.flatMap((cell) => {
        if (cell === undefined || cell.getWidth() === 0) return [];
        return {
          text: cell.getChars() || " ",
          width: cell.getWidth(),
          colour: cell.isFgPalette() ? cell.getFgColor() : undefined,
          isBold: cell.isBold() !== 0,
          isDim: cell.isDim() !== 0,
          isInverse: cell.isInverse() !== 0,
        };
      });
    });
  }

  /** Where the cursor is. */
  get cursor(): { readonly x: number; readonly y: number } {
    const { cursorX: x, cursorY: y } = this.#screen.buffer.active;
    return { x, y };
  }

  async sees(what: string | RegExp, withinMs = 30_000): Promise<void> {
    const has = (): boolean =>
      typeof what === "string" ? this.text.includes(what) : what.test(this.text);
    try {
      await until(has, { withinMs, what: String(what), everyMs: 20 });
    } catch (error: unknown) {
      throw new Error(`${String(error)} on the screen:\n${this.text}`, { cause: error });
    }
  }

  async close(): Promise<void> {
    this.press(KEYS.ctrlC);
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 5_000);
    await this.exited;
    clearTimeout(timer);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
