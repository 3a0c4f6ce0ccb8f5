/** Describes the model that a person names, wherever it lies, and answers what was asked about it. */
import { basename } from 'node:path';
import { errorMessage } from '../../base/error-message.ts';
import { answer } from './answer.ts';
import { describeModel, type ModelPlace } from './describe-model.ts';
import { nothingKnown, type ModelDescription } from './description.ts';
import type { InspectOptions } from './options.ts';
import { modelAtAddress, type FoundModel } from './reading/read-address.ts';
import { kindOfPath, readPath, type PathKind } from './reading/read-path.ts';

/** Never rejects for what a model's files are: the description then has a refusal. */
export async function inspectModel(options: InspectOptions): Promise<ModelDescription> {
  const { addressOnly, questions } = options;
  let place: ModelPlace = { baseUrl: null, fileName: null, requested: null };
  try {
    const named = await find(options);
    place = named.place;
    if (addressOnly) return { ...nothingKnown(), kind: named.kind, ...place };
    const found = await named.read();
    return { ...describeModel(found.facts, found.place), ...answer(found.facts, questions) };
  } catch (error) {
    return { ...nothingKnown(), ...place, refusal: errorMessage(error) };
  }
}

interface NamedModel {
  kind: ModelDescription['kind'];
  place: ModelPlace;
  read: () => Promise<FoundModel>;
}

/** A name that is on this computer means that, as for `npm run shard`. */
async function find({ model, hubUrl }: InspectOptions): Promise<NamedModel> {
  const found = await kindOfPath(model);
  if (found) return atPath(found);
  if (looksLikePath(model)) throw new Error(`there is nothing at ${model}`);
  return modelAtAddress(model, hubUrl === null ? {} : { hubUrl });
}

function atPath(found: PathKind): NamedModel {
  const named = (kind: NamedModel['kind'], fileName: string | null): NamedModel => {
    const place = { baseUrl: null, fileName, requested: null };
    return { kind, place, read: async () => ({ facts: await readPath(found), place }) };
  };
  switch (found.kind) {
    case 'folder':
    case 'shards':
      return named(found.kind, null);
    case 'gguf':
    case 'metadata':
      return named('gguf', basename(found.path));
    case 'llama2.c':
      return named(null, basename(found.path));
  }
}

function looksLikePath(text: string): boolean {
  return /^([./~\\]|[A-Za-z]:[\\/]|file:)/.test(text);
}
