/** What a model that was cut into shards says of itself. */
import { errorMessage } from '../../../base/error-message.ts';
import { parseManifestText } from '../../../model/parse-manifest.ts';
import { readText, type FileTree } from '../../sources/file-tree.ts';
import { manifestFacts } from './checkpoint-facts.ts';
import { noFacts, type ModelFacts } from './model-facts.ts';

/** As large as that of the largest model, several times over. */
const maxManifestBytes = 16 << 20;

/** @param tree the folder of the manifest, which its files' paths are relative to */
export async function readShards(tree: FileTree, manifestPath: string): Promise<ModelFacts> {
  try {
    const text = await readText(tree, manifestPath, maxManifestBytes);
    if (text === null) throw new Error(`there is no ${manifestPath}`);
    return await manifestFacts(parseManifestText(text), (path) => tree.open(path), 'shards');
  } catch (error) {
    return { ...noFacts('shards'), refusal: errorMessage(error) };
  }
}
