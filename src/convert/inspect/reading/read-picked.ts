/** What the files that a person picked or dropped say of their model. */
import { findPicked } from '../../find-picked.ts';
import { openHubModel } from '../../hub/hub-model.ts';
import { labelFor } from '../../checkpoint.ts';
import type { ModelFacts } from './model-facts.ts';
import { readFolder } from './read-folder.ts';
import { readGguf } from './read-gguf.ts';

/**
 * @param files by their paths, or by their names where they have none
 * @throws Error where no model, or more than one, is among them
 */
export async function readPicked(files: ReadonlyMap<string, Blob>): Promise<ModelFacts> {
  const found = await findPicked(files);
  const label = labelFor(found.title);
  switch (found.kind) {
    case 'folder': {
      const { tree } = found;
      return readFolder(tree, () => openHubModel(tree, label));
    }
    case 'gguf':
      return readGguf(found.files, label);
  }
}
