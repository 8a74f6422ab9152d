// Links: the links of a built site. Pure, so a test can give it a broken one.
//
//   docs-site/links.1. Every link within the site leads to a file of it, and its fragment to an id
//        of that file.

const LINK = /\s(?:href|src)="([^"]*)"/g;
const ID = /\sid="([^"]*)"/g;

/** `files`: the texts of the HTML files, and undefined for each other file, by their paths. */
export function deadLinks(
  files: ReadonlyMap<string, string | undefined>,
  base: string,
): readonly string[] {
  const ids = new Map(
    Array.from(files, ([path, text]) => [path, new Set(idsIn(text ?? ""))] as const),
  );
  const dead: string[] = [];
  for (const [path, text = ""] of files) {
    for (const link of new Set(Array.from(text.matchAll(LINK), (match) => match[1] ?? ""))) {
      const url = new URL(unescaped(link), `http://site${base}${path}`);
      if (url.host !== "site" || !/^https?:$/.test(url.protocol)) continue;
      const target = decodeURIComponent(url.pathname).slice(base.length);
      const found = [target, `${target}index.html`, `${target}.html`].find((one) => files.has(one));
      const id = decodeURIComponent(url.hash.slice(1));
      if (found === undefined) dead.push(`${path}: ${link} leads nowhere`);
      else if (id !== "" && ids.get(found)?.has(id) !== true)
        dead.push(`${path}: ${link} has no such place`);
    }
  }
  return dead;
}

function idsIn(text: string): string[] {
  return Array.from(text.matchAll(ID), (match) => unescaped(match[1] ?? ""));
}

function unescaped(text: string): string {
  return text.replaceAll("&quot;", '"').replaceAll("&#39;", "'").replaceAll("&amp;", "&");
}
