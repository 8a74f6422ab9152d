// Stage: the pages of the documentation site, made from the documents of the tree.
//
// Owns: which documents are pages, their places, and where each link leads. Does not own: how a
// page looks (VitePress).
//
//   stage.1. A link to a document leads to its page. A link to any other file of the tree leads to
//        a page that shows the file, so the site needs no other server.
//   stage.2. A link to a file that does not exist fails the build.

import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, posix } from "node:path";
import { apiPage } from "./api-page.ts";

export interface Page {
  /** Within the site, with ".md". */
  readonly place: string;
  readonly text: string;
}

export interface Site {
  readonly pages: readonly Page[];
  /** Files that are copied: their paths in the tree, by their place. */
  readonly assets: ReadonlyMap<string, string>;
}

export class DeadLink extends Error {
  override readonly name = "DeadLink";
}

/** Documents outside of docs/, and their places. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  "README.md": "index.md",
  "client/sdk/package/README.md": "guide/sdk.md",
  "client/python/README.md": "guide/python.md",
  "client/contract/README.md": "guide/contract.md",
  "examples/README.md": "guide/examples.md",
  "CHANGELOG.md": "changelog.md",
  "CONTRIBUTING.md": "contributing.md",
  "SECURITY.md": "security.md",
  "loadtest/REPORT.md": "measured/load-report.md",
  "loadtest/measurements.md": "measured/measurements.md",
  "verify/sim/found-bugs.md": "measured/found-bugs.md",
  "infra/tofu/examples/google/README.md": "operating/google.md",
};
export const API = "docs/openapi.json";
const API_PLACE = "http-api.md";
const PICTURE = /\.(?:png|svg|webp|gif|jpg)$/;
/** Code, which stays as it is, or a link. */
const PIECE =
  /^(?:```|~~~)[^]*?^(?:```|~~~)\s*$|(`+)(?!`)[^]*?(?<!`)\1(?!`)|\]\((?!https?:|mailto:)([^)\s]*)\)/gm;

/** `root`: the tree. Throws DeadLink. */
export function stageSite(root: string): Site {
  const documents = new Map<string, string>(Object.entries(ELSEWHERE));
  for (const path of markdownBelow(root, "docs")) {
    documents.set(path, path.replace(/^docs\//, "").replace(/(^|\/)README\.md$/, "$1index.md"));
  }
  documents.set(API, API_PLACE);
  const sources = new Set<string>();
  const assets = new Map<string, string>();
  const resolve = (from: string, link: string): string => {
    const [path = "", fragment] = link.split("#");
    const target = path === "" ? from : posix.normalize(posix.join(posix.dirname(from), path));
    if (!existsSync(join(root, target))) throw new DeadLink(`${from}: ${link} does not exist`);
    return linkFrom(documents.get(from) ?? "", placeOf(target), fragment);
  };
  const placeOf = (target: string): string => {
    const known = documents.get(target) ?? documents.get(`${target.replace(/\/$/, "")}/README.md`);
    if (known !== undefined) return known;
    if (PICTURE.test(target)) {
      const place = `pictures/${target.replaceAll("/", "-")}`;
      assets.set(place, target);
      return place;
    }
    const path = target.replace(/\/$/, "");
    sources.add(path);
    return sourcePlace(path);
  };
  const pages = Array.from(documents, ([path, place]) => {
    const text = readFileSync(join(root, path), "utf8");
    if (path === API) return { place, text: apiPage(JSON.parse(text)) };
    return {
      place,
      text: rewrite(text, (link) => resolve(path, link), path.startsWith("docs/sdk/")),
    };
  });
  const shown = [...sources].map((path) => sourcePage(root, path));
  return { pages: [...pages, ...shown], assets };
}

/** `isHtml`: the document may hold HTML, because a generator wrote it. */
function rewrite(text: string, resolve: (link: string) => string, isHtml: boolean): string {
  let [out, at] = ["", 0];
  const plain = (part: string): string => (isHtml ? part : withoutHtml(part));
  for (const match of text.matchAll(PIECE)) {
    const [whole, , link] = match;
    out += plain(text.slice(at, match.index));
    out += link === undefined ? whole : `](${resolve(link)})`;
    at = match.index + whole.length;
  }
  return out + plain(text.slice(at));
}

/** VitePress reads a page as a template. */
function withoutHtml(text: string): string {
  return text.replaceAll(/<(?!https?:)/g, "&lt;").replaceAll("{{", "&#123;&#123;");
}

function linkFrom(from: string, to: string, fragment: string | undefined): string {
  const path = posix.relative(posix.dirname(from), to);
  const end = fragment === undefined ? "" : `#${fragment}`;
  return from === to && fragment !== undefined
    ? end
    : `${path.startsWith(".") ? path : `./${path}`}${end}`;
}

function sourcePlace(path: string): string {
  return `source/${path === "" ? "index" : path.replaceAll(".", "-")}.md`;
}

/** stage.1. */
function sourcePage(root: string, path: string): Page {
  const head = `---\nsearch: false\noutline: false\n---\n# ${path}\n\n`;
  const absolute = join(root, path);
  if (statSync(absolute).isDirectory()) {
    const names = readdirSync(absolute, { withFileTypes: true })
      .filter(({ name }) => !/^(?:node_modules|dist|__pycache__|\..*)$/.test(name))
      .map((entry) => `- \`${entry.name}${entry.isDirectory() ? "/" : ""}\``);
    return { place: sourcePlace(path), text: `${head}${names.toSorted().join("\n")}\n` };
  }
  // Without colours: those of 245 files would take most of the site's bytes and of its build.
  const text = readFileSync(absolute, "utf8");
  return { place: sourcePlace(path), text: `${head}~~~~~~~~txt\n${text}\n~~~~~~~~\n` };
}

function markdownBelow(root: string, folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => `${folder}/${name.replaceAll("\\", "/")}`)
    .toSorted();
}
