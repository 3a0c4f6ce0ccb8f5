import { expect, it } from 'vitest';
import { createSingleFlight } from './single-flight.ts';

it('does at once what many ask for, tells all of them, and begins anew for who asks later', async () => {
  const begun: string[] = [];
  const endings: ((value: number) => void)[] = [];
  const flight = createSingleFlight((what) => {
    begun.push(what);
    return new Promise<number>((resolve) => endings.push(resolve));
  });
  const asked = [flight('a'), flight('a'), flight('b'), flight('a')];
  expect(begun).toEqual(['a', 'b']);
  endings[0](1);
  endings[1](2);
  expect(await Promise.all(asked)).toEqual([1, 1, 2, 1]);
  const later = flight('a');
  expect(begun).toEqual(['a', 'b', 'a']);
  endings[2](3);
  expect(await later).toBe(3);
});

it('tells everybody who waits that it failed, and tries again for the next', async () => {
  let tries = 0;
  const flight = createSingleFlight(() => Promise.reject(new Error(`try ${++tries}`)));
  const asked = [flight('a'), flight('a')];
  await expect(asked[0]).rejects.toThrow('try 1');
  await expect(asked[1]).rejects.toThrow('try 1');
  await expect(flight('a')).rejects.toThrow('try 2');
});
