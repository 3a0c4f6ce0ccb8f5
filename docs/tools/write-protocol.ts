/** `npm run docs:protocol`: writes `docs/protocol.md` anew. */
import { writeFile } from 'node:fs/promises';
import { protocolPath } from './project.ts';
import { protocolDocument } from './protocol-document.ts';

await writeFile(protocolPath, await protocolDocument());
console.log(`Wrote ${protocolPath}.`);
