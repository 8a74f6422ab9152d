// Speak: sets the language and the direction of the page, before anything is rendered (texts.2).

import { chooseLanguage, loadLanguage } from "../texts/language.ts";
import { setLanguage } from "../texts/texts.ts";

export async function speak(): Promise<void> {
  const language = await loadLanguage(chooseLanguage(localStorage, navigator.languages));
  setLanguage(language);
  document.documentElement.lang = language.locale;
  document.documentElement.dir = language.isRightToLeft ? "rtl" : "ltr";
}
