/** What the project's Markdown files refer to: other files, their headings, and npm scripts. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { projectDir } from './project.ts';

export interface MarkdownLink {
  /** As written, without the heading; empty for a heading of the same file. */
  path: string;
  /** Null for none. */
  heading: string | null;
}

const skipped = new Set(['node_modules', 'dist', 'test-results']);

/** Paths from the project's folder. */
export function markdownFiles(folder = ''): string[] {
  return readdirSync(join(projectDir, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory())
      return skipped.has(entry.name) || entry.name.startsWith('.') ? [] : markdownFiles(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

/** Links and pictures that stay within the project. */
export function relativeLinks(markdown: string): MarkdownLink[] {
  return [...withoutCode(markdown).matchAll(/\]\(([^()\s]+)\)/g)]
    .map(([, target]) => target)
    .filter((target) => !/^[a-z][a-z+.-]*:/.test(target))
    .map((target) => {
      const [path, ...heading] = target.split('#');
      return { path, heading: heading.length > 0 ? heading.join('#') : null };
    });
}

/** Headings by the names that links have for them. */
export function headingsOf(markdown: string): Set<string> {
  const headings = [...markdown.replace(/^```[^]*?^```/gm, '').matchAll(/^#+ (.+)$/gm)];
  return new Set(
    headings.map(([, heading]) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replace(/\s/g, '-'),
    ),
  );
}

/** `npm run X` wherever it stands, code included. */
export function scriptsNamed(markdown: string): string[] {
  const named = markdown.matchAll(/\bnpm (?:(?:run )(?:--\S+ )*([a-z][\w:-]*)|(test|start)\b)/g);
  return [...named].map(([, run, bare]) => run || bare);
}

/** `src/…`, `docs/…`, `e2e/…` and `shards/…` between backticks: files, unless they hold a placeholder. */
export function pathsNamed(markdown: string): string[] {
  return [...markdown.matchAll(/`((?:src|docs|e2e|shards)\/[\w./-]*\w\/?)`/g)].map(
    ([, path]) => path,
  );
}

function withoutCode(markdown: string): string {
  return markdown.replace(/^```[^]*?^```/gm, '').replace(/`[^`\n]*`/g, '');
}
