// PreviewSetting: the choice of the user about previews of links, with what it reveals.

import type { JSX } from "preact";
import { t } from "../../texts/texts.ts";
import { choice, useChoice } from "./page-previews.ts";

/** Nothing where the operator has not switched previews on. */
export function PreviewSetting({ me }: { readonly me: string }): JSX.Element | null {
  const isOn = useChoice(me);
  if (!choice.isOffered) return null;
  return (
    <section class="preview-setting" aria-labelledby="previews-title">
      <h3 id="previews-title">{t("previews.title")}</h3>
      <label>
        <input
          type="checkbox"
          checked={isOn}
          aria-describedby="previews-note"
          onChange={({ currentTarget }) => choice.set(me, currentTarget.checked)}
        />
        {t("previews.show")}
      </label>
      <p id="previews-note" class="confirm-note">
        {t("previews.note")}
      </p>
    </section>
  );
}
