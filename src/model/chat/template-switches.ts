/** What a chat template leaves to whoever asks: whether the model is to think before it answers. */
import { parseTemplate } from '../jinja/parse/parse-template.ts';
import { namesIn, walk } from '../jinja/parse/names.ts';
import type { Statement } from '../jinja/parse/syntax.ts';

/** Names that switch thinking on and off in templates, such as Qwen 3's, SmolLM3's, Granite 3.3's, DeepSeek V3.1's. */
const thinkingNames: ReadonlySet<string> = new Set([
  'enable_thinking',
  'thinking',
  'enable_reasoning',
  'reasoning',
  'use_thinking',
  'think',
]);

/** Names of the switches that the template reads and does not set by itself, in the order in which it reads them. */
export function templateSwitches(template: string | null): string[] {
  if (template === null) return [];
  try {
    return freeNames(parseTemplate(template)).filter((name) => thinkingNames.has(name));
  } catch {
    // A template that cannot be read refuses every conversation, and says why.
    return [];
  }
}

/** Names that are read before they are set: they can only come from outside. */
function freeNames(statements: readonly Statement[]): string[] {
  const free = new Set<string>();
  const set = new Set<string>();
  walk(statements, {
    onRead: (name) => {
      if (!set.has(name)) free.add(name);
    },
    onSet: (target) => {
      for (const name of namesIn(target)) set.add(name);
    },
  });
  return [...free];
}
