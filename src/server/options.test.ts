import { expect, test } from 'vitest';
import { defaultModel } from '../model/catalogue.ts';
import { parseOptions } from './options.ts';

test('nothing said: default model, default ports, build what is needed', () => {
  expect(parseOptions([])).toEqual({
    kind: 'start',
    options: {
      port: null,
      httpsPort: null,
      certificate: null,
      model: defaultModel,
      build: true,
      relay: true,
      connectSources: [],
      allowedOrigins: [],
    },
  });
});

test('everything said', () => {
  const args =
    '--port 9000 --https-port 9443 --cert c.pem --key k.pem --model other --no-build --no-relay';
  const origins = '--connect https://a.org --connect wss://b.org:9 --allow-app https://c.org';
  expect(parseOptions(`${args} ${origins}`.split(' '))).toEqual({
    kind: 'start',
    options: {
      port: 9000,
      httpsPort: 9443,
      certificate: { certFile: 'c.pem', keyFile: 'k.pem' },
      model: 'other',
      build: false,
      relay: false,
      connectSources: ['https://a.org', 'wss://b.org:9'],
      allowedOrigins: ['https://c.org'],
    },
  });
});

test('help wins', () => {
  expect(parseOptions(['--help', '--port', 'x'])).toEqual({ kind: 'help' });
});

test.each([
  [['--prot', '80'], "Unknown option '--prot'. Try --help."],
  [['stories'], "Unexpected argument 'stories'. Try --help."],
  [['--port'], "Option '--port <value>' argument missing. Try --help."],
  [['--port', '0'], '--port takes a number from 1 to 65535, not "0". Try --help.'],
  [
    ['--https-port', '99999'],
    '--https-port takes a number from 1 to 65535, not "99999". Try --help.',
  ],
  [['--port', '1e3'], '--port takes a number from 1 to 65535, not "1e3". Try --help.'],
  [
    ['--port=8000', '--https-port=8000'],
    '--port and --https-port must differ; both are 8000. Try --help.',
  ],
  [['--cert', 'c.pem'], '--cert and --key go together; --key is missing. Try --help.'],
  [['--key', 'k.pem'], '--cert and --key go together; --cert is missing. Try --help.'],
  [
    ['--connect', "https://a.org; script-src 'unsafe-inline'"],
    `"https://a.org; script-src 'unsafe-inline'" is no origin; one looks like https://example.org. Try --help.`,
  ],
])('%j is refused with a sentence', (args, reason) => {
  expect(parseOptions(args)).toEqual({ kind: 'refused', reason });
});
