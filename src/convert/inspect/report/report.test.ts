import { expect, it } from 'vitest';
import { nothingKnown } from '../description.ts';
import { modelReport } from './report.ts';

const description = {
  ...nothingKnown(),
  kind: 'gguf' as const,
  family: 'mamba2',
  layers: 48,
  baseUrl: 'https://jane:s3cr3t@files.example/models/',
  fileName: 'tiny.gguf',
  requested: 'https://jane:s3cr3t@files.example/models/tiny.gguf?X-Amz-Signature=f00ba4',
  weights: [{ type: 'Q4_K', bytes: 1234 }],
};

const about = [['browser', 'Firefox on Windows']] as const;

it('says what is known of the model, and why it does not open', () => {
  const report = modelReport(
    { ...description, refusal: 'this architecture is not supported' },
    { error: new Error('this architecture is not supported'), secrets: [], about },
  );
  expect(report).toContain('browser: Firefox on Windows');
  expect(report).toContain('refused       this architecture is not supported');
  expect(report).toContain('family        mamba2');
  expect(report).toContain('asked for     https://files.example/models/tiny.gguf');
  expect(report).toContain('weights       Q4_K 1,234 bytes');
});

it('says nothing private, wherever it stands', () => {
  const deep = new Error('fetch of http://nas.local:8080/x with hf_AbCdEfGhIj failed', {
    cause: new TypeError('connect ECONNREFUSED 192.168.1.20:8080 for /home/jane/x.gguf', {
      cause: 'Authorization: Bearer s3cr3t-token',
    }),
  });
  const error = new Error(
    'https://jane:s3cr3t@files.example/models/tiny.gguf?X-Amz-Signature=f00ba4 is not open to everyone (403)',
    { cause: deep },
  );
  const report = modelReport(
    { ...description, fileName: 'C:\\Users\\Jane\\tiny.gguf' },
    { error, secrets: ['s3cr3t-token'], about },
  );
  for (const leak of ['jane', 'Jane', 's3cr3t', 'f00ba4', 'nas', '192.168', '8080', 'hf_', 'home'])
    expect(report).not.toContain(leak);
  expect(report).toContain('is not open to everyone (403)');
  expect(report.split('\n').filter((line) => line.startsWith('because:'))).toHaveLength(3);
});

it('knows what an address keeps secret in other places too', () => {
  const error = new Error('the server answered: unknown user jane, signature f00ba4');
  const report = modelReport(description, { error, secrets: [], about });
  expect(report).not.toMatch(/jane|f00ba4/);
});

it('ends where errors cause each other in a circle', () => {
  const error = new Error('one');
  error.cause = error;
  expect(modelReport(nothingKnown(), { error, secrets: [], about: [] })).toContain('one');
});
