import { describe, expect, it } from 'vitest';
import {
  checkStages,
  devicesOf,
  hopsOf,
  rangesOf,
  layersOf,
  sameStages,
  type Stage,
} from './lap.ts';

/** `host:0-2,a:3-5` as stages. */
function stages(text: string): Stage[] {
  return text.split(',').map((part) => {
    const [device, layers] = part.split(':');
    const [first, last = first] = layers.split('-').map(Number);
    return { device, first, last };
  });
}

describe('checkStages', () => {
  it.each(['host:0-7', 'host:0-3,a:4-6,host:7', 'host:0,a:1-2,b:3,a:4-6,host:7'])(
    'takes %s',
    (text) => expect(() => checkStages(stages(text), 8)).not.toThrow(),
  );

  it.each([
    ['a gap', 'host:0-3,a:5-6,host:7', 'a:5-6 should start at layer 4 and end before layer 8'],
    ['an overlap', 'host:0-3,a:3-6,host:7', 'a:3-6 should start at layer 4'],
    ['a late start', 'host:1-7', 'host:1-7 should start at layer 0'],
    ['an early end', 'host:0-6', "ends at layer 6; the model's last layer is 7"],
    ['a layer too many', 'host:0-8', 'host:0-8 should start at layer 0 and end before layer 8'],
    ['a range backwards', 'host:0-3,a:4-2,host:7', 'a:4-2 should start at layer 4'],
    ['an embedding elsewhere', 'a:0-6,host:7', 'must keep layer 0 and layer 7 on the host'],
    ['a head elsewhere', 'host:0-3,a:4-7', 'must keep layer 0 and layer 7 on the host'],
  ])('refuses %s', (_, text, sentence) => {
    expect(() => checkStages(stages(text), 8)).toThrow(sentence);
  });

  it('refuses a plan without stages', () => {
    expect(() => checkStages([], 8)).toThrow(/plan/);
  });
});

const lap = { planVersion: 3, stages: stages('host:0,a:1-2,b:3,a:4-6,host:7') };

describe('a lap', () => {
  it('says which layers a device holds, however often it recurs', () => {
    expect(layersOf(lap, 'a')).toEqual([1, 2, 4, 5, 6]);
    expect(layersOf(lap, 'host')).toEqual([0, 7]);
    expect(layersOf(lap, 'c')).toEqual([]);
  });

  it('says who takes part', () => {
    expect(devicesOf(lap)).toEqual(new Set(['host', 'a', 'b']));
  });
});

describe('hopsOf', () => {
  it('gives every change of device, and the way back', () => {
    const text = (split: string) =>
      hopsOf({ stages: stages(split) }).map(({ from, to }) => `${from}>${to}`);
    expect(text('host:0,a:1-2,b:3,a:4-6,host:7')).toEqual(['host>a', 'a>b', 'b>a', 'a>host']);
    expect(text('host:0-2,a:3-7')).toEqual(['host>a', 'a>host']);
    expect(text('host:0-7')).toEqual([]);
    expect(text('host:0-3,host:4-7')).toEqual([]);
  });
});

describe('rangesOf', () => {
  it('joins neighbours', () => {
    expect(rangesOf([0, 1, 2, 5, 7, 8])).toEqual([
      { first: 0, last: 2 },
      { first: 5, last: 5 },
      { first: 7, last: 8 },
    ]);
    expect(rangesOf([])).toEqual([]);
  });
});

describe('sameStages', () => {
  it('compares devices and ranges', () => {
    const same = stages('host:0-3,a:4-6,host:7');
    expect(sameStages(same, stages('host:0-3,a:4-6,host:7'))).toBe(true);
    expect(sameStages(same, stages('host:0-3,b:4-6,host:7'))).toBe(false);
    expect(sameStages(same, stages('host:0-2,a:3-6,host:7'))).toBe(false);
    expect(sameStages(same, stages('host:0-7'))).toBe(false);
  });
});
