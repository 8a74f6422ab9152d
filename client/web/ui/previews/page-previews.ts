// PagePreviews: the choice and the previews of this page, which its views share.

import { useEffect, useReducer } from "preact/hooks";
import { PreviewBook } from "../../store/previews/preview-book.ts";
import { PreviewChoice } from "../../store/previews/preview-choice.ts";
import { englishPreviews } from "../../texts/english-previews.ts";
import { addTexts } from "../../texts/texts.ts";

addTexts(englishPreviews);

const meta = document.querySelector<HTMLMetaElement>('meta[name="parley-link-previews"]');
export const choice = new PreviewChoice(localStorage, meta?.content);
export const book = new PreviewBook();

/** Whether the user wants previews now. */
export function useChoice(user: string | undefined): boolean {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  useEffect(() => choice.subscribe(() => redraw(undefined)), []);
  return user !== undefined && choice.isOn(user);
}
