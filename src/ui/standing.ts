import type { RoomView } from '../room/index.ts';

/** Equal, entry by entry, as long as only text and figures change. */
export function standingOf(view: RoomView): unknown[] {
  const { phase, link, model, plan, waitingFor, asking, door, notices, devices, answers } = view;
  return [
    ...[phase, link, model, plan?.planVersion, plan?.status, waitingFor, asking, door, notices],
    ...devices.flatMap(({ id, status: { kind } }) => [id, kind === 'computing' ? 'ready' : kind]),
    ...answers.map(({ status }) => status.kind),
  ];
}

export function isSameStanding(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one.length === other.length && one.every((entry, index) => entry === other[index]);
}
