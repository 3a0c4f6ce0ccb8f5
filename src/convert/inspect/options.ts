/** What was asked on the command line. */
import { readFile } from 'node:fs/promises';
import { text as readStream } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import * as v from 'valibot';
import { errorMessage } from '../../base/error-message.ts';
import type { ChatMessage } from '../../model/text/chat-template.ts';
import type { Questions } from './answer.ts';

export const usage = `usage: npm run --silent inspect -- MODEL [--messages FILE|-] [--no-generation-prompt] [--text TEXT] [--special]
       [--ids 1,2,3] [--address-only] [--hub URL] [--json]

Tells what a model is and what it will see, without loading its weights.
MODEL is a folder in Hugging Face's layout, a GGUF file, the folder of a model cut by npm run shard, a hub id (owner/name, owner/name:Q4_K_M),
the address of any of these, a folder that holds only a tokenizer or a config.json, or a JSON file of GGUF metadata.
  --messages FILE         the prompt of a conversation: a JSON array of { "role", "content" }; - reads standard input
  --no-generation-prompt  the prompt ends with the last message
  --text TEXT             the ids of a text as a person types it: no bos, control marks as letters
  --special               added tokens in the text count as such
  --ids 1,2,3             the text of ids
  --address-only          only where the address leads; nothing is fetched
  --hub URL               the hub that has the ids; https://huggingface.co by default
  --json                  one JSON object
The exit status is 2 where the model or an option is refused.`;

export interface InspectOptions {
  model: string;
  questions: Questions;
  addressOnly: boolean;
  hubUrl: string | null;
  json: boolean;
}

/** @throws Error with one sentence that says which option cannot be, and what it takes */
export async function readOptions(
  args: readonly string[],
  stdin: NodeJS.ReadableStream = process.stdin,
): Promise<InspectOptions | 'help'> {
  const { values, positionals } = parse(args);
  if (values.help === true) return 'help';
  if (positionals.length !== 1)
    throw new Error(
      `one MODEL is expected, and ${positionals.length} came: give a folder, a file, a hub id or an address (--help says more)`,
    );
  const asks = values.messages ?? values.text ?? values.ids;
  if (values['address-only'] === true && asks !== undefined)
    throw new Error(
      '--address-only fetches nothing, so that it cannot come with --messages, --text or --ids',
    );
  if (values['no-generation-prompt'] === true && values.messages === undefined)
    throw new Error('--no-generation-prompt is about a prompt: give --messages as well');
  if (values.special === true && values.text === undefined)
    throw new Error('--special is about a text: give --text as well');
  return {
    model: positionals[0],
    questions: {
      messages: values.messages === undefined ? null : await readMessages(values.messages, stdin),
      addGenerationPrompt: values['no-generation-prompt'] !== true,
      text: values.text ?? null,
      special: values.special === true,
      ids: values.ids === undefined ? null : readIds(values.ids),
    },
    addressOnly: values['address-only'] === true,
    hubUrl: values.hub === undefined ? null : readHub(values.hub),
    json: values.json === true,
  };
}

const options = {
  messages: { type: 'string' },
  'no-generation-prompt': { type: 'boolean' },
  text: { type: 'string' },
  special: { type: 'boolean' },
  ids: { type: 'string' },
  'address-only': { type: 'boolean' },
  hub: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options });
  } catch (error) {
    // Node's message goes on with advice about "--".
    const [sentence] = errorMessage(error).split(/[.\n]\s/);
    throw new Error(`${sentence.replace(/\.$/, '')} (--help lists the options)`, { cause: error });
  }
}

const MessagesSchema = v.pipe(
  v.array(v.object({ role: v.picklist(['system', 'user', 'assistant']), content: v.string() })),
  v.minLength(1),
);

async function readMessages(file: string, stdin: NodeJS.ReadableStream): Promise<ChatMessage[]> {
  const name = file === '-' ? 'standard input' : file;
  const text = await (file === '-' ? readStream(stdin) : readFile(file, 'utf8')).catch(
    (error: unknown) => {
      throw new Error(`--messages: ${name} cannot be read (${errorMessage(error)})`, {
        cause: error,
      });
    },
  );
  let json: unknown;
  try {
    json = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new Error(`--messages: ${name} is not JSON (${errorMessage(error)})`, { cause: error });
  }
  const checked = v.safeParse(MessagesSchema, json, { abortEarly: true });
  if (checked.success) return checked.output;
  const place = v.getDotPath(checked.issues[0]) ?? 'its top level';
  throw new Error(
    `--messages: ${name} must be a JSON array of { "role": "system", "user" or "assistant", "content": text }; at ${place} it is not`,
  );
}

function readIds(text: string): number[] {
  const parts = text.split(',').map((part) => part.trim());
  const ids = parts.map(Number);
  if (parts.every((part) => /^\d+$/.test(part)) && ids.every(Number.isSafeInteger)) return ids;
  throw new Error(
    `--ids takes whole numbers with commas between them, such as 1,2,3, not "${text}"`,
  );
}

function readHub(text: string): string {
  if (/^https?:\/\//i.test(text) && URL.canParse(text)) return text;
  throw new Error(`--hub takes a web address such as https://huggingface.co, not "${text}"`);
}
