// Theme: the button that selects the system's theme, light, dark, or high contrast, which is light
// or dark as the system is. public/theme.js applies it before the paint.

import { useState } from "preact/hooks";
import type { JSX } from "preact";
import { load, save } from "../store/saved-rooms.ts";
import { Icon } from "./icons.tsx";
import type { IconName } from "./icons.tsx";
import { t } from "../texts/texts.ts";

const KEY = "parley.theme";
const THEMES = ["system", "light", "dark", "contrast"] as const;
type Theme = (typeof THEMES)[number];
const ICONS: Record<Theme, IconName> = {
  system: "system",
  light: "sun",
  dark: "moon",
  contrast: "contrast",
};
const TEXTS = {
  system: "theme.system",
  light: "theme.light",
  dark: "theme.dark",
  contrast: "theme.contrast",
} as const;

export function ThemeToggle(): JSX.Element {
  const [theme, setTheme] = useState(readTheme);
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? "system";
  const change = (): void => {
    save(localStorage, KEY, next === "system" ? undefined : next);
    apply(next);
    setTheme(next);
  };
  const label = t("theme.label", { theme: t(TEXTS[theme]), next: t(TEXTS[next]) });
  return (
    <button type="button" class="quiet square" onClick={change} aria-label={label} title={label}>
      <Icon name={ICONS[theme]} />
    </button>
  );
}

/** As public/theme.js does at the start. */
function apply(theme: Theme): void {
  const { dataset } = document.documentElement;
  if (theme === "light" || theme === "dark") dataset["theme"] = theme;
  else delete dataset["theme"];
  const isWanted = theme === "contrast" || matchMedia("(prefers-contrast: more)").matches;
  if (isWanted) dataset["contrast"] = "more";
  else delete dataset["contrast"];
}

function readTheme(): Theme {
  const kept = load(localStorage, KEY);
  return THEMES.find((theme) => theme === kept) ?? "system";
}
