import { publicHub, type HubPlace } from '../../convert/hub/hub-address.ts';
import { locateModel, webAddress } from '../../convert/model-address.ts';
import type { ModelOffer } from '../server-info.ts';
import type { ModelChoice } from '../../room/index.ts';

export type ModelPick =
  /** One that the server offers, by its name. */
  { kind: 'offer'; name: string } | TypedAddress | { kind: 'files'; files: readonly File[] };

/** As typed: a hub's name for a model, or a web address. The token may be empty. */
export interface TypedAddress {
  kind: 'address';
  text: string;
  accessToken: string;
}

/** The model to open. Throws a sentence that says what a person should give instead. */
export function pickedModel(pick: ModelPick, offers: readonly ModelOffer[]): ModelChoice {
  switch (pick.kind) {
    case 'offer': {
      const offer = offers.find(({ name }) => name === pick.name);
      if (offer) return { kind: 'shards', manifestUrl: offer.manifestPath };
      throw new Error(`This server has no model called ${pick.name}; choose one of its list.`);
    }
    case 'address':
      return addressedModel(pick.text.trim(), pick.accessToken.trim() || null);
    case 'files':
      if (pick.files.length > 0) return pickedFiles(pick.files);
      throw new Error('Choose a GGUF file or the folder of a model first.');
  }
}

/** The paths are written beside the files, since what keeps a room for a reload may forget those of the files. */
function pickedFiles(files: readonly File[]): ModelChoice {
  if (files.every((file) => !file.webkitRelativePath)) return { kind: 'files', files };
  const paths = files.map(({ webkitRelativePath, name }) => webkitRelativePath || name);
  return { kind: 'files', files, paths };
}

function addressedModel(text: string, accessToken: string | null): ModelChoice {
  const url = webAddress(text);
  const place = placeOf(text, url);
  if (!place || place.hubUrl !== publicHub || isFolder(place))
    return { kind: 'url', url: url?.href ?? text, ...(accessToken !== null && { accessToken }) };
  const { id, path, quant, revision } = place;
  const behind = quant === null ? (path === '' ? '' : `/${path}`) : `:${quant || 'latest'}`;
  const found: ModelChoice = { kind: 'hub', id: id + behind, accessToken };
  return revision === null ? found : { ...found, revision };
}

function isFolder({ path }: HubPlace): boolean {
  return path !== '' && !/\.gguf$/i.test(path);
}

/** Null for a place on any other server. */
function placeOf(text: string, url: URL | null): HubPlace | null {
  try {
    return locateModel(text).hub;
  } catch (error) {
    if (url) throw error;
    throw new Error(
      'Give a model’s name on Hugging Face, like HuggingFaceTB/SmolLM2-360M-Instruct, or a web address that begins with https://.',
      { cause: error },
    );
  }
}
