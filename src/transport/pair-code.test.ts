import { expect, it } from 'vitest';
import { pairCode } from './pair-code.ts';

const host = '0a'.repeat(32);
const device = 'b1'.repeat(32);

it('is the same on both screens, and short enough to be read out', async () => {
  const code = await pairCode(host, device);
  expect(code).toMatch(/^\d{4} \d{4} \d{4}$/);
  expect(await pairCode(host, device)).toBe(code);
});

it('is another one where somebody in between has another certificate', async () => {
  const code = await pairCode(host, device);
  const between = 'c2'.repeat(32);
  expect(await pairCode(host, between)).not.toBe(code);
  expect(await pairCode(between, device)).not.toBe(code);
  expect(await pairCode(device, host)).not.toBe(code);
});
