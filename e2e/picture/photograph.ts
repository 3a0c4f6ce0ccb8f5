import { writeFile } from 'node:fs/promises';
import type { Page } from 'playwright';

/** A phone's screen, in CSS pixels of two device pixels each. */
const phone = { width: 390, height: 844, deviceScaleFactor: 2, mobile: true };

export async function photographOnDesktop(page: Page, path: string): Promise<void> {
  await page.setViewportSize({ width: 1280, height: 860 });
  await page.screenshot({ path });
}

/** The page was opened as a desktop's: only the browser's own protocol makes a phone's of it. */
export async function photographOnPhone(page: Page, path: string): Promise<void> {
  const browser = await page.context().newCDPSession(page);
  await browser.send('Emulation.setDeviceMetricsOverride', phone);
  await page.waitForFunction((width) => innerWidth === width, phone.width);
  const { data } = await browser.send('Page.captureScreenshot', { format: 'png' });
  await writeFile(path, data, 'base64');
}
