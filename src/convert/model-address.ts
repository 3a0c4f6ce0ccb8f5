/** Turns the address of a model that a person pastes into the place of its files. */
import { wellFormed } from '../base/well-formed.ts';
import { shownAddress } from '../base/http/shown-address.ts';
import {
  decoded,
  hubFolder,
  hubList,
  isHubHost,
  publicHub,
  readHubPath,
  withSlash,
  type HubPlace,
} from './hub/hub-address.ts';

export type ModelLocation =
  /** A folder in Hugging Face's layout. */
  | (Place & { kind: 'folder' })
  /** A GGUF file, or any part of a split one. */
  | (Place & {
      kind: 'gguf';
      /** Not percent-encoded. A pattern such as `*Q4_K_M*.gguf` where the hub's list is to name the file. */
      fileName: string;
    });

interface Place {
  /** Of the files; ends with a slash. */
  baseUrl: string;
  /** Such as `?signature=…`, to be sent with every request; mostly empty. It may be a secret. */
  query: string;
  /** What is asked for first: the GGUF file, the folder's `config.json`, or the hub's list of files. */
  requested: string;
  title: string;
  /** Null on any other server. */
  hub: HubPlace | null;
}

/** What an address says without asking any server. */
export interface AddressReport {
  kind: ModelLocation['kind'];
  baseUrl: string;
  fileName: string | null;
  requested: string;
}

/**
 * @param address `owner/name`, with `@revision` or `:QUANT` behind it, the address of a model's, folder's or
 *   file's page on the hub, or of a folder or `.gguf` file on any server, with or without `https://`
 * @throws Error that says what can be given
 */
