/** What a page must keep for everybody to be able to use it, found by looking at the page itself. */
import type { Page } from 'playwright/test';

/** Controls that a screen reader would announce without a name, as HTML. */
export async function namelessControls(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const controls = document.querySelectorAll<HTMLElement>(
      'button, a[href], input, select, textarea, summary, progress, [role=meter], [role=img]',
    );
    return [...controls].filter((control) => nameOf(control) === '').map((it) => it.outerHTML);

    function nameOf(control: HTMLElement): string {
      const labelledBy = control.getAttribute('aria-labelledby');
      const labels =
        control instanceof HTMLInputElement ||
        control instanceof HTMLSelectElement ||
        control instanceof HTMLTextAreaElement
          ? [...(control.labels ?? [])]
          : [];
      const content = labels.length > 0 ? '' : control.textContent;
      return [
        control.getAttribute('aria-label'),
        labelledBy && document.getElementById(labelledBy)?.textContent,
        ...labels.map((label) => label.textContent),
        control instanceof HTMLTextAreaElement ? '' : content,
      ]
        .join('')
        .trim();
    }
  });
}

/** Texts whose contrast with what lies behind them is below 4.5, with the contrast they have. */
export async function faintTexts(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const faint: string[] = [];
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const element = texts.currentNode.parentElement;
      const text = texts.currentNode.textContent?.trim();
      if (!text || !element || !isSeen(element) || isSvg(element)) continue;
      const ratio = contrast(colourOf(getComputedStyle(element).color), backgroundOf(element));
      if (ratio < 4.5) faint.push(`${ratio.toFixed(2)} "${text}"`);
    }
    return faint;

    function isSeen(element: Element): boolean {
      const box = element.getBoundingClientRect();
      return (
        box.width > 1 && box.height > 1 && element.checkVisibility({ visibilityProperty: true })
      );
    }

    function isSvg(element: Element): boolean {
      return element.closest('svg') !== null;
    }

    /** The nearest opaque background; nothing on these pages lies over half-transparent colour. */
    function backgroundOf(element: Element): number[] {
      for (let at: Element | null = element; at; at = at.parentElement) {
        const background = getComputedStyle(at).backgroundColor;
        if (background !== 'rgba(0, 0, 0, 0)') return colourOf(background);
      }
      return [255, 255, 255];
    }

    function colourOf(css: string): number[] {
      const numbers = css.match(/[\d.]+/g)?.map(Number) ?? [];
      if (!css.startsWith('rgb') || numbers.length !== 3)
        throw new Error(`Expected an opaque rgb() colour, got ${css}.`);
      return numbers;
    }

    function contrast(one: number[], other: number[]): number {
      const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
      return (light + 0.05) / (dark + 0.05);
    }

    /** Relative luminance (WCAG 2.2) of an sRGB colour, 0 to 1. */
    function luminance(rgb: number[]): number {
      const [red, green, blue] = rgb.map((value) => {
        const share = value / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    }
  });
}

/** What is wrong with the page's landmarks and headings. */
export async function outlineFaults(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const faults: string[] = [];
    for (const [name, selector] of [
      ['main landmark', 'main'],
      ['first heading', 'h1'],
    ]) {
      const count = document.querySelectorAll(selector).length;
      if (count !== 1) faults.push(`${count} of ${name}, not 1`);
    }
    let last = 0;
    for (const heading of document.querySelectorAll('h1, h2, h3, h4')) {
      const level = Number(heading.tagName[1]);
      if (level > last + 1) faults.push(`h${level} "${heading.textContent}" after h${last}`);
      last = level;
    }
    return faults;
  });
}

/** How many pixels the page is wider than the window. */
export async function sidewaysScroll(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
}

/** How far the page scrolls past all that it shows, in CSS pixels: into nothing. */
export async function emptyScroll(page: Page): Promise<number> {
  return page.evaluate(() => {
    const shownPx = scrollY + document.body.getBoundingClientRect().bottom;
    return document.documentElement.scrollHeight - Math.max(innerHeight, Math.ceil(shownPx));
  });
}

/** Unfolds everything that is folded away, so that it is looked at too. */
export async function unfold(page: Page): Promise<void> {
  await page.evaluate(() => {
    for (const details of document.querySelectorAll('details')) details.open = true;
  });
}
