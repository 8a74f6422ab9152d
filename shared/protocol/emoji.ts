// Emoji: what a reaction shows.
//
//   emoji.1. One grapheme that shows something, or a name between colons, at most EMOJI_BYTES_MAX
//        bytes. So a reaction cannot carry a text.

import { isStorable, utf8Length } from "./ids.ts";
import { EMOJI_BYTES_MAX } from "./limits.ts";

const NAME = /^:[a-z0-9_+-]{1,62}:$/;
/** A letter, a space or a control character is no emoji. */
const PICTURE = /\p{Extended_Pictographic}|\p{Regional_Indicator}|\u20e3/u;
/** Made at the first use: it costs 10 ms of CPU, and most processes start without a reaction. */
let graphemes: Intl.Segmenter | undefined;

export function isEmoji(value: unknown): value is string {
  if (typeof value !== "string" || value.length > EMOJI_BYTES_MAX) return false;
  if (NAME.test(value)) return true;
  if (!isStorable(value) || utf8Length(value) > EMOJI_BYTES_MAX || !PICTURE.test(value)) {
    return false;
  }
  graphemes ??= new Intl.Segmenter("en", { granularity: "grapheme" });
  const [first] = graphemes.segment(value);
  return first?.segment === value;
}
