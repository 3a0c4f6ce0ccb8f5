import { expect, it } from 'vitest';
import { emulationOf, emulationText, fieldsOf } from './emulation.ts';

it('turns a form into an emulation and back', () => {
  const fields = { delayMs: 20, jitterMs: 5, lossPercent: 1, mbps: 50 };
  const emulation = { delayMs: 20, jitterMs: 5, lossRate: 0.01, mbps: 50 };
  expect(emulationOf(fields)).toEqual(emulation);
  expect(fieldsOf(emulation)).toEqual(fields);
});

it('leaves the bandwidth alone where none is given', () => {
  expect(emulationOf({ delayMs: 20, jitterMs: 0, lossPercent: 0, mbps: null })).toEqual({
    delayMs: 20,
    jitterMs: 0,
    lossRate: 0,
  });
});

it('lifts the emulation when nothing is asked for', () => {
  expect(emulationOf(fieldsOf(null))).toBeNull();
  expect(emulationOf({ delayMs: null, jitterMs: -3, lossPercent: NaN, mbps: 0 })).toBeNull();
});

it('keeps numbers within what a network can be', () => {
  expect(emulationOf({ delayMs: 1e9, jitterMs: 0, lossPercent: 100, mbps: null })).toEqual({
    delayMs: 2000,
    jitterMs: 0,
    lossRate: 0.5,
  });
});

it('says what is slowed, and only that', () => {
  const text = emulationText({ delayMs: 20, jitterMs: 5, lossRate: 0.01, mbps: 50 });
  expect(text.replaceAll('\u00a0', ' ')).toBe(
    '20.0 ms ± 5.0 ms more, 50.0 Mbit/s at most, 1 % lost',
  );
  const onlyLoss = emulationText({ delayMs: 0, jitterMs: 0, lossRate: 0.02 });
  expect(onlyLoss.replaceAll('\u00a0', ' ')).toBe('2 % lost');
});
