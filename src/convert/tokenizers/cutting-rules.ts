/**
 * How families of byte-level tokenizers cut a text before merging: search patterns in Oniguruma's syntax, each
 * applied to the pieces of the one before; what matches and what lies between are pieces.
 *
 * Source: `regex_exprs` in llama.cpp's `src/llama-vocab.cpp`; where a comment there gives the pattern of the
 * model's own `tokenizer.json`, that one.
 */
import { gpt2Words as gpt2 } from '../../model/text/tokenizer/pre-tokenizers.ts';

const contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const spaces = '\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';
const symbols = ' ?[^\\s\\p{L}\\p{N}]+';
const word = '[^\\r\\n\\p{L}\\p{N}]?\\p{L}+';
const ideographs = '[\\x{4E00}-\\x{9FA5}\\x{0800}-\\x{4E00}\\x{AC00}-\\x{D7FF}]+';

/** GPT-4's words with up to `digits` digits at once. */
const gpt4 = (digits: string): string =>
  `${contractions}|${word}|${digits}|${symbols}[\\r\\n]*|${spaces}`;

/** Words that begin anew at a capital letter; `letters` narrows what counts as one. */
function casedWords(letters: (categories: string) => string, ending: string): string {
  const upper = letters('\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}');
  const lower = letters('\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}');
  const before = '[^\\r\\n\\p{L}\\p{N}]?';
  return `${before}${upper}*${lower}+${ending}|${before}${upper}+${lower}*${ending}`;
}

const inClass = (categories: string): string => `[${categories}]`;
const withoutHan = (categories: string): string => `[${categories}&&[^\\p{Han}]]`;

const gpt4o = `${casedWords(inClass, `${contractions}?`)}|\\p{N}{1,3}|${symbols}[\\r\\n/]*|${spaces}`;

const deepseek3Words = (after: string, spaces: string): string =>
  '[!"#$%&\'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+' +
  `| ?[\\p{P}\\p{S}]+${after}|${spaces}`;
const deepseek3 = ['\\p{N}{1,3}', '[\\x{4E00}-\\x{9FA5}\\x{3040}-\\x{309F}\\x{30A0}-\\x{30FF}]+'];

/** Letters with case, as of the Unicode version in which DeepSeek LLM wrote them down. */
const casedLetters = [
  'A-Za-z\\x{B5}\\x{C0}-\\x{D6}\\x{D8}-\\x{F6}\\x{F8}-\\x{1BA}\\x{1BC}-\\x{1BF}\\x{1C4}-\\x{293}',
  '\\x{295}-\\x{2AF}\\x{370}-\\x{373}\\x{376}\\x{377}\\x{37B}-\\x{37D}\\x{37F}\\x{386}',
  '\\x{388}-\\x{38A}\\x{38C}\\x{38E}-\\x{3A1}\\x{3A3}-\\x{3F5}\\x{3F7}-\\x{481}\\x{48A}-\\x{52F}',
  '\\x{531}-\\x{556}\\x{10A0}-\\x{10C5}\\x{13A0}-\\x{13F5}\\x{13F8}-\\x{13FD}\\x{1C90}-\\x{1CBA}',
  '\\x{1CBD}-\\x{1CBF}\\x{1D00}-\\x{1D2B}\\x{1D6B}-\\x{1D77}\\x{1D79}-\\x{1D9A}\\x{1E00}-\\x{1F15}',
  '\\x{1F18}-\\x{1F1D}\\x{1F20}-\\x{1F45}\\x{1F48}-\\x{1F4D}\\x{1F50}-\\x{1F57}\\x{1F59}\\x{1F5B}',
  '\\x{1F5D}\\x{1F5F}-\\x{1F7D}\\x{1F80}-\\x{1FB4}\\x{1FB6}-\\x{1FBC}\\x{1FBE}\\x{1FC2}-\\x{1FC4}',
  '\\x{1FC6}-\\x{1FCC}\\x{1FD0}-\\x{1FD3}\\x{1FD6}-\\x{1FDB}\\x{1FE0}-\\x{1FEC}\\x{1FF2}-\\x{1FF4}',
  '\\x{1FF6}-\\x{1FFC}\\x{2102}\\x{2107}\\x{210A}-\\x{2113}\\x{2115}\\x{2119}-\\x{211D}\\x{2124}',
  '\\x{2126}\\x{2128}\\x{212A}-\\x{212D}\\x{212F}-\\x{2134}\\x{2139}\\x{213C}-\\x{213F}',
  '\\x{2145}-\\x{2149}\\x{214E}\\x{2183}\\x{2184}\\x{2C00}-\\x{2C7B}\\x{2C7E}-\\x{2CE4}',
  '\\x{2CEB}-\\x{2CEE}\\x{2CF2}\\x{2CF3}\\x{A640}-\\x{A66D}\\x{A680}-\\x{A69B}\\x{A722}-\\x{A76F}',
  '\\x{A771}-\\x{A787}\\x{A78B}-\\x{A78E}\\x{AB70}-\\x{ABBF}\\x{FB00}-\\x{FB06}\\x{FB13}-\\x{FB17}',
  '\\x{FF21}-\\x{FF3A}\\x{FF41}-\\x{FF5A}\\x{10400}-\\x{1044F}\\x{104B0}-\\x{104D3}',
  '\\x{104D8}-\\x{104FB}\\x{10C80}-\\x{10CB2}\\x{10CC0}-\\x{10CF2}\\x{118A0}-\\x{118DF}',
  '\\x{1E900}-\\x{1E943}',
].join('');

