/** What a room can do that is too small for its model: how much memory is missing, and what would fit. */
import type { WeightType } from '../../../../engine/engine.ts';
import { catalogue } from '../../../../model/catalogue.ts';
import { weightBytes } from '../../../memory/index.ts';
import type { DeviceProfile, MeasuredMember } from '../../membership/index.ts';

/** From the most exact to the smallest. */
const smallerTypes: readonly WeightType[] = ['f16', 'q8', 'q4'];

export interface FitQuestion {
  members: readonly MeasuredMember[];
  /** Whether a plan exists for the room with these members' figures. */
  fits: (members: MeasuredMember[]) => boolean;
  /** Of the model that does not fit. */
  parameters: number;
}

/** One or two sentences. What is missing, and which weights would fit, was tried out on the planner. */
export function fitAdvice(question: FitQuestion): string {
  const missing = missingBytes(question);
  const lack =
    missing === null
      ? 'No amount of memory on this device alone would do.'
      : `It lacks ${formatBytes(missing)}: raise the devices’ memory budgets or invite another device.`;
  const type = smallerTypes.find((candidate) => wouldFit(question, candidate));
  if (type !== undefined) return `${lack} With ${type} weights it would fit as it is.`;
  const model = smallerModel(question);
  return model === null ? lack : `${lack} A smaller model, such as ${model}, would fit as it is.`;
}

function wouldFit({ members, fits }: FitQuestion, weights: WeightType): boolean {
  const changed = members.map((member) => withProfile(member, inType(member.profile, weights)));
  const isSmaller = changed.some(
    ({ profile }, index) => profile.compute.blockBytes < members[index].profile.compute.blockBytes,
  );
  return isSmaller && fits(changed);
}

/** The profile of a device that computes with this type, if that takes less memory than what it has. */
function inType(profile: DeviceProfile, weights: WeightType): DeviceProfile {
  const { compute } = profile;
  const bytes = weightBytes[compute.backend];
  const ratio = Math.min(1, bytes[weights] / bytes[compute.weights]);
  return {
    ...profile,
    compute: {
      ...compute,
      blockBytes: compute.blockBytes * ratio,
      embedBytes: compute.embedBytes * ratio,
      headBytes: compute.headBytes * ratio,
    },
  };
}

/** More than any model's layers; beyond it, memory is not what is missing. */
const mostMissingBytes = 2 ** 42;

/** The least memory that the host would need more, to 1 %: it may hold any layer. Null if that does not help. */
function missingBytes({ members, fits }: FitQuestion): number | null {
  const suffices = (bytes: number): boolean =>
    fits(
      members.map((member) =>
        member.id === 'host'
          ? withProfile(member, {
              ...member.profile,
              budgetBytes: member.profile.budgetBytes + bytes,
            })
          : member,
      ),
    );
  let enough = 2 ** 20;
  while (!suffices(enough)) {
    if (enough >= mostMissingBytes) return null;
    enough *= 2;
  }
  let tooFew = enough / 2;
  while (enough / tooFew > 1.01) {
    const middle = (enough + tooFew) / 2;
    if (suffices(middle)) enough = middle;
    else tooFew = middle;
  }
  return enough;
}

/** The largest model of the catalogue whose weights, as these devices hold them, take less than their budgets. */
function smallerModel({ members, parameters }: FitQuestion): string | null {
  const weightsThatFit = members.reduce((sum, { profile }) => {
    const { backend, weights } = profile.compute;
    return sum + profile.budgetBytes / weightBytes[backend][weights];
  }, 0);
  const fitting = catalogue
    .filter((entry) => entry.parameters < Math.min(parameters, weightsThatFit))
    .sort((a, b) => b.parameters - a.parameters);
  return fitting.at(0)?.title ?? null;
}

function withProfile(member: MeasuredMember, profile: DeviceProfile): MeasuredMember {
  return { ...member, profile };
}

function formatBytes(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.ceil(bytes / 1e6)} MB`;
}
