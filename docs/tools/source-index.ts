/** The declarations of a folder's source files by their names, so that what is documented may move between files. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';

export interface Declaration {
  /** Absolute path. */
  file: string;
  source: ts.SourceFile;
  node: ts.VariableDeclaration | ts.FunctionDeclaration;
}

export interface SourceIndex {
  /** Looks in that file first, since files may use one name for different things. @throws where there is none */
  find(name: string, inFile?: string): Declaration;
  /** The running value of what a file exports under that name. */
  load(name: string): Promise<unknown>;
}

export function indexSources(folder: string): SourceIndex {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.ts$/.test(file) && !/\.test\.ts$|fixtures[/\\]/.test(file))
    .sort()
    .map((file) => declarationsOf(join(folder, file)));

  function find(name: string, inFile?: string): Declaration {
    const own = files.find(({ file }) => file === inFile);
    for (const { declarations } of own ? [own, ...files] : files) {
      const found = declarations.get(name);
      if (found) return found;
    }
    throw new Error(
      `No file of ${folder} declares ${name}: if it has a new name, docs/tools must learn it.`,
    );
  }

  return {
    find,
    async load(name) {
      const { file } = find(name);
      const module = (await import(pathToFileURL(file).href)) as Record<string, unknown>;
      if (!(name in module)) throw new Error(`${file} does not export ${name}.`);
      return module[name];
    },
  };
}

function declarationsOf(file: string): { file: string; declarations: Map<string, Declaration> } {
  const source = ts.createSourceFile(
    file,
    readFileSync(file, 'utf8'),
    ts.ScriptTarget.Latest,
    true,
  );
  const declarations = new Map<string, Declaration>();
  for (const statement of source.statements) {
    if (ts.isFunctionDeclaration(statement) && statement.name)
      declarations.set(statement.name.text, { file, source, node: statement });
    if (!ts.isVariableStatement(statement)) continue;
    for (const node of statement.declarationList.declarations)
      if (ts.isIdentifier(node.name)) declarations.set(node.name.text, { file, source, node });
  }
  return { file, declarations };
}
