/** A model's description as lines of text for people. */
import type { ModelDescription, TokenText } from './description.ts';

/** Lists longer than this are cut short, and say how long they are. */
const mostListed = 12;

/** Two columns; what is not known is left out. */
export function descriptionTable(description: ModelDescription): string {
  const rows = rowsOf(description).filter(([, value]) => value !== null);
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${oneLine(value ?? '')}`).join('\n');
}

/** What a file says may move a terminal's cursor. */
function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ');
}

type Row = [name: string, value: string | null];

function rowsOf(description: ModelDescription): Row[] {
  const { tokenizer, rope, prompt } = description;
  return [
    ['refused', description.refusal],
    ['kind', description.kind],
    ['base address', description.baseUrl],
    ['file', description.fileName],
    ['asked for', description.requested],
    ['family', description.family],
    ['layers', figure(description.layers)],
    ['hidden size', figure(description.hiddenSize)],
    ['vocabulary', figure(description.vocabularySize)],
    ['context', figure(description.contextLength, ' tokens')],
    ['weights', weightsText(description.weights)],
    ['files', figure(description.bytes, ' bytes')],
    ['tokenizer', tokenizer && tokenizerText(tokenizer)],
    ['stop tokens', tokensText(description.stopTokens)],
    ['control marks', tokensText(description.controlMarks)],
    ['rope', rope && ropeText(rope)],
    ['sampling', samplingText(description.sampling)],
    ['chat template', templateText(description.hasTemplate)],
    ['prompt', prompt && JSON.stringify(prompt.text)],
    ['prompt ids', prompt?.ids ? prompt.ids.join(' ') : null],
    ['ids', description.ids && description.ids.join(' ')],
    ['text', description.text === null ? null : JSON.stringify(description.text)],
  ];
}

function figure(value: number | null, unit = ''): string | null {
  return value === null ? null : `${value.toLocaleString('en')}${unit}`;
}

function weightsText(weights: ModelDescription['weights']): string | null {
  if (weights === null || weights.length === 0) return null;
  return weights.map(({ type, bytes }) => `${type} ${bytes.toLocaleString('en')} bytes`).join(', ');
}

function tokenizerText({
  kind,
  pre,
  bos,
  addsBos,
}: NonNullable<ModelDescription['tokenizer']>): string {
  const parts = [
    kind ?? 'of an unnamed kind',
    pre !== null && `cut by the rule ${pre}`,
    bos !== null && `bos ${JSON.stringify(bos)}`,
    addsBos !== null && (addsBos ? 'texts begin with bos' : 'texts begin without bos'),
  ];
  return parts.filter((part) => part !== false).join(', ');
}

function tokensText(tokens: TokenText[] | null): string | null {
  if (tokens === null) return null;
  if (tokens.length === 0) return 'none';
  const listed = tokens
    .slice(0, mostListed)
    .map(({ id, text }) => (text === null ? String(id) : `${id} ${JSON.stringify(text)}`));
  const more = tokens.length - listed.length;
  return listed.join(', ') + (more > 0 ? `, and ${more} more` : '');
}

function ropeText({
  theta,
  partialRotaryFactor,
  scaling,
}: NonNullable<ModelDescription['rope']>): string {
  const parts = [`theta ${theta}`];
  if (partialRotaryFactor !== 1) parts.push(`${partialRotaryFactor} of a head rotated`);
  if (scaling) parts.push(`scaled: ${JSON.stringify(scaling, shortLists)}`);
  return parts.join(', ');
}

function shortLists(_: string, value: unknown): unknown {
  return Array.isArray(value) && value.length > mostListed ? `${value.length} numbers` : value;
}

function samplingText(sampling: ModelDescription['sampling']): string | null {
  const given = Object.entries(sampling).filter(([, value]) => value !== null);
  return given.length === 0 ? null : given.map(([name, value]) => `${name} ${value}`).join(', ');
}

function templateText(hasTemplate: boolean | null): string | null {
  if (hasTemplate === null) return null;
  return hasTemplate ? 'yes' : 'none: it continues texts';
}
