/**
 * The names in a GGUF file's `tokenizer.ggml.pre`, and what each says of its tokenizer.
 *
 * Source: `llama_vocab::impl::load` in llama.cpp's `src/llama-vocab.cpp`. Left out are names of tokenizers
 * that merge letters instead of bytes (gemma4, granite-embed-multi-311m, sarvam-moe, whitespace), and afmoe,
 * whose digits no search pattern of llama.cpp describes.
 */
import type { CuttingRule } from './cutting-rules.ts';

export interface NamedPreTokenizer {
  rule: CuttingRule;
  /** A piece that is itself a token stays whole, whatever the merges say. */
  ignoresMerges: boolean;
  /** Whether texts begin with the BOS token, if the file does not say. */
  addsBos: boolean;
  /**
   * The form of Unicode to which the model's own `tokenizer.json` brings text; llama.cpp does not. Null where
   * it is not known to.
   */
  normalization: 'NFC' | null;
}

/** Null if the name is unknown. A file without a name, or with an empty one, has the rule `default`. */
export function preTokenizerNamed(name: string): NamedPreTokenizer | null {
  return byName.get(name === '' ? 'default' : name) ?? null;
}

export const preTokenizerNames = (): string[] => [...byName.keys()];

/** One name of each rule, for a sentence. */
export const commonPreTokenizerNames = (): string[] => rows.map(([, names]) => names.split(' ')[0]);

const plain = { ignoresMerges: false, addsBos: false, normalization: null };

const rows: [rule: CuttingRule, names: string, facts?: Partial<NamedPreTokenizer>][] = [
  ['default', 'default'],
  [
    'gpt2',
    'gpt-2 phi-2 jina-es jina-de jina-v2-es jina-v2-de jina-v1-en jina-v2-code roberta-bpe gigachat ' +
      'a.x-4.0 mellum modern-bert mpt olmo jais trillion granite-docling exaone4',
  ],
  ['starcoder', 'starcoder refact command-r smollm codeshell exaone minerva-7b mellum2'],
  ['falcon', 'falcon'],
  [
    'llama3',
    'llama-bpe llama3 llama-v3 falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano',
    { ignoresMerges: true, addsBos: true },
  ],
  ['llama3', 'dbrx smaug-bpe glm4 chatglm-bpe'],
  ['qwen2', 'qwen2', { normalization: 'NFC' }],
  ['qwen2', 'deepseek-r1-qwen kormo f2llmv2 megrez stablelm2 hunyuan solar-open grok-2'],
  ['qwen35', 'qwen35'],
  ['minicpm5', 'minicpm5', { ignoresMerges: true }],
  ['ufakzeka', 'ufakzeka'],
  ['laguna', 'laguna'],
  ['jais2', 'jais-2'],
  ['seedCoder', 'seed-coder'],
  ['bailingMoe', 'bailingmoe bailingmoe2 llada-moe'],
  ['exaoneMoe', 'exaone-moe'],
  ['tekken', 'tekken', { ignoresMerges: true, addsBos: true }],
  ['gpt4o', 'gpt-4o llama4 kanana2 talkie minimax-m2'],
  ['graniteMultilingual', 'granite-embed-multi-97m', { ignoresMerges: true }],
  ['tinyAya', 'tiny_aya cohere2moe'],
  ['youtu', 'youtu', { ignoresMerges: true }],
  ['kimiK2', 'kimi-k2'],
  ['deepseekLlm', 'deepseek-llm'],
  ['deepseekCoder', 'deepseek-coder'],
  ['deepseek3', 'deepseek-v3 hunyuan-dense joyai-llm hy_v4'],
  ['spark', 'spark2_5'],
  ['bloom', 'poro-chat bloom gpt3-finnish'],
  ['viking', 'viking'],
  ['superBpe', 'superbpe'],
  ['chameleon', 'chameleon', { addsBos: true }],
];

const byName = new Map<string, NamedPreTokenizer>(
  rows.flatMap(([rule, names, facts]) =>
    names.split(' ').map((name) => [name, { ...plain, rule, ...facts }] as const),
  ),
);
