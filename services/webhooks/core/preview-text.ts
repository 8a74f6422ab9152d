// PreviewText: makes a text of a stranger's page fit to be shown.
//
//   preview-text.1. No control character and no bidirectional one is left: a text could otherwise
//        turn the order of what stands beside it. Joiners stay; emoji and letters need them.
//   preview-text.2. A text is cut between graphemes. One grapheme above the bound, such as a letter
//        with thousands of accents, leaves nothing.

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** At most `lengthMax` UTF-16 units. May be empty. */
export function cutText(text: string, lengthMax: number): string {
  const plain = text
    .toWellFormed()
    .replaceAll(/[\p{Bidi_Control}\ufeff]/gu, "")
    .replaceAll(/[\p{Cc}\s]+/gu, " ")
    .trim();
  if (plain.length <= lengthMax) return plain;
  let kept = "";
  for (const { segment } of graphemes.segment(plain)) {
    if (kept.length + segment.length >= lengthMax) break;
    kept += segment;
  }
  return kept === "" ? "" : `${kept.trimEnd()}…`;
}
