import { expect, it, vi } from 'vitest';
import { giveBack } from './give-back.ts';

it('takes the memory from the numbers at once where it can', () => {
  const values = new Float32Array(4);
  const transfer = vi.fn();
  Object.defineProperty(values.buffer, 'transfer', { value: transfer });
  giveBack(values);
  expect(transfer).toHaveBeenCalledExactlyOnceWith(0);
});

it('leaves it to the collector where it cannot', () => {
  const values = new Float32Array(new ArrayBuffer(16));
  Object.setPrototypeOf(values.buffer, Object.prototype);
  expect(() => giveBack(values)).not.toThrow();
});
