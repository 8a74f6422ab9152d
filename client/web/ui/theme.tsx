// Theme: the button that selects the system's theme, light or dark. public/theme.js applies it
// before the paint.

import { useState } from "preact/hooks";
import type { JSX } from "preact";
import { load, save } from "../store/saved-rooms.ts";
import { Icon } from "./icons.tsx";
import type { IconName } from "./icons.tsx";
import { t } from "../texts/texts.ts";

const KEY = "parley.theme";
const THEMES = ["system", "light", "dark"] as const;
type Theme = (typeof THEMES)[number];
const ICONS: Record<Theme, IconName> = { system: "system", light: "sun", dark: "moon" };
const TEXTS = { system: "theme.system", light: "theme.light", dark: "theme.dark" } as const;

export function ThemeToggle(): JSX.Element {
  const [theme, setTheme] = useState(readTheme);
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? "system";
  const change = (): void => {
    save(localStorage, KEY, next === "system" ? undefined : next);
    if (next === "system") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = next;
    setTheme(next);
  };
  const label = t("theme.label", { theme: t(TEXTS[theme]), next: t(TEXTS[next]) });
  return (
    <button type="button" class="quiet square" onClick={change} aria-label={label} title={label}>
      <Icon name={ICONS[theme]} />
    </button>
  );
}

function readTheme(): Theme {
  const kept = load(localStorage, KEY);
  return THEMES.find((theme) => theme === kept) ?? "system";
}