/** Text up to punctuation, as BLOOM cuts it. */
const bloom = ' ?[^(\\s|.,!?…。，、।۔،)]+';

/** Runs of white space by halving lengths. */
const halvingSpaces = [512, 256, 128, 64, 32, 16, 8, 4]
  .map((length) => `\\s{${length}}(?!\\S)`)
  .concat('\\s{1,2}(?!\\S)', '\\s{1}')
  .join('|');

export const cuttingRules = {
  /** Of files that name no rule. */
  default: ['[\\p{P}\\$\\+<=>\\^~\\|]+', gpt2, '\\p{N}+', '[0-9][0-9][0-9]'],
  gpt2: [gpt2],
  starcoder: ['\\p{N}', gpt2],
  falcon: ['[\\p{P}\\$\\+<=>\\^~\\|`]+', gpt2, '[0-9][0-9][0-9]'],
  llama3: [gpt4('\\p{N}{1,3}')],
  qwen2: [gpt4('\\p{N}')],
  qwen35: [
    `${contractions}|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|${spaces}`,
  ],
  minicpm5: ['\\p{N}{1,3}', gpt4('\\p{N}+')],
  ufakzeka: [`${word}|\\p{N}|${symbols}[\\r\\n]*|${spaces}`],
  laguna: ['[^\\n]+|[\\n]+', gpt4('\\p{N}')],
  jais2: [`${contractions}|${word}|\\p{N}{1,3}|${symbols}[\\r\\n]*|\\s*[\\r\\n]+|${halvingSpaces}`],
  seedCoder: [`${contractions}|${word}|\\p{N}{1}| ?[^\\s\\p{L}\\p{N}\\r\\n]+|${spaces}`],
  bailingMoe: [
    "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*" +
      '|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+',
  ],
  exaoneMoe: [
    `${contractions}|[^\\r\\n\\p{L}\\p{N}]?(?:\\p{L}\\p{M}*(?: \\p{L}\\p{M}*)*)+|\\p{N}` +
      `|${symbols}[\\r\\n/]?|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+`,
  ],
  tekken: [`${casedWords(inClass, '')}|\\p{N}|${symbols}[\\r\\n/]*|${spaces}`],
  gpt4o: [gpt4o],
  graniteMultilingual: [gpt4o],
  tinyAya: ['\\d{1,3}(?=(?:\\d{3})*\\b)', gpt4o],
  youtu: [
    '[\\x{AC00}-\\x{D7A3}\\x{3131}-\\x{318E}]+' +
      '|[！…“”‘’—：；，\\x{3001}-\\x{303F}\\x{FE30}-\\x{FE4F}]+|[\\x{3105}-\\x{312F}]+' +
      '|[\\x{4E00}-\\x{9FA5}\\x{3040}-\\x{309F}\\x{30A0}-\\x{30FF}]+',
    `${casedWords(inClass, `${contractions}?`)}|\\p{N}|${symbols}[\\r\\n/]*|${spaces}`,
  ],
  kimiK2: [
    `[\\p{Han}]+|${casedWords(withoutHan, `${contractions}?`)}|\\p{N}{1,3}|${symbols}[\\r\\n]*|${spaces}`,
  ],
  deepseekLlm: [
    '[\\r\\n]',
    `\\s?[${casedLetters}]+`,
    '\\s?[!-/:-~\\x{FF01}-\\x{FF0F}\\x{FF1A}-\\x{FF5E}\\x{2018}-\\x{201F}\\x{3000}-\\x{3002}]+',
    '\\s+$',
    ideographs,
    '\\p{N}+',
  ],
  deepseekCoder: ['[\\r\\n]', '\\s?\\p{L}+', '\\s?\\p{P}+', ideographs, '\\p{N}'],
  deepseek3: [...deepseek3, deepseek3Words('[\\r\\n]*', spaces)],
  spark: [...deepseek3, deepseek3Words('', '[\\r\\n]|\\s+(?!\\S)|\\s+'), '\\p{N}'],
  bloom: [bloom],
  viking: [bloom, '\\p{N}'],
  superBpe: ['\\p{N}+', '(?=(\\d{3})+(?!\\d))'],
  chameleon: [
    '<sentinel:[0-9]+>',
    '(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z',
    '([\\t\\n]|    |  )',
    '\\p{N}',
    '[\\p{P}!-/:-@\\[-`{-~]',
    gpt2,
  ],
} satisfies Record<string, readonly string[]>;

export type CuttingRule = keyof typeof cuttingRules;
