/** What a person can take in place of a model that does not open, by what is known of it. */
import { hubCatalogue } from '../../../model/hub-catalogue.ts';
import { dtypes } from '../../../model/numbers/dtype.ts';
import type { ModelDescription } from '../description.ts';

/** One sentence. */
export function whatInstead(description: ModelDescription): string {
  const { kind, family, layers, weights, rope } = description;
  if (weights?.some(({ type }) => !isReadable(type)) === true)
    return 'Take the same model in its original safetensors, or as a GGUF file.';
  if (kind === 'tokenizer')
    return `Take a folder that holds the weights as well, or another model, such as ${examples()}.`;
  if (kind === 'shards') return 'Cut or fetch the model again, or take another one of the list.';
  if (family !== null && rope === null)
    return `Take a model of a family that runs here, such as ${examples()}.`;
  if (family === null && layers === null)
    return `Take the address of a model’s page on the hub, a .gguf file, or a model that is known to open, such as ${examples()}.`;
  return `Take another version of this model, as safetensors or GGUF, or another model, such as ${examples()}.`;
}

function isReadable(type: string): boolean {
  return (dtypes as readonly string[]).includes(type);
}

/** Whoever opens them needs no account. */
function examples(): string {
  const [first, second] = hubCatalogue.filter(({ gated }) => !gated).map(({ id }) => id);
  return `${first} or ${second}`;
}
