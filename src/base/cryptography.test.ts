import { afterEach, expect, it, vi } from 'vitest';
import { cryptography } from './cryptography.ts';

afterEach(() => vi.unstubAllGlobals());

it('is the browser’s own', () => {
  expect(cryptography()).toBe(crypto.subtle);
});

it('says why it is missing on a page over plain HTTP', () => {
  vi.stubGlobal('crypto', { getRandomValues: () => undefined });
  expect(() => cryptography()).toThrow(/came over plain HTTP.*open its https:\/\/ address/);
});
