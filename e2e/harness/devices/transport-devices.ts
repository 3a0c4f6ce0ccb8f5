/** Devices of the transport's tests, each a page in which `device` is what `transport-page.ts` offers. */
import { expect, type Page } from 'playwright/test';
import type { Device } from '../../pages/transport-page.ts';

type LinkOptions = Parameters<Device['dial']>[1];

export interface TestDevice {
  page: Page;
  id: string;
  fingerprint: string;
}

export interface Pair {
  host: TestDevice;
  guest: TestDevice;
}

/** The room's. */
export const key = Array.from({ length: 32 }, (_, index) => index);

/** The guest dials the host; what each of the two makes of it. */
export async function connect(
  { host, guest }: Pair,
  hostOptions: LinkOptions = { key },
  guestOptions: LinkOptions = { key },
) {
  await host.page.evaluate((options) => device.accept(options), hostOptions);
  const dialled = guest.page.evaluate(([id, options]) => device.dial(id, options), [
    host.id,
    guestOptions,
  ] as const);
  const accepted = host.page.evaluate(() => device.accepted());
  return { dialled: await dialled, accepted: await accepted };
}

/** Waits until the device's link has ended. */
export async function endingOf({ page }: TestDevice) {
  await page.waitForFunction(() => device.ending() !== null);
  const ending = await page.evaluate(() => device.ending());
  if (ending === null) throw new Error('the link has not ended');
  return ending;
}

/** Of so many sent steadily, every frame and every message came to this device once, in order. */
export async function expectSteps({ page }: TestDevice, count: number): Promise<void> {
  const expected = Array.from({ length: count }, (_, step) => step);
  await expect
    .poll(() => page.evaluate(() => device.steps()), { timeout: 15_000 })
    .toEqual({ frames: expected, control: expected });
}
