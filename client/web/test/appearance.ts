// Appearance: what a user sees on a page: which message is visible, which text has too little
// contrast.

import type { Page } from "playwright-core";

/** The sequence number of the topmost message that is completely visible. */
export function firstVisible(page: Page): Promise<number> {
  return page.evaluate(() => {
    const edge = document.querySelector(".list-scroller")?.getBoundingClientRect().top ?? 0;
    const messages = [...document.querySelectorAll<HTMLElement>(".message")];
    const first = messages.find((element) => element.getBoundingClientRect().top >= edge);
    return Number(first?.dataset["seq"] ?? 0);
  });
}

/** Visible texts with a contrast below `least` (4.5: WCAG AA; 7: AAA), as "text: ratio". */
export function faintTexts(page: Page, least = 4.5): Promise<string[]> {
  return page.evaluate((least) => {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 1;
    const context = canvas.getContext("2d", { willReadFrequently: true });
    const layers = (element: Element | null): string[] =>
      element === null
        ? []
        : [...layers(element.parentElement), getComputedStyle(element).backgroundColor];
    const luminance = (colors: readonly string[]): number => {
      if (context === null) return 0;
      for (const color of colors) {
        context.fillStyle = color;
        context.fillRect(0, 0, 1, 1);
      }
      const [r = 0, g = 0, b = 0] = [...context.getImageData(0, 0, 1, 1).data].map((byte) => {
        const part = byte / 255;
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const faint: string[] = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      const element = node.parentElement;
      const text = node.textContent?.trim() ?? "";
      if (element === null || text === "" || !element.checkVisibility({ opacityProperty: true }))
        continue;
      const grounds = layers(element);
      const [a, b] = [luminance([...grounds, getComputedStyle(element).color]), luminance(grounds)];
      const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      if (ratio < least) faint.push(`${text.slice(0, 30)}: ${ratio.toFixed(2)}`);
    }
    return faint;
  }, least);
}
