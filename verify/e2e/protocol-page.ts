// ProtocolPage: reads docs/protocol.md and takes its examples and tables apart.
//
//   protocol-page.1. A line of an example that has no known form is an error. So no example
//        is skipped silently.

import { readFileSync } from "node:fs";

const PAGE = new URL("../../docs/protocol.md", import.meta.url);

/** One line of an example: what a user's client sends, or what the server sends to it. */
export type Step = { readonly user: string } & (
  | { readonly kind: "send"; readonly frame: string }
  | { readonly kind: "receive"; readonly frame: Readonly<Record<string, unknown>> }
  | { readonly kind: "closed"; readonly code: number }
);

export function readPage(): string {
  return readFileSync(PAGE, "utf8");
}

/** The code of the first block of a language. */
export function codeOf(page: string, language: "js" | "ts"): string {
  const [code] = blocksOf(page, language);
  if (code === undefined) throw new Error(`docs/protocol.md has no \`\`\`${language} block`);
  return code;
}

/** All examples, in the order of the page. Throws on a line that it cannot read. */
export function stepsOf(page: string): Step[] {
  return blocksOf(page, "frames").flatMap((block) => block.split("\n").map(stepOf));
}

/** One HTTP request of an example, and its answer. */
export interface Exchange {
  readonly method: string;
  readonly path: string;
  /** JSON. */
  readonly body: string | undefined;
  readonly status: number;
  readonly answer: unknown;
}

/** All HTTP examples, in the order of the page. Throws on a line that it cannot read. */
export function exchangesOf(page: string): Exchange[] {
  const lines = blocksOf(page, "http").flatMap((block) => block.split("\n"));
  return Array.from({ length: Math.ceil(lines.length / 2) }, (_, i) =>
    exchangeOf(lines[2 * i] ?? "", lines[2 * i + 1] ?? ""),
  );
}

function exchangeOf(request: string, response: string): Exchange {
  const [, method, path, body] = /^([A-Z]+) (\/\S+)(?: (\{.*\}))?$/.exec(request) ?? [];
  const [, status, answer] = /^(\d{3}) (\{.*\})$/.exec(response) ?? [];
  if (method === undefined || path === undefined || answer === undefined) {
    throw new Error(`not an HTTP example: ${request}\n${response}`); // protocol-page.1
  }
  return { method, path, body, status: Number(status), answer: JSON.parse(answer) };
}

function blocksOf(page: string, language: string): string[] {
  const blocks = page.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)\\n\`\`\`$`, "gm"));
  return Array.from(blocks, ([, block = ""]) => block);
}

function stepOf(line: string): Step {
  const [, user = "", arrow, rest = ""] = /^([a-z]+) ([→←]) (.+)$/.exec(line) ?? [];
  if (arrow === "→") return { kind: "send", user, frame: rest };
  const [, code] = /^close (\d{4})$/.exec(rest) ?? [];
  if (arrow === "←" && code !== undefined) return { kind: "closed", user, code: Number(code) };
  if (arrow === "←") return { kind: "receive", user, frame: JSON.parse(rest) };
  throw new Error(`not a line of an example: ${line}`); // protocol-page.1
}

/** Fields whose values differ from run to run; only their types are compared. */
const VARIABLE: ReadonlySet<string> = new Set(["at", "session", "until"]);
/** Stands for any text. */
const ANY_TEXT = "…";
/** Some frames carry it; clients ignore it. */
const IGNORED = "v";

/** The first difference between what the page shows and what came; undefined: none. */
export function differenceOf(shown: unknown, came: unknown, path = "frame"): string | undefined {
  if (shown === ANY_TEXT && typeof came === "string") return undefined;
  if (typeof shown !== typeof came || Array.isArray(shown) !== Array.isArray(came)) {
    return `${path} is ${JSON.stringify(came)}, the page shows ${JSON.stringify(shown)}`;
  }
  if (typeof shown !== "object" || shown === null) {
    if (shown === came || VARIABLE.has(path.slice(path.lastIndexOf(".") + 1))) return undefined;
    return `${path} is ${JSON.stringify(came)}, the page shows ${JSON.stringify(shown)}`;
  }
  const [left, right] = [shown, came] as Readonly<Record<string, unknown>>[];
  const names = new Set([...Object.keys(left ?? {}), ...Object.keys(right ?? {})]);
  names.delete(IGNORED);
  for (const name of names) {
    const difference = differenceOf(left?.[name], right?.[name], `${path}.${name}`);
    if (difference !== undefined) return difference;
  }
  return undefined;
}
