/** A model on a server: where its address leads, and what is found there. Runs in browsers and in Node. */
import { errorMessage } from '../../../base/error-message.ts';
import { findRemote, headersFor, type RemoteOptions } from '../../find-remote.ts';
import { openHubModel } from '../../hub/hub-model.ts';
import { locateModel, reportAddress, webAddress, type ModelLocation } from '../../model-address.ts';
import { labelFor } from '../../checkpoint.ts';
import { urlTree } from '../../sources/file-tree.ts';
import type { ModelPlace } from '../describe-model.ts';
import { noFacts, type ModelFacts } from './model-facts.ts';
import { readFolder } from './read-folder.ts';
import { readGguf } from './read-gguf.ts';
import { readShards } from './read-shards.ts';

export interface AddressedModel {
  kind: 'folder' | 'gguf' | 'shards';
  /** As the address says it. */
  place: ModelPlace;
  read: () => Promise<FoundModel>;
}

/** The place is where the server has the files, such as the file of a quant. */
export interface FoundModel {
  facts: ModelFacts;
  place: ModelPlace;
}

/**
 * Fetches nothing before it is read.
 *
 * @throws Error where the address names no model
 */
export function modelAtAddress(address: string, options: RemoteOptions = {}): AddressedModel {
  const url = webAddress(address, options.hubUrl);
  if (url?.pathname.endsWith('/manifest.json') === true) return shardsAt(url, options);
  const location = locateModel(address, options.hubUrl);
  const { kind, ...place } = reportAddress(address, options.hubUrl);
  return { kind, place, read: () => readLocation(location, place, options) };
}

function shardsAt(url: URL, { token, ...http }: RemoteOptions): AddressedModel {
  const baseUrl = new URL('.', url).href;
  const place = { baseUrl, fileName: null, requested: url.href };
  return {
    kind: 'shards',
    place,
    read: async () => {
      const tree = urlTree(baseUrl, { ...http, headers: headersFor(token), query: url.search });
      return { facts: await readShards(tree, 'manifest.json'), place };
    },
  };
}

async function readLocation(
  location: ModelLocation,
  place: ModelPlace,
  options: RemoteOptions,
): Promise<FoundModel> {
  try {
    const found = await findRemote(location, options);
    const { baseUrl, title } = found.location;
    const label = labelFor(title);
    switch (found.kind) {
      case 'folder': {
        const { tree } = found;
        const facts = await readFolder(tree, () => openHubModel(tree, label));
        return { facts, place: { ...place, baseUrl } };
      }
      case 'gguf': {
        const { fileName } = found.location;
        const facts = await readGguf(found.files, label);
        return { facts, place: { ...place, baseUrl, fileName } };
      }
    }
  } catch (error) {
    return { facts: { ...noFacts(location.kind), refusal: errorMessage(error) }, place };
  }
}
