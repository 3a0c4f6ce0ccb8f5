import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { protocolPath } from './project.ts';
import { protocolDocument } from './protocol-document.ts';

it('is what the schemas and their comments say now', async () => {
  const kept = await readFile(protocolPath, 'utf8');
  const isNew = kept === (await protocolDocument());
  expect(isNew, 'docs/protocol.md is out of date: run `npm run docs:protocol`').toBe(true);
});
