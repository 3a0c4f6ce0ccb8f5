import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * Writes a folder that is complete or absent at any moment. `fill` writes into a hidden folder beside it,
 * which replaces `folder` once complete. An older `folder` stays until then.
 */
export async function writeWholeFolder(
  folder: string,
  fill: (staging: string) => Promise<void>,
): Promise<void> {
  const parent = dirname(folder);
  const prefix = `.${basename(folder)}.partial-`;
  await mkdir(parent, { recursive: true });
  await removeAbandoned(parent, prefix);
  const staging = join(parent, `${prefix}${process.pid}`);
  try {
    await mkdir(staging);
    await fill(staging);
    const former = `${staging}-former`;
    const replaces = await moveAway(folder, former);
    await rename(staging, folder);
    if (replaces) await rm(former, { recursive: true });
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    throw error;
  }
}

async function moveAway(folder: string, former: string): Promise<boolean> {
  try {
    await rename(folder, former);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}

/** Removes what killed processes left behind; the folder of a running process stays. */
async function removeAbandoned(parent: string, prefix: string): Promise<void> {
  for (const entry of await readdir(parent)) {
    if (!entry.startsWith(prefix)) continue;
    const owner = Number.parseInt(entry.slice(prefix.length), 10);
    if (owner === process.pid || !isRunning(owner))
      await rm(join(parent, entry), { recursive: true, force: true });
  }
}

function isRunning(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch {
    return false;
  }
}
