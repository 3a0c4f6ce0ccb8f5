/** What the screen says of a model that does not open, besides the sentence itself. */
import { nothingKnown, type ModelDescription } from '../../../convert/inspect/description.ts';
import { publicHub } from '../../../convert/hub/hub-address.ts';
import { describeModel } from '../../../convert/inspect/describe-model.ts';
import { modelAtAddress } from '../../../convert/inspect/reading/read-address.ts';
import { readPicked } from '../../../convert/inspect/reading/read-picked.ts';
import { modelReport } from '../../../convert/inspect/report/report.ts';
import { whatInstead } from '../../../convert/inspect/report/what-instead.ts';
import { secretsOf } from '../../../convert/inspect/report/withhold.ts';
import { deviceLabel } from '../../../profile/this-device.ts';
import type { ModelChoice } from '../../room.ts';
import type { ModelProblem } from '../../view.ts';
import { addressOnHub, byPath } from './open-model.ts';

/** A model did not open; the cause says why. */
export class ModelRefusedError extends Error {
  override readonly name = 'ModelRefusedError';
}

/** What can be said at once. */
export function problemOf(choice: ModelChoice, error: unknown): ModelProblem {
  return problemWith(nothingKnown(), choice, error);
}

/** What can be said when the model's files were looked at once more, each part by itself. Never rejects. */
export async function describedProblem(choice: ModelChoice, error: unknown): Promise<ModelProblem> {
  try {
    return problemWith(await describe(choice), choice, error);
  } catch {
    // What keeps the files from being read is the sentence already.
    return problemOf(choice, error);
  }
}

function problemWith(
  description: ModelDescription,
  choice: ModelChoice,
  error: unknown,
): ModelProblem {
  return {
    instead: whatInstead(description),
    report: modelReport(description, {
      error,
      secrets: secretsIn(choice),
      about: [
        ['browser', deviceLabel()],
        ['chosen as', choice.kind],
      ],
    }),
  };
}

async function describe(choice: ModelChoice): Promise<ModelDescription> {
  const files = { baseUrl: null, fileName: null, requested: null };
  switch (choice.kind) {
    case 'shards':
      return describeAddress(new URL(choice.manifestUrl, document.baseURI).href);
    case 'url': {
      const { accessToken = null } = choice;
      const token = accessToken === null ? {} : { token: accessToken };
      return describeAddress(new URL(choice.url, document.baseURI).href, token);
    }
    case 'hub': {
      const { accessToken, hubUrl = publicHub } = choice;
      const token = accessToken === null ? {} : { token: accessToken };
      return describeAddress(addressOnHub(choice, hubUrl), { hubUrl, ...token });
    }
    case 'files':
      return describeModel(await readPicked(byPath(choice)), files);
  }
}

/** The server was waited for already, when the model was opened. */
const limits = { tries: 1, busyMs: 0 };

async function describeAddress(
  address: string,
  options: Parameters<typeof modelAtAddress>[1] = {},
): Promise<ModelDescription> {
  const { facts, place } = await modelAtAddress(address, { ...options, limits }).read();
  return describeModel(facts, place);
}

function secretsIn(choice: ModelChoice): string[] {
  switch (choice.kind) {
    case 'hub':
      return [...given(choice.accessToken), ...secretsOf(choice.hubUrl ?? '')];
    case 'url':
      return [...given(choice.accessToken ?? null), ...secretsOf(choice.url)];
    case 'shards':
      return secretsOf(choice.manifestUrl);
    case 'files':
      return [];
  }
}

function given(accessToken: string | null): string[] {
  return accessToken === null ? [] : [accessToken];
}