export function locateModel(address: string, hubUrl = publicHub): ModelLocation {
  if (!URL.canParse(hubUrl))
    throw new Error(`"${hubUrl}" is no hub's address: give one such as ${publicHub}`);
  const text = plainText(address);
  const url = webAddress(text, hubUrl);
  if (url) return locateUrl(url, text, hubUrl);
  const place = readHubPath(text.replace(/^hf:\/\//i, '').replace(/[?#].*$/s, ''), hubUrl);
  if (!place || /^[./]/.test(text)) throw namesNothing(text);
  return onHub(place);
}

/** The same for a report, as `inspect --address-only` prints it. */
export function reportAddress(address: string, hubUrl = publicHub): AddressReport {
  const location = locateModel(address, hubUrl);
  const { kind, baseUrl, requested } = location;
  const fileName = location.kind === 'gguf' ? location.fileName : null;
  return { kind, baseUrl, fileName, requested };
}

/** What is copied from a page may carry marks that nobody sees. */
function plainText(address: string): string {
  return wellFormed(address)
    .replace(/[\u200B-\u200D\u2060\uFEFF]/g, '')
    .trim();
}

/** The address of a page or file, typed with or without its scheme; null for the id of a model. */
export function webAddress(address: string, hubUrl = publicHub): URL | null {
  const text = plainText(address);
  if (/^https?:\/\//i.test(text)) return URL.canParse(text) ? new URL(text) : null;
  const host = /^([^/?#@\s]+)\//.exec(text)?.[1] ?? '';
  const scheme = schemeOf(host, text, hubUrl);
  return scheme !== null && URL.canParse(`${scheme}//${text}`)
    ? new URL(`${scheme}//${text}`)
    : null;
}

/** The scheme to put before an address that has none; null where the text is no address of a server. */
function schemeOf(host: string, text: string, hubUrl: string): string | null {
  if (isHubHost(host, hubUrl)) return new URL(hubUrl).protocol;
  if (/^(localhost|\d{1,3}(\.\d{1,3}){3}|\[[\da-f:]+\])(:\d+)?$/i.test(host)) return 'http:';
  if (/^[a-z0-9.-]+:\d+$/i.test(host)) return 'http:';
  // An id mostly has no dot before its slash, and one slash.
  const isDomain = /^([a-z0-9-]+\.)+[a-z]{2,}$/i.test(host);
  const isLong = (text.split('/').length > 2 && !/[@:]/.test(text)) || /\.gguf([?#]|$)/i.test(text);
  return isDomain && isLong ? 'https:' : null;
}

function locateUrl(url: URL, text: string, hubUrl: string): ModelLocation {
  if (url.username !== '' || url.password !== '')
    throw new Error(
      `${shownAddress(url.href)} was given with a user name or a password, which no page can send: ` +
        'leave them out, and give an access token if the model asks for one',
    );
  if (isHubHost(url.host, hubUrl)) {
    const kind = /^\/(dataset|space|bucket)s\//.exec(url.pathname)?.[1];
    if (kind !== undefined)
      throw new Error(
        `${shownAddress(url.href)} is a ${kind} and no model: give a model's address`,
      );
    const place = readHubPath(url.pathname, hubUrl);
    if (!place) throw namesNothing(url.href);
    return onHub(place);
  }
  // Pages of this form are those of a hub, such as a mirror of the public one.
  if (/^\/[^/]+\/[^/]+\/(tree|blob)\/./.test(url.pathname)) {
    const place = readHubPath(url.pathname, url.origin);
    if (place) return onHub(place);
  }
  if (url.pathname === '/' && !/\/$/.test(text)) throw namesNothing(text);
  return onServer(url);
}

function onHub(hub: HubPlace): ModelLocation {
  const { id, path, quant } = hub;
  const title = id.replace(/^.*\//, '');
  if (quant !== null)
    return {
      kind: 'gguf',
      baseUrl: hubFolder(hub, path),
      fileName: quant === '' ? '*.gguf' : `*${quant}*.gguf`,
      query: '',
      requested: hubList(hub),
      title,
      hub,
    };
  if (!/\.gguf$/i.test(path)) return folderAt(hubFolder(hub, path), '', title, hub);
  const slash = path.lastIndexOf('/');
  return ggufAt(hubFolder(hub, path.slice(0, Math.max(0, slash))), path.slice(slash + 1), '', hub);
}

/** Files by which people name the folder that they lie in. */
const filesOfFolder =
  /^(config|generation_config|tokenizer|tokenizer_config)\.json$|\.safetensors(\.index\.json)?$/;

function onServer({ origin, pathname, search: query }: URL): ModelLocation {
  const slash = pathname.lastIndexOf('/');
  const last = decoded(pathname.slice(slash + 1));
  const folder = `${origin}${pathname.slice(0, slash + 1)}`;
  if (/\.gguf$/i.test(last)) return ggufAt(folder, last, query, null);
  const baseUrl = filesOfFolder.test(last) ? folder : withSlash(`${origin}${pathname}`);
  return folderAt(baseUrl, query, decoded(baseUrl.split('/').at(-2) ?? ''), null);
}

function folderAt(
  baseUrl: string,
  query: string,
  title: string,
  hub: HubPlace | null,
): ModelLocation {
  const requested = fileAddress(baseUrl, 'config.json', query);
  return { kind: 'folder', baseUrl, query, requested, title, hub };
}

function ggufAt(
  baseUrl: string,
  fileName: string,
  query: string,
  hub: HubPlace | null,
): ModelLocation {
  const requested = fileAddress(baseUrl, fileName, query);
  const title = fileName.replace(/(-\d{5}-of-\d{5})?\.gguf$/i, '');
  return { kind: 'gguf', baseUrl, fileName, query, requested, title, hub };
}

/** @param path inside the folder, not percent-encoded */
export function fileAddress(baseUrl: string, path: string, query: string): string {
  return baseUrl + path.split('/').map(encodeURIComponent).join('/') + query;
}

function namesNothing(text: string): Error {
  return new Error(
    `"${shownAddress(text)}" names no model: give a hub id such as owner/name, or the address of a model's ` +
      'folder or .gguf file',
  );
}
