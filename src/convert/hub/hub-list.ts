/** Asks a hub which files a model has. */
import * as v from 'valibot';
import { FetchFailure } from '../../base/http/asking/failure.ts';
import type { HttpLimits } from '../../base/http/asking/limits.ts';
import { readWhole, type WholeAnswer } from '../../base/http/read-whole.ts';
import { shownAddress } from '../../base/http/shown-address.ts';
import { hubList, revisionOf, type HubPlace } from './hub-address.ts';

export interface HubListOptions {
  /** Sent with every request, e.g. an access token. */
  headers?: Readonly<Record<string, string>>;
  signal?: AbortSignal | undefined;
  limits?: Partial<HttpLimits> | undefined;
}

/** A page of the list has a thousand files. */
const mostPages = 20;
const maxPageBytes = 16 << 20;

const TreeSchema = v.array(v.looseObject({ type: v.string(), path: v.string() }));
const ModelSchema = v.looseObject({ siblings: v.array(v.looseObject({ rfilename: v.string() })) });

/**
 * Paths of all files of the model, in the hub's order (huggingface_hub, hf_api.py, list_repo_tree).
 *
 * @throws Error that says what the hub answered
 */
export async function listHubFiles(place: HubPlace, options: HubListOptions): Promise<string[]> {
  const paths: string[] = [];
  let next: string | null = hubList(place);
  for (let page = 0; page < mostPages && next !== null; page++) {
    const answer = page === 0 ? await firstPage(place, options) : await read(next, options);
    paths.push(...pathsOf(answer, next));
    next = nextPage(answer.headers, next);
  }
  return paths;
}

/** Some mirrors know only the older question, which is answered with the whole model's description. */
async function firstPage(place: HubPlace, options: HubListOptions): Promise<WholeAnswer> {
  const { hubUrl, id } = place;
  try {
    return await read(hubList(place), options);
  } catch (error) {
    if (!(error instanceof FetchFailure) || error.kind !== 'missing') throw error;
    const older = `api/models/${id}/revision/${revisionOf(place)}`;
    return read(new URL(older, hubUrl).href, options).catch(() => {
      throw error;
    });
  }
}

function read(url: string, options: HubListOptions): Promise<WholeAnswer> {
  return readWhole({ ...options, url, name: shownAddress(url), maxBytes: maxPageBytes });
}

function pathsOf({ bytes }: WholeAnswer, url: string): string[] {
  const json = parsed(new TextDecoder().decode(bytes));
  const tree = v.safeParse(TreeSchema, json);
  if (tree.success)
    return tree.output.filter(({ type }) => type === 'file').map(({ path }) => path);
  const model = v.safeParse(ModelSchema, json);
  if (model.success) return model.output.siblings.map(({ rfilename }) => rfilename);
  throw new Error(
    `${shownAddress(url)} is no list of a model's files: check the address of the hub`,
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** A token is sent with the request, so that the next page must be of the same server. */
function nextPage(headers: Headers, url: string): string | null {
  const link = /<([^>]+)>\s*;[^,]*\brel="?next"?/.exec(headers.get('link') ?? '')?.[1];
  if (link === undefined || !URL.canParse(link, url)) return null;
  const next = new URL(link, url);
  return next.origin === new URL(url).origin ? next.href : null;
}
