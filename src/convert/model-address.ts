/** Turns the address of a model that a person pastes into the place of its files. */

export type ModelLocation =
  /** A folder in Hugging Face's layout; `baseUrl` ends with a slash. */
  | { kind: 'folder'; baseUrl: string; title: string }
  /** A GGUF file, or any part of a split one. */
  | { kind: 'gguf'; baseUrl: string; fileName: string; title: string };

const publicHub = 'https://huggingface.co/';

/**
 * @param address `owner/name`, `owner/name@revision`, a model's page on the hub, a file's page there, or the
 *   address of a folder or `.gguf` file on any server
 * @throws Error that says what can be given
 */
export function locateModel(address: string, hubUrl = publicHub): ModelLocation {
  const text = address.trim();
  const id = /^([\w.-]+\/[\w.-]+)(?:@([\w./-]+))?$/.exec(text);
  if (id) return onHub(hubUrl, id[1], id[2] || 'main', '');
  if (!URL.canParse(text) || !/^https?:/.test(text))
    throw new Error(
      `"${text}" names no model: give a hub id such as owner/name, or the address of a model's ` +
        'folder or .gguf file',
    );
  const url = new URL(text);
  if (url.origin === new URL(hubUrl).origin) {
    const page = /^\/([^/]+\/[^/]+)(?:\/(?:tree|blob|resolve)\/([^/]+)(?:\/(.*))?)?\/?$/.exec(
      url.pathname,
    );
    if (page) return onHub(hubUrl, page[1], page[2] || 'main', page[3] || '');
  }
  return inFolder(`${url.origin}${url.pathname}`);
}

function onHub(hubUrl: string, id: string, revision: string, path: string): ModelLocation {
  const base = new URL(`${id}/resolve/${encodeURIComponent(revision)}/`, hubUrl);
  if (path.endsWith('.gguf')) return inFolder(new URL(path, base).href);
  return { kind: 'folder', baseUrl: base.href, title: id.replace(/^.*\//, '') };
}

function inFolder(address: string): ModelLocation {
  const slash = address.lastIndexOf('/');
  const last = decoded(address.slice(slash + 1));
  if (last.endsWith('.gguf'))
    return {
      kind: 'gguf',
      baseUrl: address.slice(0, slash + 1),
      fileName: last,
      title: last.replace(/(-\d{5}-of-\d{5})?\.gguf$/, ''),
    };
  const baseUrl = address.endsWith('/') ? address : `${address}/`;
  const title = decoded(baseUrl.split('/').at(-2) ?? '');
  return { kind: 'folder', baseUrl, title };
}

/** Decodes percent-encoding; a name with any other `%` stays as it is. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
