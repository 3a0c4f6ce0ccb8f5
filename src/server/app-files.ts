/** The built app as it is served: every file of `dist`, indexed and compressed before the first request. */
import { readFile, readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { contentCopies, forgetUnusedCopies } from './content-copies.ts';
import { contentType, isCompressible } from './content-type.ts';
import { immutable, revalidated, type ServedFile } from './served-file.ts';

/**
 * Files of `distDir` by the path they are asked for under (`/assets/index-….js`; `/` is the page).
 * Nothing outside this list is ever served from the app, whatever a request's path looks like.
 */
export async function indexApp(
  distDir: string,
  copiesDir: string,
): Promise<ReadonlyMap<string, ServedFile>> {
  // No folder is as good as an empty one: the missing page is what is said below.
  const entries = await readdir(distDir, { recursive: true, withFileTypes: true }).catch(() => []);
  const paths = entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => join(entry.parentPath, entry.name));
  const files = new Map(
    await Promise.all(
      paths.map(async (path): Promise<[string, ServedFile]> => {
        const name = `/${relative(distDir, path).split(sep).join('/')}`;
        const copies = await contentCopies(copiesDir, await readFile(path), isCompressible(path));
        const { whole, compressed } = copies;
        return [
          name,
          {
            whole,
            compressed,
            type: contentType(path),
            tag: copies.sha256.slice(0, 32),
            cacheControl: name.startsWith('/assets/') ? immutable : revalidated,
          },
        ];
      }),
    ),
  );
  const page = files.get('/index.html');
  if (!page)
    throw new Error(`${distDir} holds no built app (no index.html): run "npm run build" first.`);
  files.set('/', page);
  await forgetUnusedCopies(copiesDir);
  return files;
}
