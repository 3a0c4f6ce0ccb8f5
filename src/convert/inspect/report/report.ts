/** What a person may paste in public about a model that does not open: what `inspect` knows, and nothing private. */
import { errorMessage } from '../../../base/error-message.ts';
import type { ModelDescription } from '../description.ts';
import { descriptionTable } from '../table.ts';
import { secretsOf, withholdPrivate } from './withhold.ts';

export interface ReportContext {
  /** Why the model did not open, as it was thrown. */
  error: unknown;
  /** Known secrets, such as the access token that the person gave. */
  secrets: readonly string[];
  /** What else helps, such as the browser: name and text. */
  about: readonly (readonly [name: string, text: string])[];
}

/** Errors that caused each other; a circle ends here too. */
const mostCauses = 5;

export function modelReport(
  description: ModelDescription,
  { error, secrets, about }: ReportContext,
): string {
  const { requested, baseUrl } = description;
  const known = [
    ...secrets,
    ...[requested, baseUrl].flatMap((address) => secretsOf(address ?? '')),
  ];
  const lines = [
    ...about.map(([name, text]) => `${name}: ${text}`),
    ...causesOf(error).map((cause) => `because: ${cause}`),
    descriptionTable({ ...description, refusal: description.refusal ?? errorMessage(error) }),
  ];
  return withholdPrivate(lines.join('\n'), known);
}

/** The sentences behind an error's own. */
function causesOf(error: unknown): string[] {
  const causes: string[] = [];
  for (let cause = causeOf(error); cause !== undefined; cause = causeOf(cause)) {
    if (causes.length === mostCauses) break;
    causes.push(errorMessage(cause));
  }
  return causes;
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}
