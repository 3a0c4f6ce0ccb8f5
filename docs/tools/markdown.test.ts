import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  headingsOf,
  markdownFiles,
  pathsNamed,
  relativeLinks,
  scriptsNamed,
} from './markdown-files.ts';
import { projectDir } from './project.ts';

function read(path: string): string {
  return readFileSync(join(projectDir, path), 'utf8');
}

describe.each(markdownFiles())('%s', (file) => {
  const markdown = read(file);

  it('links only to files and headings that exist', () => {
    const broken = relativeLinks(markdown).filter(({ path, heading }) => {
      const target = path === '' ? file : join(dirname(file), path);
      if (!existsSync(join(projectDir, target))) return true;
      return heading !== null && !headingsOf(read(target)).has(heading);
    });
    expect(broken).toEqual([]);
  });

  it('names only npm scripts that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    expect(scriptsNamed(markdown).filter((name) => !(name in scripts))).toEqual([]);
  });

  it('names only paths that exist', () => {
    const missing = pathsNamed(markdown).filter((path) => !existsSync(join(projectDir, path)));
    expect(missing).toEqual([]);
  });
});

describe('what Markdown refers to', () => {
  it('is a link outside of code, with its heading', () => {
    const markdown = 'See [a](a.md#b-c), [web](https://x.y), `[no](no.md)` and ![p](p.png).';
    expect(relativeLinks(markdown)).toEqual([
      { path: 'a.md', heading: 'b-c' },
      { path: 'p.png', heading: null },
    ]);
  });

  it('is a heading as links name it', () => {
    expect(headingsOf('# One\n\n## `lanes wanted`: its parts\n')).toEqual(
      new Set(['one', 'lanes-wanted-its-parts']),
    );
  });

  it('is an npm script, with options before its name or not', () => {
    const markdown =
      '`npm run bench:room`, `npm run --silent plan -- FILE`, `npm install && npm start`';
    expect(scriptsNamed(markdown)).toEqual(['bench:room', 'plan', 'start']);
  });
});
