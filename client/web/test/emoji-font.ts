// EmojiFont: the font with which the pictures of docs/images show emoji.
//
// The page bundles none: the system of every user has one, and one of ten megabytes would be 200
// times the first load. A server often has none, and shows a box instead. So the programs that take
// the pictures install Debian's.

import { ensureDebianPrograms } from "#tools/programs/debian.ts";

const FONT = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf";

/** Throws ToolMissing where the font is missing and cannot be installed. */
export async function ensureEmojiFont(): Promise<void> {
  await ensureDebianPrograms({ [FONT]: "fonts-noto-color-emoji" });
}
