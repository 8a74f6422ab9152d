// Documents: names in documents against the Makefile, files, packages and variables of the tree.
//
//   documents.1. Every `make verb` in a document is a verb of the Makefile, and every verb has a
//        description.
//   documents.2. Every relative link leads to an existing file, and its fragment to a heading
//        there.
//   documents.3. package.json pins exact versions, and decision 001 gives a reason for each
//        package.
//   documents.4. Every environment variable that a service, the embedded cluster, a job or the
//        `parley` command reads has a row in docs/operating/settings.md, and every row names a
//        variable that is read.

import { posix } from "node:path";
import { isObject, parseObject } from "#shared/kit/json.ts";
import { isCode, isTest, lineAt } from "./tree.ts";
import type { Complaint, SourceFile } from "./tree.ts";

export const DEPENDENCIES = "docs/decisions/001-stack-and-dependencies.md";

export const SETTINGS_PAGE = "docs/operating/settings.md";

/** Code that the operator configures. Tests, drills and benches document their own variables. */
const CONFIGURED =
  /^(?:services|shared\/process|infra\/docker|client\/cli)\/|^infra\/embedded\/[a-z-]+\.ts$/;
/** A member of the schema of a configuration. */
const SCHEMA =
  /^(?:services\/[a-z]+|shared\/process)\/(?:[a-z]+-)?config\.ts$|^infra\/embedded\/cluster-options\.ts$/;
const MEMBER = /^ +([A-Z][A-Z0-9_]+): /gm;
const READ = /process\.env\["([A-Z][A-Z0-9_]+)"\]/g;
const ENVIRONMENT = /^## Environment\n[^]*?(?=^## |$(?![^]))/m;
const ROW = /^\| ((?:`[A-Z][A-Z0-9_]+`(?:, )?)+)/gm;

const VERB = /`make ([a-z0-9-]+)|^make ([a-z0-9-]+)/gm;
const TARGET = /^([a-z0-9-]+):(?!=)(.*)$/gm;
const LINK = /\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?/g;
const FENCED = /^```[^]*?^```/gm;
const HEADING = /^#+ (.+)$/gm;

export function checkDocuments(
  files: readonly SourceFile[],
  exists: (path: string) => boolean,
): Complaint[] {
  const documents = files.filter(({ path }) => path.endsWith(".md"));
  return [
    ...checkVerbs(files, documents),
    ...checkLinks(documents, exists),
    ...checkPackages(files),
    ...checkEnvironment(files),
  ];
}

function checkVerbs(files: readonly SourceFile[], documents: readonly SourceFile[]): Complaint[] {
  const makefile = files.find(({ path }) => path === "Makefile");
  if (makefile === undefined) return [{ path: "Makefile", line: 1, what: "is missing" }];
  const targets = [...makefile.text.matchAll(TARGET)];
  const verbs = new Set(targets.map((match) => match[1]));
  const undescribed = targets
    .filter((match) => !(match[2] ?? "").includes("## "))
    .map((match) => ({
      path: "Makefile",
      line: lineAt(makefile.text, match.index),
      what: `${match[1]} has no description (## …)`,
    }));
  const unknown = documents.flatMap(({ path, text }) =>
    [...text.matchAll(VERB)]
      .map((match) => ({ verb: match[1] ?? match[2], line: lineAt(text, match.index) }))
      .filter(({ verb }) => !verbs.has(verb))
      .map(({ verb, line }) => ({ path, line, what: `the Makefile has no verb ${verb}` })),
  );
  return [...undescribed, ...unknown];
}

/** documents.2. */
function checkLinks(
  documents: readonly SourceFile[],
  exists: (path: string) => boolean,
): Complaint[] {
  const headings = new Map(documents.map(({ path, text }) => [path, headingsOf(text)] as const));
  return documents.flatMap(({ path, text }) =>
    [...text.matchAll(LINK)].flatMap((match) => {
      const [, link = "", heading] = match;
      const target = link === "" ? path : posix.join(posix.dirname(path), link);
      const line = lineAt(text, match.index);
      if (!exists(target)) return [{ path, line, what: `${link} does not exist` }];
      if (heading === undefined || headings.get(target)?.has(heading) !== false) return [];
      return [{ path, line, what: `${target} has no heading #${heading}` }];
    }),
  );
}

/** The anchors of a page as GitHub makes them: a repeated heading gets a number. */
function headingsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ""] of text.replaceAll(FENCED, "").matchAll(HEADING)) {
    const anchor = heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_\- ]/gu, "")
      .replaceAll(" ", "-");
    let n = 0;
    while (anchors.has(n === 0 ? anchor : `${anchor}-${n}`)) n++;
    anchors.add(n === 0 ? anchor : `${anchor}-${n}`);
  }
  return anchors;
}

function checkPackages(files: readonly SourceFile[]): Complaint[] {
  const text = files.find(({ path }) => path === "package.json")?.text ?? "";
  const reasons = files.find(({ path }) => path === DEPENDENCIES)?.text ?? "";
  const manifest = parseObject(text);
  const packages = ["dependencies", "devDependencies"].flatMap((kind) => {
    const list = manifest?.[kind];
    return isObject(list) ? Object.entries(list) : [];
  });
  return packages.flatMap(([name, version]) => {
    const line = lineAt(text, text.indexOf(`"${name}"`));
    const complain = (what: string): Complaint => ({ path: "package.json", line, what });
    return [
      ...(/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(String(version))
        ? []
        : [complain(`${name} ${String(version)}: pin one exact version`)]),
      ...(reasons.includes(`\`${name}\``)
        ? []
        : [complain(`${name} has no reason in ${DEPENDENCIES}`)]),
    ];
  });
}

/** documents.4. */
function checkEnvironment(files: readonly SourceFile[]): Complaint[] {
  const page = files.find(({ path }) => path === SETTINGS_PAGE)?.text ?? "";
  const section = ENVIRONMENT.exec(page);
  const rows = [...(section?.[0] ?? "").matchAll(ROW)].flatMap((match) =>
    [...(match[1] ?? "").matchAll(/[A-Z][A-Z0-9_]+/g)].map(([name]) => ({
      name,
      line: lineAt(page, (section?.index ?? 0) + match.index),
    })),
  );
  const read = files
    .filter(({ path }) => isCode(path) && !isTest(path) && CONFIGURED.test(path))
    .flatMap(({ path, text }) =>
      [...text.matchAll(READ), ...(SCHEMA.test(path) ? text.matchAll(MEMBER) : [])].map(
        (match) => ({ path, name: match[1] ?? "", line: lineAt(text, match.index) }),
      ),
    );
  const firstRead = new Map(read.map((one) => [one.name, one] as const).toReversed());
  const documented = new Set(rows.map(({ name }) => name));
  return [
    ...[...firstRead.values()]
      .filter(({ name }) => !documented.has(name))
      .map(({ path, name, line }) => ({
        path,
        line,
        what: `${name} has no row under "## Environment" in ${SETTINGS_PAGE}`,
      })),
    ...rows
      .filter(({ name }) => !firstRead.has(name))
      .map(({ name, line }) => ({ path: SETTINGS_PAGE, line, what: `nothing reads ${name}` })),
  ];
}
