import { expect, it } from 'vitest';
import { tinyManifest } from './fixtures/tiny-manifest.ts';
import { parseManifest } from './parse-manifest.ts';

/** The manifest of shards cut before layers had their present name. */
function inFormat1() {
  const { layers, ...rest } = structuredClone(tinyManifest());
  const rows = layers.map((layer) => ({
    ...layer,
    kind: layer.kind === 'block' ? ('layer' as const) : layer.kind,
  }));
  return { ...rest, version: 1, rows };
}

it('reads a manifest of format 1 as the same model', () => {
  expect(parseManifest(inFormat1())).toEqual(tinyManifest());
});

it('judges what is wrong with it like any other', () => {
  const short = inFormat1();
  short.rows.splice(1, 1);
  expect(() => parseManifest(short)).toThrow(/3 layers, but 2 blocks/);
});
