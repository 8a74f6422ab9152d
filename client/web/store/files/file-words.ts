// FileWords: the words for files: sizes, kinds, and why one was refused.

import { FileFailed } from "#client/sdk/files/files.ts";
import { englishFiles } from "../../texts/english-files.ts";
import { addTexts, locale, t } from "../../texts/texts.ts";
import { failureWords } from "../words.ts";

addTexts(englishFiles);

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte"] as const;
const STEP = 1_000;

/** In the largest unit that it has one of: 26.2 MB. */
export function sizeWords(bytes: number): string {
  const wanted = bytes < STEP ? 0 : Math.floor(Math.log10(bytes) / 3);
  const at = Math.min(wanted, UNITS.length - 1);
  const unit = UNITS[at] ?? "byte";
  const value = bytes / STEP ** at;
  const maximumFractionDigits = value < 100 && at > 0 ? 1 : 0;
  const unitDisplay = at === 0 ? "long" : "short"; // The short form of a byte is no shorter.
  const style = { style: "unit", unit, unitDisplay, maximumFractionDigits } as const;
  return new Intl.NumberFormat(locale(), style).format(value);
}

const KIND = /\.([a-z0-9]{1,5})$/iu;

/** The end of the name, for a small label: PDF. */
export function kindOf(name: string): string {
  return (KIND.exec(name)?.[1] ?? "").toUpperCase();
}

/** Why an upload failed. */
export function uploadFailureWords(error: unknown, bytesMax: number): string {
  if (!(error instanceof FileFailed)) return failureWords("internal");
  switch (error.reason) {
    case "size":
      return t("files.tooLarge", { size: sizeWords(bytesMax) });
    case "quota":
      return t("files.quota");
    case "type":
      return t("files.type");
    case "off":
      return t("files.off");
    case undefined:
    default:
      return failureWords(error.code);
  }
}

/** Why a file of a message cannot be opened. */
export function linkFailureWords(error: unknown): string {
  if (!(error instanceof FileFailed)) return failureWords("internal");
  return error.code === "not_found" ? t("files.gone") : failureWords(error.code);
}
