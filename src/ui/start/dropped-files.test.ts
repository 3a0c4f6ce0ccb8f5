import { expect, it } from 'vitest';
import { droppedFiles } from './dropped-files.ts';

interface Node {
  path: string;
  /** Absent for a file. */
  inside?: Node[];
}

/** As a browser describes what was dropped: folders give their entries some at a time. */
function entry({ path, inside }: Node, atOnce = 2): object {
  const about = { fullPath: path, isFile: !inside, isDirectory: Boolean(inside) };
  const name = path.replace(/^.*\//, '');
  if (!inside) return { ...about, file: (done: (file: File) => void) => done(new File([], name)) };
  return {
    ...about,
    createReader: () => {
      const left = inside.map((node) => entry(node));
      return { readEntries: (done: (some: object[]) => void) => done(left.splice(0, atOnce)) };
    },
  };
}

function drop(nodes: Node[], files: File[] = []): DataTransfer {
  const items = nodes.map((node) => ({ webkitGetAsEntry: () => entry(node) }));
  // Only these two are looked at.
  return { items, files } as unknown as DataTransfer;
}

it('reads all files of dropped folders, with their paths', async () => {
  const inner = ['a', 'b', 'c', 'd', 'e'].map((name) => ({ path: `/m/onnx/${name}.json` }));
  const dropped = await droppedFiles(
    drop([
      { path: '/m', inside: [{ path: '/m/config.json' }, { path: '/m/onnx', inside: inner }] },
      { path: '/tiny.gguf' },
    ]),
  );
  expect(dropped.map((file) => file.webkitRelativePath || file.name)).toEqual([
    'm/config.json',
    ...inner.map(({ path }) => path.slice(1)),
    'tiny.gguf',
  ]);
});

it('takes the files as they are where a browser describes no entries', async () => {
  const file = new File([], 'tiny.gguf');
  expect(await droppedFiles(drop([], [file]))).toEqual([file]);
});
