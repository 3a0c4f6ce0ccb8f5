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
      if (pick.files.length > 0) return { kind: 'files', files: pick.files };
      throw new Error('Choose a GGUF file or the folder of a model first.');
  }
}

function addressedModel(text: string, accessToken: string | null): ModelChoice {
  if (/^https?:\/\//.test(text)) {
    if (!URL.canParse(text)) throw new Error(`${text} is not a complete web address.`);
    return hubPage(new URL(text), accessToken) ?? { kind: 'url', url: text };
  }
  if (/^[\w.-]+\/[\w.-]+(\/[\w./-]+\.gguf)?$/.test(text))
    return { kind: 'hub', id: text, accessToken };
  throw new Error(
    'Give a model’s name on Hugging Face, like HuggingFaceTB/SmolLM2-360M-Instruct, or a web address that begins with https://.',
  );
}

/** The address of a model's page on the hub, as copied from a browser; null for any other address. */
function hubPage({ hostname, pathname }: URL, accessToken: string | null): ModelChoice | null {
  if (hostname !== 'huggingface.co') return null;
  const segments = pathname.split('/').filter(Boolean);
  const [owner, model, view, revision, ...path] = segments;
  if (segments.length === 2) return { kind: 'hub', id: `${owner}/${model}`, accessToken };
  if (segments.length < 4 || !['tree', 'blob', 'resolve'].includes(view)) return null;
  const isFile = path.at(-1)?.endsWith('.gguf') ?? false;
  const id = [owner, model, ...(isFile ? path : [])].join('/');
  return { kind: 'hub', id, accessToken, revision };
}
