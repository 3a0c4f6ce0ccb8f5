import { expect, test } from 'vitest';
import { banner, progressLine } from './terminal.ts';
import { serveTestSite } from './testing/site.ts';

test('on a terminal one line redraws itself', () => {
  const { written, output } = recorder(true);
  const progress = progressLine(output);
  progress.show({ stage: 'downloading', bytes: 0, totalBytes: 60e6 });
  progress.show({ stage: 'downloading', bytes: 30e6, totalBytes: 60e6 });
  progress.end();
  const lines = written.join('').split('\r\u001B[K');
  expect(lines).toHaveLength(3);
  expect(lines[1]).toMatch(/^Fetching the model +░{30} +0 % of 60 MB$/);
  expect(lines[2]).toMatch(/^Fetching the model +█{15}░{15} +50 % of 60 MB\n$/);
});

test('in a log there are a few plain lines', () => {
  const { written, output } = recorder(false);
  const progress = progressLine(output);
  for (let bytes = 0; bytes <= 1000; bytes++)
    progress.show({ stage: 'cutting', bytes, totalBytes: 1000 });
  progress.end();
  expect(written).toEqual(
    [0, 25, 50, 75, 100].map((percent) => `Cutting it into shards: ${percent} %\n`),
  );
});

test('a model that is there already shows nothing', () => {
  const { written, output } = recorder(true);
  progressLine(output).end();
  expect(written).toEqual([]);
});

test('the way in: both addresses, a code of the second, the certificate’s page and fingerprint', async () => {
  const { server } = await serveTestSite();
  const running = { ...server, lanOrigins: ['https://192.168.1.20:8443', 'https://10.0.0.7:8443'] };
  const shown = banner(running, { colour: false });
  expect(shown).toContain(server.httpOrigin);
  expect(shown).toContain('https://10.0.0.7:8443');
  expect(shown).toContain('https://192.168.1.20:8443/certificate');
  expect(shown.split('\n').filter((line) => /[▀▄█]{3}/.test(line)).length).toBeGreaterThan(10);
  const fingerprint = shown.replaceAll(/\s/g, '').match(/(?:[0-9A-F]{2}:?){32}/)?.[0];
  expect(fingerprint?.replaceAll(':', '')).toBe(
    server.certificate.authority?.fingerprint256.replaceAll(':', ''),
  );
});

test('without a network it says so', async () => {
  const { server } = await serveTestSite();
  const shown = banner({ ...server, lanOrigins: [] }, { colour: false });
  expect(shown).toContain('connect to one and start again');
});

function recorder(isTTY: boolean): {
  written: string[];
  output: Parameters<typeof progressLine>[0];
} {
  const written: string[] = [];
  const write = (text: string | Uint8Array): boolean => {
    written.push(String(text));
    return true;
  };
  return { written, output: { isTTY, write } };
}
