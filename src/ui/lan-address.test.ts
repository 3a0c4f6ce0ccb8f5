import { expect, it } from 'vitest';
import { linkBaseUrl, opensOnlyHere } from './lan-address.ts';

const lan = ['https://192.168.1.5:8443', 'https://10.0.0.2:8443'];

it('replaces a loopback origin by the one on the local network, and nothing else', () => {
  expect(linkBaseUrl('http://localhost:8080/?backend=wasm', lan)).toBe(
    'https://192.168.1.5:8443/?backend=wasm',
  );
  expect(linkBaseUrl('http://127.0.0.1:8080/#room', lan)).toBe('https://192.168.1.5:8443/');
  expect(linkBaseUrl('http://[::1]:8080/edge/', lan)).toBe('https://192.168.1.5:8443/edge/');
});

it('leaves a page alone that others can open, and one that has no other address', () => {
  expect(linkBaseUrl('https://10.0.0.2:8443/', lan)).toBeNull();
  expect(linkBaseUrl('https://example.org/edge/', lan)).toBeNull();
  expect(linkBaseUrl('http://localhost:8080/', [])).toBeNull();
});

it('says when a link leads nowhere but here', () => {
  expect(opensOnlyHere('http://localhost:8080/#room')).toBe(true);
  expect(opensOnlyHere('https://192.168.1.5:8443/#room')).toBe(false);
});
