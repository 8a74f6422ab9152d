// Config: the configuration of VitePress for the documentation site.
//
// Owns: navigation, search and anchors. The pages come from stage.ts.

interface Item {
  readonly text: string;
  readonly link: string;
}

interface Group {
  readonly text: string;
  readonly collapsed?: boolean;
  readonly items: readonly Item[];
}

/** Within the site. */
export const ICON = "mark.svg";
/** For tables and diagrams. */
const WIDER = ".VPDoc .content-container { max-width: 60rem !important; }";

/** Shorter than the headings of the documents. */
const TITLES: Readonly<Record<string, string>> = {
  "index.md": "Introduction",
  "guide/sdk.md": "SDK",
  "guide/python.md": "SDK for Python",
  "sdk/index.md": "Entries",
};

/** The anchor of a heading, as GitHub makes it: links of the documents work in both places. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}_\- ]/gu, "")
    .replaceAll(" ", "-");
}

/** `base`: the path of the site on its server. `titles`: of all pages, by their places. */
export function configOf({
  base,
  titles,
}: {
  readonly base: string;
  readonly titles: Readonly<Record<string, string>>;
}): object {
  return {
    title: "Parley",
    description: "A chat server cluster that stores every message before it acknowledges it",
    base,
    lang: "en",
    head: [
      ["link", { rel: "icon", href: `${base}${ICON}` }],
      ["style", {}, WIDER],
    ],
    ignoreDeadLinks: false,
    markdown: {
      anchor: { slugify: anchorOf },
      theme: { light: "github-light-high-contrast", dark: "github-dark-high-contrast" },
    },
    vite: { build: { chunkSizeWarningLimit: 4_000 } },
    themeConfig: {
      search: {
        provider: "local",
        options: {
          _render: (
            source: string,
            env: { frontmatter?: { search?: boolean } },
            md: MarkdownRenderer,
          ) => {
            const html = md.render(source, env);
            return env.frontmatter?.search === false ? "" : html;
          },
        },
      },
      nav: [
        { text: "Guide", link: "/guide/sdk" },
        { text: "Protocol", link: "/protocol" },
        { text: "HTTP API", link: "/http-api" },
        { text: "Operating", link: "/operating/" },
        { text: "Compare", link: "/compare" },
      ],
      sidebar: groupsOf(titles),
      outline: { level: [2, 3] },
      footer: { message: "MIT licensed" },
    },
  };
}

interface MarkdownRenderer {
  render(source: string, env: object): string;
}

function groupsOf(titles: Readonly<Record<string, string>>): readonly Group[] {
  const item = (place: string): readonly Item[] => {
    const title = titles[place] && (TITLES[place] ?? titles[place]);
    return title === undefined
      ? []
      : [{ text: title, link: `/${place.replace(/(?:^index)?\.md$/, "")}` }];
  };
  const below = (folder: string): readonly Item[] =>
    Object.keys(titles)
      .filter((place) => place.startsWith(`${folder}/`))
      .toSorted()
      .flatMap(item);
  const group = (text: string, ...items: readonly (readonly Item[])[]): Group => ({
    text,
    items: items.flat(),
  });
  return [
    group("Start", item("index.md"), item("compare.md"), item("changelog.md")),
    group(
      "Guide",
      item("guide/sdk.md"),
      item("guide/examples.md"),
      item("cli.md"),
      item("guide/python.md"),
    ),
    group("Wire", item("protocol.md"), item("http-api.md"), item("guide/contract.md")),
    group("SDK reference", below("sdk")),
    group(
      "Deploy",
      item("deploy-compose.md"),
      item("deploy-kubernetes.md"),
      item("deploy-hosts.md"),
      item("infrastructure.md"),
    ),
    group("Operating", below("operating")),
    group(
      "Inside",
      item("architecture.md"),
      item("glossary.md"),
      item("SPEC.md"),
      item("scale.md"),
      item("hacking.md"),
      item("security.md"),
      item("contributing.md"),
      below("measured"),
    ),
    { ...group("Decisions", below("decisions")), collapsed: true },
  ];
}
