/** Reads addresses of models on a hub in Hugging Face's layout. */

/** A model on a hub, or a folder or file of it. */
export interface HubPlace {
  /** Ends with a slash. */
  hubUrl: string;
  /** `owner/name` */
  id: string;
  /** A branch, tag or commit, such as `v1.0` or `refs/pr/1`; null for `main` where none was named. */
  revision: string | null;
  /** Of a folder or a `.gguf` file; empty for the whole model. */
  path: string;
  /** Such as `Q4_K_M`; empty for any GGUF file; null for the files as they lie there. */
  quant: string | null;
}

/** The part of a hub's address behind its host, as segments. */
interface HubPath {
  segments: string[];
  quant: string | null;
}

export const publicHub = 'https://huggingface.co/';

/** Hosts of the public hub. Their addresses are asked of whichever hub is in use, which may be a mirror. */
const publicHosts = ['huggingface.co', 'hf.co'];

/** Pages that show a folder, file or commit of a revision. The hub's own client knows the same ones. */
const views = new Set(['tree', 'blob', 'resolve', 'raw', 'blame', 'commit', 'commits']);
const otherPages = new Set(['discussions', 'settings', 'community']);

/** Whether the host's pages are those of that hub. */
export function isHubHost(host: string, hubUrl: string): boolean {
  const bare = (name: string): string => name.toLowerCase().replace(/^www\./, '');
  return [new URL(hubUrl).host, ...publicHosts].some((known) => bare(known) === bare(host));
}

/**
 * @param path behind the host, percent-encoded or not: `owner/name`, with `@revision`, `:QUANT`, a page such as
 *   `/tree/main`, or the path of a `.gguf` file behind it
 * @returns null for any other path
 */
export function readHubPath(path: string, hubUrl: string): HubPlace | null {
  const { segments, quant } = splitPath(path, hubUrl);
  const [owner, named = '', ...rest] = segments;
  const match = /^([^@]+)(?:@(.+))?$/.exec(named);
  const id = `${owner}/${(match?.[1] ?? '').replace(/\.git$/, '')}`;
  if (!match || !isId(id)) return null;
  const place = { hubUrl: withSlash(hubUrl), id, quant };
  if (match[2]) return { ...place, ...splitRevision([match[2], ...rest], isGguf(rest)) };
  if (rest.length === 0 || otherPages.has(rest[0])) return { ...place, revision: null, path: '' };
  if (!views.has(rest[0]))
    return isGguf(rest) ? { ...place, revision: null, path: rest.join('/') } : null;
  const [view, ...shown] = rest;
  if (shown.length === 0) return { ...place, revision: null, path: '' };
  if (view.startsWith('commit')) return { ...place, revision: shown[0], path: '' };
  return { ...place, ...splitRevision(shown, view !== 'tree') };
}

/** Where the hub has the files; ends with a slash. */
export function hubFolder(place: HubPlace, folder: string): string {
  const { hubUrl, id } = place;
  const path = folder === '' ? '' : `${folder.split('/').map(encodeURIComponent).join('/')}/`;
  return new URL(`${id}/resolve/${revisionOf(place)}/${path}`, hubUrl).href;
}

/** Where the hub lists the files. */
export function hubList(place: HubPlace): string {
  const path = `api/models/${place.id}/tree/${revisionOf(place)}?recursive=true`;
  return new URL(path, place.hubUrl).href;
}

/** As one segment of an address: a branch may have a slash in its name. */
export function revisionOf({ revision }: HubPlace): string {
  return encodeURIComponent(revision ?? 'main');
}

function splitPath(path: string, hubUrl: string): HubPath {
  const prefix = new URL(withSlash(hubUrl)).pathname;
  const own = path.startsWith(prefix) ? path.slice(prefix.length) : path;
  const segments = own.split('/').filter(Boolean).map(decoded);
  if (segments[0] === 'api') segments.shift();
  if (segments[0] === 'models' && segments.length > 2 && !views.has(segments[2])) segments.shift();
  const last = segments.at(-1) ?? '';
  const typed = /^(.+):([\w.-]+)$/.exec(last);
  if (!typed || segments.length !== 2) return { segments, quant: null };
  const [, before, quant] = typed;
  return { segments: [segments[0], before], quant: /^latest$/i.test(quant) ? '' : quant };
}

/** Revisions with a slash that the hub itself makes (huggingface_hub, utils/_hf_uris.py). */
const specialRevision = /^refs\/(?:pr\/\d+|convert\/[\w.-]+|heads\/[\w.-]+)(?=\/|$)/;
/** Revisions behind which only the path of a folder can follow. */
const plainRevision = /^(main|master|[0-9a-f]{7,40}|v?\d+(\.\d+)*)$/;

/**
 * A branch may have a slash, encoded or not. Behind a plain revision such as `main` lies a folder; any other
 * path of folders is read as a branch.
 */
function splitRevision(
  segments: string[],
  showsFile: boolean,
): Pick<HubPlace, 'revision' | 'path'> {
  const [first, ...rest] = segments;
  const special = specialRevision.exec(segments.join('/'));
  if (special) {
    const [revision] = special;
    const path = segments.join('/').slice(revision.length + 1);
    return { revision, path: pathOf(path.split('/')) };
  }
  if (showsFile || first.includes('/') || plainRevision.test(first))
    return { revision: first, path: pathOf(rest) };
  return { revision: segments.join('/'), path: '' };
}

/** A file that is no model of its own stands for the folder that it lies in. */
function pathOf(segments: string[]): string {
  const isOtherFile = /\.[a-z]+$/i.test(segments.at(-1) ?? '') && !isGguf(segments);
  return (isOtherFile ? segments.slice(0, -1) : segments).join('/');
}

function isGguf(segments: readonly string[]): boolean {
  return /\.gguf$/i.test(segments.at(-1) ?? '');
}

function isId(id: string): boolean {
  return /^[\w.-]+\/[\w.-]+$/.test(id) && !id.split('/').some((part) => /^\.+$/.test(part));
}

export function withSlash(address: string): string {
  return address.endsWith('/') ? address : `${address}/`;
}

/** Decodes percent-encoding; a name with any other `%` stays as it is. */
export function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
