import { expect, it } from 'vitest';
import { shownAddress, shownFile } from './shown-address.ts';

it.each([
  ['https://files.example/tiny.gguf?X-Amz-Signature=abc#top', 'https://files.example/tiny.gguf'],
  ['https://anna:secret@files.example:8443/a/b', 'https://files.example:8443/a/b'],
  ['anna:secret@files.example/a', 'files.example/a'],
  ['ftp://anna:secret@files.example/a?sig=1', 'ftp://files.example/a'],
  ['owner/name@v1.0', 'owner/name@v1.0'],
])('shows %s without what may be a secret', (address, shown) => {
  expect(shownAddress(address)).toBe(shown);
});

it('names a file by its folder and itself', () => {
  expect(shownFile('https://a.example/x/models/f.bin?sig=1')).toBe('models/f.bin');
});
