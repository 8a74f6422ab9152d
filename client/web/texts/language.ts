// Language: which language the page speaks: the user's choice, else the first one of the browser's
// that there is a catalogue for, else English.
//
// English is in the first load, because it is the type of the others and the text for a catalogue
// that does not load. The others load on demand.

import { load, save } from "../store/saved-rooms.ts";
import type { KeyValue } from "../store/saved-rooms.ts";
import { english } from "./english.ts";
import type { Language } from "./texts.ts";

const KEY = "parley.language";
export const LANGUAGES = ["en", "de", "ar"] as const;
export type LanguageCode = (typeof LANGUAGES)[number];
/** Each in itself, so that its speakers find it. */
export const LANGUAGE_NAMES: Readonly<Record<LanguageCode, string>> = {
  en: "English",
  de: "Deutsch",
  ar: "العربية",
};

export const CATALOGUES: Readonly<Record<LanguageCode, () => Promise<Language["catalogue"]>>> = {
  en: async () => english,
  de: async () => (await import("./german.ts")).german,
  ar: async () => (await import("./arabic.ts")).arabic,
};

export interface Choice {
  readonly code: LanguageCode;
  readonly locale: string;
}

/** `wanted`: the browser's list, best first. The locale keeps the region of the browser's tag. */
export function chooseLanguage(storage: KeyValue, wanted: readonly string[]): Choice {
  const kept = load(storage, KEY);
  const code =
    LANGUAGES.find((known) => known === kept) ??
    wanted.map(codeOf).find((known) => known !== undefined) ??
    "en";
  return { code, locale: wanted.find((tag) => codeOf(tag) === code) ?? code };
}

/** Undefined: the browser's language again. */
export function keepLanguage(storage: KeyValue, code: LanguageCode | undefined): void {
  save(storage, KEY, code);
}

/** A catalogue that does not load leaves the page in English. */
export async function loadLanguage({ code, locale }: Choice): Promise<Language> {
  try {
    return { catalogue: await CATALOGUES[code](), locale, isRightToLeft: code === "ar" };
  } catch {
    return { catalogue: english, locale: "en", isRightToLeft: false };
  }
}

function codeOf(tag: string): LanguageCode | undefined {
  return LANGUAGES.find((code) => tag === code || tag.startsWith(`${code}-`));
}
