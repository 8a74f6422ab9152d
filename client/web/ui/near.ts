// Near: whether an element of the list has come near the visible part. What it shows is loaded
// then.

import { useEffect, useState } from "preact/hooks";

/** How far below and above the visible part. */
const NEAR = "400px";

export function useIsNear(element: { readonly current: Element | null }): boolean {
  const [isNear, setNear] = useState(false);
  useEffect(() => {
    if (element.current === null) return undefined;
    const observer = new IntersectionObserver(
      (entries) => {
        if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
        setNear(true);
        observer.disconnect();
      },
      { root: element.current.closest(".list-scroller"), rootMargin: NEAR },
    );
    observer.observe(element.current);
    return () => observer.disconnect();
  }, []);
  return isNear;
}
