/** The filters by their names. */
import { UnsupportedFeature } from '../fault.ts';
import { numberFilters } from './number-filters.ts';
import { sequenceFilters } from './sequence-filters.ts';
import { textFilters } from './text-filters.ts';
import type { Filter } from './filter.ts';

export type { Filter, FilterContext } from './filter.ts';

const filters: Record<string, Filter> = { ...textFilters, ...sequenceFilters, ...numberFilters };

/** Filters of Jinja 2 that are not written here. */
const unsupported = ['pprint', 'random', 'striptags', 'urlize', 'wordwrap', 'xmlattr'];

/** Undefined for a name that Jinja does not know. @throws UnsupportedFeature for one that it knows */
export function filterNamed(name: string): Filter | undefined {
  if (unsupported.includes(name)) throw new UnsupportedFeature(`the filter "${name}"`);
  return Object.hasOwn(filters, name) ? filters[name] : undefined;
}

export function isFilter(name: string): boolean {
  return unsupported.includes(name) || Object.hasOwn(filters, name);
}
