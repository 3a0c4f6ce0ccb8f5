/** Where things lie, for everything under `e2e`. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const projectDir = fileURLToPath(new URL('../..', import.meta.url));
export const shardsDir = join(projectDir, 'shards');
export const modelCacheDir = join(projectDir, '.cache/models');
export const resultsDir = join(projectDir, 'test-results');
export const unitResults = join(resultsDir, 'unit.json');
export const e2eResults = join(resultsDir, 'e2e.json');
