// Lazy: a view whose code the browser loads when it is shown first, so that the first load stays
// small.

import type { ComponentType, JSX } from "preact";
import { useEffect, useReducer } from "preact/hooks";
import { t } from "../texts/texts.ts";

/**
 * `load` imports the view. A failed import is tried again when the view is shown again.
 * `Meanwhile`: what stands in its place.
 */
export function lazyView<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
  Meanwhile?: ComponentType<Props>,
): (props: Props) => JSX.Element | null {
  let view: ComponentType<Props> | undefined;
  let loading: Promise<void> | undefined;
  let hasFailed = false;
  const start = async (): Promise<void> => {
    hasFailed = false;
    try {
      view = await load();
    } catch {
      hasFailed = true; // Offline, or a newer version of the page was deployed.
    }
    loading = undefined;
  };
  return function Lazy(props: Props): JSX.Element | null {
    const [, redraw] = useReducer((count: number) => count + 1, 0);
    useEffect(() => {
      if (view !== undefined) return;
      loading ??= start();
      void loading.then(() => redraw(undefined));
    }, []);
    if (hasFailed) {
      return (
        <p class="panel-note" role="alert">
          {t("page.partFailed")}
        </p>
      );
    }
    const View = view ?? Meanwhile;
    return View === undefined ? null : <View {...props} />;
  };
}
