import { wire } from 'turn-server';
import { expect, test } from 'vitest';
import { passesGate } from './relay-gate.ts';

const key = Buffer.from('key');
const { ATTR, CLASS, METHOD } = wire;

type Message = Parameters<typeof wire.encode_message>[0];

function passes(message: Message): boolean {
  return passesGate(Buffer.from(wire.encode_message(message).buf));
}

test('what browsers say passes', () => {
  for (const name of ['BINDING', 'ALLOCATE', 'REFRESH', 'CREATE_PERMISSION', 'CHANNEL_BIND'])
    for (const integrity of ['sha1', 'sha256'] as const)
      for (const fingerprint of [true, false])
        expect(passes({ method: METHOD[name], key, integrity, fingerprint }), name).toBe(true);
  expect(passes({ method: METHOD['BINDING'], cls: CLASS['INDICATION'] })).toBe(true);
  const data = { type: ATTR['DATA'], value: Buffer.from('odd') };
  expect(passes({ method: METHOD['SEND'], cls: CLASS['INDICATION'], attributes: [data] })).toBe(
    true,
  );
  expect(passesGate(Buffer.from(wire.encode_channel_data(0x4000, Buffer.from('odd'))))).toBe(true);
});

test('a request that calls itself something else, and whatever only a relay says, does not', () => {
  for (const name of ['ALLOCATE', 'REFRESH', 'CREATE_PERMISSION', 'CHANNEL_BIND', 'CONNECT'])
    for (const cls of ['INDICATION', 'SUCCESS', 'ERROR'])
      expect(passes({ method: METHOD[name], cls: CLASS[cls] }), `${name} ${cls}`).toBe(false);
  expect(passes({ method: METHOD['SEND'] })).toBe(false);
  expect(passes({ method: METHOD['DATA'], cls: CLASS['INDICATION'] })).toBe(false);
  expect(passes({ method: METHOD['CONNECT'] })).toBe(false);
});

test('a proof that is cut short, or has something behind it, does not', () => {
  const method = METHOD['ALLOCATE'];
  for (const length of [0, 1, 4, 16, 28, 31])
    expect(
      passes({
        method,
        attributes: [{ type: ATTR['MESSAGE_INTEGRITY_SHA256'], raw: new Uint8Array(length) }],
      }),
    ).toBe(false);
  const proof = { type: ATTR['MESSAGE_INTEGRITY'], raw: new Uint8Array(20) };
  expect(passes({ method, attributes: [proof] })).toBe(true);
  const lifetime = { type: ATTR['LIFETIME'], value: 600 };
  expect(passes({ method, attributes: [lifetime, proof] })).toBe(true);
  expect(passes({ method, attributes: [proof, lifetime] })).toBe(false);
});

test('what is no message, or not one whole one, does not', () => {
  const whole = Buffer.from(wire.encode_message({ method: METHOD['ALLOCATE'], key }).buf);
  for (let length = 0; length < whole.length; length++)
    expect(passesGate(whole.subarray(0, length))).toBe(false);
  expect(passesGate(Buffer.concat([whole, Buffer.alloc(4)]))).toBe(false);
  const otherCookie = Buffer.from(whole);
  otherCookie[4] ^= 1;
  expect(passesGate(otherCookie)).toBe(false);
  const tooLong = Buffer.from(whole);
  tooLong.writeUInt16BE(0xffff, 22);
  expect(passesGate(tooLong)).toBe(false);
});
