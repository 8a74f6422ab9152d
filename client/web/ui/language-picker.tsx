// LanguagePicker: the choice of the page's language. The page reloads in it (texts.2); what the
// user wrote is kept (store/saved-rooms.ts).

import type { JSX } from "preact";
import { chooseLanguage, keepLanguage, LANGUAGE_NAMES, LANGUAGES } from "../texts/language.ts";
import { t } from "../texts/texts.ts";
import { Icon } from "./icons.tsx";

export function LanguagePicker(): JSX.Element {
  const { code } = chooseLanguage(localStorage, navigator.languages);
  return (
    <select
      class="language"
      aria-label={t("language.label")}
      onChange={({ currentTarget }) => {
        keepLanguage(localStorage, LANGUAGES[currentTarget.selectedIndex]);
        location.reload();
      }}
    >
      {LANGUAGES.map((one) => (
        <option key={one} lang={one} selected={one === code}>
          {LANGUAGE_NAMES[one]}
        </option>
      ))}
    </select>
  );
}

/** The same choice in the size of a button. */
export function LanguageButton(): JSX.Element {
  return (
    <span class="quiet square language-button" title={t("language.label")}>
      <Icon name="globe" />
      <LanguagePicker />
    </span>
  );
}
