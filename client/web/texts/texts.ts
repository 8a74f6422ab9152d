// Texts: the page's own texts in the language of its user, with numbers, plurals, dates and times.
//
// Owns: the catalogue in use and its locale. Does not own: the choice of the language
// (language.ts), the text of users.
//
//   texts.1. A key that does not exist, or a missing parameter, does not compile.
//   texts.2. The language never changes while a page is loaded: sentences are kept in stores.
//   texts.3. A name in a sentence keeps its own direction: it is isolated in a right-to-left
//       language, and everywhere when it has right-to-left letters.
//   texts.4. No file of `ui` or `store` has a text that a reader sees or a screen reader reads:
//       text between tags, such an attribute, or several words in one literal.
//   texts.5. The texts of views that load later come with them (addTexts): in English only, since
//       the other catalogues are loaded whole.

import type { englishDetails } from "./english-details.ts";
import type { englishDialogs } from "./english-dialogs.ts";
import type { englishFiles } from "./english-files.ts";
import type { englishPreviews } from "./english-previews.ts";
import type { englishRooms } from "./english-rooms.ts";
import { english } from "./english.ts";

/** The texts of views that load later (texts.5). */
type Later = typeof englishDetails &
  typeof englishDialogs &
  typeof englishFiles &
  typeof englishPreviews;
type English = typeof english & Later;
export type TextKey = keyof English;

type Forms = Partial<Record<Intl.LDMLPluralRule, string>> & { readonly other: string };
export type Entry = string | Forms;
/** A text where English has a text, and forms where it has forms. */
export type Catalogue = {
  readonly [Key in TextKey]: English[Key] extends string ? string : Forms;
};
/** The parts of a catalogue in files of their own. */
export type RoomsCatalogue = Pick<Catalogue, keyof typeof englishRooms>;
export type DetailsCatalogue = Pick<Catalogue, keyof typeof englishDetails>;
export type DialogsCatalogue = Pick<Catalogue, keyof typeof englishDialogs>;
export type FilesCatalogue = Pick<Catalogue, keyof typeof englishFiles>;
export type PreviewsCatalogue = Pick<Catalogue, keyof typeof englishPreviews>;

type Parameters<Text> = Text extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Parameters<Rest>
  : never;
type ParametersOf<Entry> = Entry extends { readonly other: infer Other }
  ? Parameters<Other> | "count"
  : Parameters<Entry>;
type Value = string | number;
type Values<Key extends TextKey, V = Value> = [ParametersOf<English[Key]>] extends [never]
  ? []
  : [values: Readonly<Record<ParametersOf<English[Key]>, V>>];

export interface Language {
  /** English begins without the texts of `addTexts`. */
  readonly catalogue: Omit<Catalogue, keyof Later> & Partial<Pick<Catalogue, keyof Later>>;
  /** A BCP 47 tag, with the region of the user. */
  readonly locale: string;
  readonly isRightToLeft: boolean;
}

let language: Language = { catalogue: english, locale: "en", isRightToLeft: false };
let plurals = new Intl.PluralRules("en");
let numbers = new Intl.NumberFormat("en");

/** Once, before the first text is read (texts.2). */
export function setLanguage(chosen: Language): void {
  language = chosen;
  plurals = new Intl.PluralRules(chosen.locale);
  numbers = new Intl.NumberFormat(chosen.locale);
}

/** Adds texts that a language does not have yet (texts.5). */
export function addTexts(
  texts: DetailsCatalogue | DialogsCatalogue | FilesCatalogue | PreviewsCatalogue,
): void {
  language = { ...language, catalogue: { ...texts, ...language.catalogue } };
}

export function locale(): string {
  return language.locale;
}

export function groupDigits(value: number): string {
  return numbers.format(value);
}

/** The text of the key with its parameters. */
export function t<Key extends TextKey>(key: Key, ...[values]: Values<Key>): string {
  return cut(key, values as Readonly<Record<string, Value>> | undefined).join("");
}

/** The parts of the text, for parameters that are elements. */
export function parts<Key extends TextKey, V>(
  key: Key,
  ...[values]: Values<Key, V>
): readonly (string | V)[] {
  return cut(key, values as Readonly<Record<string, V>> | undefined);
}

const PARAMETER = /\{(\w+)\}/u;

function cut<V>(
  key: TextKey,
  values: Readonly<Record<string, V>> | undefined,
): readonly (string | V)[] {
  const entry: Entry = language.catalogue[key] ?? key;
  const text = typeof entry === "string" ? entry : entry[plurals.select(countOf(values))];
  return ((text ?? (entry as Forms).other).split(PARAMETER) as readonly string[]).map((part, at) =>
    at % 2 === 0 ? part : shown(values?.[part]),
  );
}

function countOf(values: Readonly<Record<string, unknown>> | undefined): number {
  return Number(values?.["count"]);
}

const LETTER = /\p{L}/u;
const RIGHT_TO_LEFT = /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}]/u;

function shown<V>(value: V | undefined): string | V {
  if (typeof value === "number") return groupDigits(value);
  return typeof value === "string" ? isolate(value) : (value ?? "");
}

/** texts.3. */
export function isolate(value: string): string {
  // A number has no direction: isolated, its sign would stand on the wrong side.
  const isIsolated = language.isRightToLeft ? LETTER.test(value) : RIGHT_TO_LEFT.test(value);
  return isIsolated ? `\u2068${value}\u2069` : value;
}
