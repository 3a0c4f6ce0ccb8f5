/** Finds a folder's chat template in the files that may hold it. */
import { isRecord } from '../../base/is-record.ts';
import { readJson, readText, type FileTree } from '../sources/file-tree.ts';

const maxBytes = 64 << 20;
const maxTemplateBytes = 1 << 20;

/**
 * In the order of transformers: a file of its own, then the field of `tokenizer_config.json`, then that of a
 * processor. Of several named templates, "default" counts.
 *
 * @param tokenizerConfig the parsed `tokenizer_config.json`
 * @returns null where there is none
 */
export async function readChatTemplate(
  tree: FileTree,
  tokenizerConfig?: unknown,
): Promise<string | null> {
  const alone = await readText(tree, 'chat_template.jinja', maxTemplateBytes);
  if (alone !== null) return withText(alone);
  const config = tokenizerConfig ?? (await readJson(tree, 'tokenizer_config.json', maxBytes))?.json;
  const inConfig = isRecord(config) ? chosen(config['chat_template']) : null;
  if (inConfig !== null) return inConfig;
  const processor = (await readJson(tree, 'chat_template.json', maxTemplateBytes))?.json;
  const inProcessor = isRecord(processor) ? chosen(processor['chat_template']) : null;
  if (inProcessor !== null) return inProcessor;
  const named = await readText(tree, 'additional_chat_templates/default.jinja', maxTemplateBytes);
  return named === null ? null : withText(named);
}

/** An empty template is none. */
function withText(template: string): string | null {
  return template.trim() === '' ? null : template;
}

/** A template, a list of `{ name, template }`, or templates by their names. */
function chosen(value: unknown): string | null {
  if (typeof value === 'string') return withText(value);
  const named = new Map<string, string>();
  const entries: unknown[] = Array.isArray(value)
    ? value
    : Object.entries(isRecord(value) ? value : {}).map(([name, template]) => ({ name, template }));
  for (const entry of entries) {
    if (!isRecord(entry)) continue;
    const { name, template } = entry;
    if (typeof name === 'string' && typeof template === 'string') named.set(name, template);
  }
  const [only = null] = named.size === 1 ? named.values() : [];
  return named.get('default') ?? only ?? (named.size === 0 ? null : withoutDefault(named));
}

/** A template that says why none is used. Transformers refuses a choice among them too. */
function withoutDefault(named: ReadonlyMap<string, string>): string {
  const names = [...named.keys()].join(', ');
  const reason = `it has the templates ${names}, and none is named default`;
  return `{{ raise_exception(${JSON.stringify(reason)}) }}`;
}
