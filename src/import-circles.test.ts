/** No file of the app needs itself by way of others: circles hide what depends on what, in types as in code. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { preProcessFile } from 'typescript';
import { describe, expect, it } from 'vitest';

const sourceDir = fileURLToPath(new URL('.', import.meta.url));

/** By path: the paths that the file imports, types included. */
type Imports = ReadonlyMap<string, readonly string[]>;

describe('imports', () => {
  it('of the app go round in no circle', () => {
    expect(circlesIn(readImports(sourceDir)).map(describeCircle)).toEqual([]);
  });

  it('that go round in a circle are named in the order in which they do', () => {
    const imports = new Map([
      ['a', ['b']],
      ['b', ['c', 'd']],
      ['c', ['b']],
      ['d', ['d']],
    ]);
    expect(circlesIn(imports).map(describeCircle)).toEqual(['b → c → b', 'd → d']);
  });
});

function readImports(folder: string): Imports {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (path) => /\.(ts|svelte)$/.test(path) && !path.endsWith('.test.ts'),
  );
  return new Map(
    files.map((path) => {
      // A component's markup holds no imports, and the scanner takes it for code that it does not understand.
      const { importedFiles } = preProcessFile(
        scriptsIn(path, readFileSync(join(folder, path), 'utf8')),
      );
      const own = importedFiles
        .map(({ fileName }) => fileName)
        .filter((name) => name.startsWith('.'));
      return [path, own.map((name) => relative('.', join(dirname(path), name)))];
    }),
  );
}

function scriptsIn(path: string, text: string): string {
  if (!path.endsWith('.svelte')) return text;
  return [...text.matchAll(/<script[^>]*>(.*?)<\/script>/gs)]
    .map(([, script]) => script)
    .join('\n');
}

/** Each circle that a walk along the imports comes upon, by the files on it. */
function circlesIn(imports: Imports): string[][] {
  const circles: string[][] = [];
  const walked = new Set<string>();
  const way: string[] = [];
  function walk(file: string): void {
    if (way.includes(file)) circles.push(way.slice(way.indexOf(file)));
    if (walked.has(file)) return;
    walked.add(file);
    way.push(file);
    for (const next of imports.get(file) ?? []) walk(next);
    way.pop();
  }
  for (const file of imports.keys()) walk(file);
  return circles;
}

function describeCircle(circle: string[]): string {
  return [...circle, circle[0]].join(' → ');
}
