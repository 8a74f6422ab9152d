// FileName: the name of an uploaded file as others see it.
//
//   file-name.1. A name has no path, no control character and no character that changes the
//        direction of a text: `photo<U+202E>gpj.exe` would show as an image.
//   file-name.2. A longer name keeps its begin and its extension.

import { ATTACHMENT_NAME_LENGTH_MAX } from "#shared/protocol/limits.ts";

const UNSAFE = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;
const EXTENSION = /\.[\p{L}\p{N}]{1,16}$/u;
const NAMELESS = "file";

export function fileName(given: string): string {
  const last = given.split(/[\\/]/).at(-1) ?? "";
  const name = last.replaceAll(UNSAFE, "").trim(); // file-name.1
  if (name === "" || name === "." || name === "..") return NAMELESS;
  const characters = Array.from(name);
  if (characters.length <= ATTACHMENT_NAME_LENGTH_MAX) return name;
  const extension = EXTENSION.exec(name)?.[0] ?? "";
  const kept = ATTACHMENT_NAME_LENGTH_MAX - Array.from(extension).length;
  return characters.slice(0, kept).join("") + extension; // file-name.2
}
