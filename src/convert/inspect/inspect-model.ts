/** Describes the model that a person names, wherever it lies, and answers what was asked about it. */
import { basename } from 'node:path';
import { answer } from './answer.ts';
import { describeModel, type ModelPlace } from './describe-model.ts';
import { nothingKnown, type ModelDescription } from './description.ts';
import type { ModelFacts } from './reading/model-facts.ts';
import type { InspectOptions } from './options.ts';
import { modelAtAddress } from './reading/read-address.ts';
import { kindOfPath, readPath, type PathKind } from './reading/read-path.ts';
import { refusalOf } from './reading/refusal-of.ts';

/** Never rejects for what a model's files are: the description then has a refusal. */
export async function inspectModel(options: InspectOptions): Promise<ModelDescription> {
  const { addressOnly, questions } = options;
  let place: ModelPlace = { baseUrl: null, fileName: null, requested: null };
  try {
    const found = await find(options);
    place = found.place;
    if (addressOnly) return { ...nothingKnown(), kind: found.kind, ...place };
    const facts = await found.read();
    return { ...describeModel(facts, place), ...answer(facts, questions) };
  } catch (error) {
    return { ...nothingKnown(), ...place, refusal: refusalOf(error) };
  }
}

interface FoundModel {
  kind: ModelDescription['kind'];
  place: ModelPlace;
  read: () => Promise<ModelFacts>;
}

/** A name that is on this computer means that, as for `npm run shard`. */
async function find({ model, hubUrl }: InspectOptions): Promise<FoundModel> {
  const found = await kindOfPath(model);
  if (found) return atPath(found);
  if (looksLikePath(model)) throw new Error(`there is nothing at ${model}`);
  return modelAtAddress(model, hubUrl === null ? {} : { hubUrl });
}

function atPath(found: PathKind): FoundModel {
  const place = { baseUrl: null, fileName: null, requested: null };
  const read = (): Promise<ModelFacts> => readPath(found);
  switch (found.kind) {
    case 'folder':
    case 'shards':
      return { kind: found.kind, place, read };
    case 'gguf':
    case 'metadata':
      return { kind: 'gguf', place: { ...place, fileName: basename(found.path) }, read };
    case 'llama2.c':
      return { kind: null, place: { ...place, fileName: basename(found.path) }, read };
  }
}

function looksLikePath(text: string): boolean {
  return /^([./~\\]|[A-Za-z]:[\\/]|file:)/.test(text);
}
