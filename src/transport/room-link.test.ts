import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LinkError } from './link-error.ts';
import { makeRoomKey, makeRoomLink, parseRoomLink } from './room-link.ts';

const hostId = 'k3f9q2vx7m1n8p4r';

function errorOf(link: string): LinkError {
  try {
    parseRoomLink(link);
  } catch (error) {
    if (error instanceof LinkError) return error;
    throw error;
  }
  throw new Error(`expected an error for ${link}`);
}

describe('a room link', () => {
  it('carries the room and its key behind the #, where no server sees them', () => {
    const key = makeRoomKey();
    const link = makeRoomLink('https://192.168.1.20:8443/', { hostId, key });
    const [address, fragment] = link.split('#');
    expect(address).toBe('https://192.168.1.20:8443/');
    expect(fragment).toContain(hostId);
    expect(parseRoomLink(link)).toEqual({ hostId, key });
  });

  it('names a signalling server and ICE servers when they are not the page’s own', () => {
    const address = {
      hostId,
      key: makeRoomKey(),
      signallingUrl: 'https://rooms.example.org/peerjs',
      iceServers: [
        { urls: ['stun:stun.example.org:3478', 'turn:turn.example.org?transport=tcp'] },
        { urls: 'turns:turn.example.org', username: 'class', credential: 'a&b=c#d' },
      ],
    };
    expect(parseRoomLink(makeRoomLink('https://example.org/app/?x=1#old', address))).toEqual(
      address,
    );
  });

  it('comes back as it went, whatever the key', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 64 }), (bytes) => {
        const key = Uint8Array.from(bytes);
        expect(parseRoomLink(makeRoomLink('http://localhost:1/', { hostId, key })).key).toEqual(
          key,
        );
      }),
    );
  });

  it.each([
    ['not an address', 'hello', 'not a web address'],
    ['no fragment', 'https://example.org/', 'names no room'],
    ['no key', `https://example.org/#room=${hostId}`, 'key is missing'],
    ['a short key', `https://example.org/#room=${hostId}&key=c2hvcnQ`, 'cut short'],
    [
      'a key that is not base64url',
      `https://example.org/#room=${hostId}&key=${'a+'.repeat(16)}`,
      'damaged',
    ],
    ['a hostile room name', `https://example.org/#room=%3Cimg%3E&key=${'a'.repeat(43)}`, 'damaged'],
    [
      'a signalling address that runs a script',
      `https://example.org/#room=${hostId}&key=${'a'.repeat(43)}&signalling=javascript:alert(1)`,
      'not an http',
    ],
    [
      'ICE servers that are no JSON',
      `https://example.org/#room=${hostId}&key=${'a'.repeat(43)}&ice=[`,
      'STUN and TURN',
    ],
    [
      'ICE servers of an unknown kind',
      `https://example.org/#room=${hostId}&key=${'a'.repeat(43)}&ice=[{"urls":"https://a"}]`,
      'STUN and TURN',
    ],
  ])('with %s is refused with a sentence', (_, link, words) => {
    const error = errorOf(link);
    expect(error.code).toBe('bad-room-link');
    expect(error.message).toContain(words);
  });

  it('is not made from an address that could not be read back', () => {
    expect(() => makeRoomLink('https://a/', { hostId: 'a b', key: makeRoomKey() })).toThrow(
      LinkError,
    );
    expect(() => makeRoomLink('https://a/', { hostId, key: new Uint8Array(8) })).toThrow(LinkError);
  });

  it('never crashes on arbitrary fragments', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (fragment) => {
        try {
          parseRoomLink(`https://example.org/#${fragment}`);
        } catch (error) {
          expect(error).toBeInstanceOf(LinkError);
        }
      }),
    );
  });
});
