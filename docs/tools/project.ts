/** Where things lie, for everything under `docs/tools`. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const projectDir = fileURLToPath(new URL('../..', import.meta.url));
export const protocolPath = join(projectDir, 'docs/protocol.md');
